import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.metrics.alignment.eae import enclosed_area_error
from progfix.metrics.alignment.matches import true_matches
from tests.metrics.alignment.made import matches, nearest, pairs, random_videos, video

A = video([0, 1, 10, 11], (0, 1, 0), (2, 3, 1))
B = video([0, 5, 10.4, 10.6], (0, 1, 0), (2, 3, 1))


def test_the_worked_example() -> None:
    # Matches 0 1 2 3. A's neighbours in B: 0 0 2 3 (1 is nearer to 0 than to 5): one frame
    # off, 1 / (4 * 4). B's in A: 0, 1 (5 is 4 from 1), 2 (10.4), 3 (10.6): 0.
    error = enclosed_area_error([A, B])
    assert error.value == pytest.approx((1 / 16 + 0) / 2)
    assert error.count == 2


def test_the_worked_example_as_gtcc_computes_it() -> None:
    # Alignable are frames 0 and 2, matched to 0 and 2: no two in a row, nothing to divide by.
    score = enclosed_area_error([A, B], variant="gtcc")
    assert np.isnan(score.value)
    assert score.undefined == 2
    # Three frames: 0 and 1 are matched to 0 and 2, which are not adjacent either.
    long = video([0, 1, 2, 3], (0, 3, 0))
    other = video([9, 9, 0, 9, 9], (0, 4, 0))
    # long -> other: frames 0 1 2 match 0 2 4, none adjacent. other -> long: 0 1 2 3 match
    # 0 1 2 3, three adjacent pairs; neighbours 3 3 0 3: frames 0 1 2 are 3, 2, 2 alignable
    # frames off, 3 none: 7 / (4 * 3).
    score = enclosed_area_error([long, other], variant="gtcc")
    assert score.value == pytest.approx(7 / 12)
    assert (score.count, score.undefined) == (1, 1)


@pytest.mark.parametrize("seed", range(4))
def test_against_a_loop(seed: int) -> None:
    videos = random_videos(seed, 4)
    errors = []
    for a, b in pairs(videos):
        valid, found = matches(a, b), nearest(a, b)
        away = [min(abs(int(found[f]) - m) for m in valid[f]) for f in valid]
        errors.append(sum(away) / (len(away) * len(b)) if away else np.nan)
    score = enclosed_area_error(videos)
    assert score.value == pytest.approx(np.nanmean(errors), abs=1e-9)
    assert score.undefined == np.isnan(errors).sum()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_matches_against_exact_fractions_and_bounds(seed: int) -> None:
    first, second = random_videos(seed, 2)
    found: dict[int, set[int]] = {}
    for frame, match in zip(*true_matches(first, second), strict=True):
        found.setdefault(int(frame), set()).add(int(match))
    assert found == matches(first, second)
    value = enclosed_area_error([first, second]).value
    assert np.isnan(value) or 0 <= value < 1


def test_a_video_matches_itself() -> None:
    first = video(np.arange(9), (1, 4, 0), (4, 6, 1))
    assert enclosed_area_error([first, first]).value == 0


def test_undefined_and_counted() -> None:
    flat = video(np.full((4, 2), 3.0), (0, 3, 0))
    moving = video([[0, 1], [2, 3]], (0, 1, 0))
    score = enclosed_area_error([flat, moving])
    # Only the direction flat -> moving has neighbours: 4 times frame 1, matches 0 0 1 1.
    assert score.value == pytest.approx(2 / (4 * 2))
    assert (score.count, score.undefined) == (1, 1)
    apart = [video([1, 2], (0, 1, 0)), video([1, 2], (0, 1, 1))]
    assert enclosed_area_error(apart).undefined == 2
    assert enclosed_area_error([flat]).count == 0
