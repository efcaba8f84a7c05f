import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from progfix.metrics.alignment.video_progress import path_length, video_ogpe, video_targets
from tests.metrics.alignment.made import random_videos, video

# A background frame, cut for two frames, a gap, stir for one.
EXAMPLE = video([0, 1, 3, 3, 4], (1, 2, 0), (4, 4, 1))


def test_the_worked_example() -> None:
    np.testing.assert_allclose(video_targets(EXAMPLE), [0, 0.25, 0.5, 0.5, 1])
    np.testing.assert_allclose(path_length(EXAMPLE.embeddings), [0, 1, 3, 3, 4])
    # Training paths of 2 and 4 make the unit 3: answers 0 1/3 1 1 1, errors 0 1/12 1/2 1/2 0.
    train = [video([0, 2]), video([0, 4])]
    assert video_ogpe(train, [EXAMPLE]).value == pytest.approx((1 / 12 + 1) / 5)


def test_the_worked_example_as_gtcc_computes_it() -> None:
    np.testing.assert_allclose(video_targets(EXAMPLE, variant="gtcc"), [0, 0, 0.5, 0.5, 0.5])
    # The unit is the mean path of the first two scored videos, 4 and 2; nothing is clipped:
    # answers 0 1/3 1 1 4/3. The third never moves and is left out.
    second = video([0, 2], (0, 1, 0))
    still = video([7, 7], (0, 1, 0))
    first = (1 / 3 + 1 / 2 + 1 / 2 + (4 / 3 - 1 / 2)) / 5
    score = video_ogpe([], [EXAMPLE, second, still], variant="gtcc")
    # The second: targets 0 and 1, answers 0 and 2/3.
    assert score.value == pytest.approx((first + 1 / 6) / 2)
    assert (score.count, score.undefined) == (2, 1)


@pytest.mark.parametrize("seed", range(3))
def test_against_a_loop(seed: int) -> None:
    train, scored = random_videos(seed, 4), random_videos(seed + 10, 4)
    unit = np.mean([_path(v.embeddings)[-1] for v in train])
    errors = []
    for v in scored:
        progress, targets = 0.0, []
        for frame in range(len(v)):
            for place, (s, e) in enumerate(zip(v.start, v.end, strict=True)):
                if s <= frame <= e:
                    progress = (place + (frame - s + 1) / (e - s + 1)) / len(v.start)
            targets.append(progress)
        answers = [min(1.0, float(length / unit)) for length in _path(v.embeddings)]
        errors.append(np.mean(np.abs(np.array(answers) - targets)))
    assert video_ogpe(train, scored).value == pytest.approx(np.mean(errors), abs=1e-9)


def _path(embeddings: NDArray[np.floating]) -> list[float]:
    lengths = [0.0]
    for before, after in itertools.pairwise(embeddings):
        lengths.append(lengths[-1] + float(np.linalg.norm(after - before)))
    return lengths


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_targets_never_fall_and_end_at_one(seed: int) -> None:
    for v in random_videos(seed, 2):
        if len(v.start):
            targets = video_targets(v)
            assert (np.diff(targets) >= 0).all()
            assert targets[v.end[-1]] == 1
            assert (video_targets(v, variant="gtcc") <= targets + 1e-12).all()


def test_undefined_and_counted() -> None:
    moving, still = video([0, 1], (0, 1, 0)), video([3, 3], (0, 1, 0))
    assert video_ogpe([still], [moving, still]).undefined == 2
    assert video_ogpe([], [moving]).undefined == 1
    cut = video([0, 1], (0, 1, 0), complete=False)
    score = video_ogpe([moving], [moving, cut, video([1, 2])])
    assert (score.count, score.undefined) == (1, 2)
    # One that does not move is wrong, not undefined: it stays at 0 while the target goes
    # 1/2, 1. A video of one frame is done and answered 0.
    assert video_ogpe([moving], [still]).value == pytest.approx(0.75)
    assert video_ogpe([moving], [video([5], (0, 0, 0))]).value == 1
