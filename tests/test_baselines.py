from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import strategies as st

from progfix.baselines import BASELINES, Baseline, action_frames, baseline_predictions
from progfix.data.dataset import Segment, Video
from progfix.frame_counting import FrameCounting

DURATIONS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def _video(name: str, durations: Sequence[int], split: str = "train", action: str = "a") -> Video:
    ends = np.cumsum(durations).tolist()
    segments = tuple(
        Segment(end - length, end - 1, action) for end, length in zip(ends, durations, strict=True)
    )
    return Video(name, "task", ends[-1], segments, split=split)


def test_action_frames_skip_censored_segments_and_keep_indices() -> None:
    segments = (Segment(0, 1, "a"), Segment(2, 3, "b", censored=True), Segment(4, 6, "c"))
    frames = action_frames(Video("v", "t", 7, segments))
    assert frames.segment.tolist() == [0, 0, 2, 2, 2]
    assert frames.elapsed.tolist() == [1, 2, 1, 2, 3]
    assert frames.target == pytest.approx([1 / 2, 1, 1 / 3, 2 / 3, 1])
    assert frames.action.decode() == ["a", "a", "c", "c", "c"]
    assert frames.segment_starts().tolist() == [0, 2]


def test_baselines_answer_every_frame() -> None:
    videos = [_video("x", [2, 3], "test"), _video("y", [4], "test")]
    counting = FrameCounting.fit({"a": np.array([4])})
    expected = {
        "constant": [0.5] * 9,
        "oracle": [1 / 2, 1, 1 / 3, 2 / 3, 1, 1 / 4, 2 / 4, 3 / 4, 1],
        "frame-counting": [1 / 4, 2 / 4, 1 / 4, 2 / 4, 3 / 4, 1 / 4, 2 / 4, 3 / 4, 1],
    }
    for name in BASELINES:
        chunks = list(baseline_predictions(name, videos, counting))
        assert [len(chunk) for chunk in chunks] == [5, 4]
        found = np.concatenate([chunk.prediction for chunk in chunks])
        if name in expected:
            assert found == pytest.approx(expected[name])
        assert ((found >= 0) & (found <= 1)).all()


def test_random_depends_on_seed_and_video_alone() -> None:
    videos = [_video("x", [30]), _video("y", [30])]

    def run(seed: int, chosen: list[Video]) -> list[np.ndarray]:
        return [c.prediction for c in baseline_predictions("random", chosen, None, seed=seed)]

    forward, backward = run(0, videos), run(0, videos[::-1])
    np.testing.assert_array_equal(forward[0], backward[1])
    assert (forward[0] != forward[1]).any()
    assert (forward[0] != run(1, videos)[0]).any()


def test_counting_needs_tables_and_names_are_checked() -> None:
    with pytest.raises(ValueError, match="needs tables"):
        list(baseline_predictions("frame-counting", [_video("x", [3])], None))
    unknown: Baseline = "best"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="expected a baseline out of constant"):
        list(baseline_predictions(unknown, [], None))
