from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.baselines import action_frames
from progfix.data.dataset import Dataset, Segment, Video
from progfix.frame_counting import FrameCounting, fit_counting, frame_counting

DURATIONS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def _video(name: str, durations: Sequence[int], split: str = "train", action: str = "a") -> Video:
    ends = np.cumsum(durations).tolist()
    segments = tuple(
        Segment(end - length, end - 1, action) for end, length in zip(ends, durations, strict=True)
    )
    return Video(name, "task", ends[-1], segments, split=split)


def test_frame_counting_by_hand() -> None:
    # Durations 2, 4, 6. After 1 and 2 frames all three are possible, median 4; after 3 and 4
    # frames 4 and 6, median 5; after 5 and 6 only 6; 7 frames are beyond the longest.
    table = frame_counting([4, 2, 6])
    expected = [1 / 4, 2 / 4, 3 / 5, 4 / 5, 5 / 6, 6 / 6, 1]
    assert table(np.arange(1, 8)) == pytest.approx(expected)


def test_mean_statistic_by_hand() -> None:
    # After 1 frame mean(1/2, 1/4) = 3/8, after 3 only the duration 4 is left: 3/4.
    table = frame_counting([2, 4], statistic="mean")
    assert table(np.array([1, 3, 5])) == pytest.approx([3 / 8, 3 / 4, 1])


@given(DURATIONS, st.sampled_from(["median", "mean"]))
def test_frame_counting_agrees_with_a_loop(durations: list[int], statistic: str) -> None:
    table = frame_counting(durations, statistic=statistic)  # type: ignore[arg-type]
    given_durations = np.array(durations)
    for t in range(1, max(durations) + 3):
        longer = given_durations[given_durations >= t]
        if len(longer) == 0:
            expected = 1.0
        elif statistic == "median":
            expected = float(t / np.median(longer))
        else:
            expected = float(np.mean(t / longer))
        assert table(np.array([t]))[0] == pytest.approx(expected, abs=1e-12)


@given(DURATIONS)
def test_no_other_answer_has_a_lower_error_up_to_convexity(durations: list[int]) -> None:
    # Of all answers the weighted median of t / D is best; t / median(D) is it, up to the
    # middle two durations of an even number.
    given_durations = np.array(durations)
    for t in range(1, max(durations) + 1):
        targets = t / given_durations[given_durations >= t]
        answer = frame_counting(durations)(np.array([t]))[0]
        best = np.abs(np.median(targets) - targets).sum()
        assert np.abs(answer - targets).sum() <= best + np.ptp(targets)


def test_a_duration_of_a_billion_frames_costs_nothing() -> None:
    table = frame_counting([10**9, 3])
    assert table(np.array([10**9, 2])) == pytest.approx([1.0, 2 / ((10**9 + 3) / 2)])


def test_without_durations_there_is_no_answer() -> None:
    assert np.isnan(frame_counting([])(np.array([1, 2]))).all()


def test_a_duration_below_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 frame, found 0"):
        frame_counting([3, 0])


def test_an_unknown_statistic_is_refused() -> None:
    with pytest.raises(ValueError, match="median or mean"):
        frame_counting([3], statistic="mode")  # type: ignore[arg-type]


def test_per_action_uses_the_action_and_falls_back_to_all() -> None:
    counting = FrameCounting.fit({"a": np.array([2]), "b": np.array([4])})
    video = Video(
        "v", "t", 4, (Segment(0, 1, "a"), Segment(2, 2, "b"), Segment(3, 3, "unseen")), split="test"
    )
    frames = action_frames(video)
    # Pooled: after 1 frame the median of 2 and 4 is 3; after 2 frames as well.
    assert counting.predict(frames) == pytest.approx([1 / 3, 2 / 3, 1 / 3, 1 / 3])
    assert counting.predict(frames, per_action=True) == pytest.approx([1 / 2, 2 / 2, 1 / 4, 1 / 3])


def test_fit_counting_takes_the_splits_asked_for() -> None:
    data = Dataset((_video("x", [2, 4]), _video("y", [6], "val"), _video("z", [100], "test")))
    train = fit_counting(data)
    both = fit_counting(data, "train+val")
    assert train is not None
    assert both is not None
    assert train.fitted_on == "train split, 2 segments"
    assert both.fitted_on == "train+val split, 3 segments"
    assert train.pooled(np.array([1]))[0] == pytest.approx(1 / 3)
    assert both.pooled(np.array([1]))[0] == pytest.approx(1 / 4)
    assert fit_counting(Dataset((_video("z", [5], "test"),))) is None
