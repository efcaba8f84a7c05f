"""Sums over frames against slow loops over rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.plots.sums import FrameSums
from progfix.predictions import Predictions
from tests.plots.made import offset, video


def random_video(seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    durations = rng.integers(1, 40, size=rng.integers(1, 6)).tolist()
    return video(f"v{seed}", durations, lambda t: t + rng.normal(0, 0.3, len(t)))


def filled(*chunks: Predictions) -> FrameSums:
    sums = FrameSums()
    for chunk in chunks:
        sums.add(chunk)
    return sums


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_errors_by_tenth_equal_a_loop(seed: int) -> None:
    chunk = random_video(seed)
    view = filled(chunk).position_errors("x")
    parts: list[list[float]] = [[] for _ in range(10)]
    for elapsed, duration, target, prediction in zip(
        chunk.elapsed.tolist(),
        chunk.duration.tolist(),
        chunk.target.tolist(),
        chunk.prediction.tolist(),
        strict=True,
    ):
        # Part k holds k/10 < elapsed/duration <= (k + 1)/10.
        part = next(k for k in range(10) if elapsed * 10 <= (k + 1) * duration)
        parts[part].append(prediction - target)
    for k, part_errors in enumerate(parts):
        assert view.count[k] == len(part_errors)
        if part_errors:
            assert view.mae[k] == pytest.approx(np.mean(np.abs(part_errors)), abs=1e-12)
            assert view.bias[k] == pytest.approx(np.mean(part_errors), abs=1e-12)
        else:
            assert np.isnan(view.mae[k])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_chunks_equal_the_whole(first: int, second: int) -> None:
    a, b = random_video(first), random_video(second)
    parts, whole = filled(a, b), filled(Predictions.concat([a, b]))
    assert parts.mae == pytest.approx(whole.mae, abs=1e-12)
    assert parts.frames == whole.frames == len(a) + len(b)
    assert np.array_equal(parts.density("x").counts, whole.density("x").counts)
    assert parts.outside == whole.outside


def test_range_of_predictions_is_within_a_step_of_the_true_quantiles() -> None:
    rng = np.random.default_rng(0)
    chunk = video("v", [5000], lambda t: np.clip(0.4 + 0.2 * rng.random(len(t)), 0, 1))
    rung = filled(chunk).rung("x", is_baseline=False)
    assert rung.low == pytest.approx(np.quantile(chunk.prediction, 0.1), abs=0.005)
    assert rung.high == pytest.approx(np.quantile(chunk.prediction, 0.9), abs=0.005)
    assert rung.mae == pytest.approx(np.mean(np.abs(chunk.prediction - chunk.target)), abs=1e-12)


def test_ten_frames_give_one_to_each_tenth() -> None:
    view = filled(video("v", [10], offset(0.05))).position_errors("x")
    assert view.count.tolist() == [1] * 10
    assert view.bias == pytest.approx([0.05] * 10)


def test_density_by_hand() -> None:
    # Two frames: targets .5 and 1, predictions .25 and 2. Cells of .02: target .5 is
    # (.48, .50], the 25th; .25 is (.24, .26], the 13th; 2 is beyond and goes to the last.
    counts = filled(video("v", [2], lambda t: np.array([0.25, 2.0]))).density("x").counts
    assert counts.shape == (50, 50)
    assert counts[24, 12] == counts[49, 49] == 1
    assert counts.sum() == 2


def test_frames_without_a_finite_prediction_are_counted_and_left_out() -> None:
    sums = filled(video("v", [4], lambda t: np.array([np.nan, t[1] + 0.1, np.inf, t[3] + 0.3])))
    assert (sums.undefined, sums.frames) == (2, 2)
    assert sums.mae == pytest.approx(0.2)
    assert sums.outside == 1  # the last frame, 1.3


def test_nothing_gives_nan_not_a_warning() -> None:
    sums = filled(video("v", [3], lambda t: t * np.nan))
    assert np.isnan(sums.mae)
    assert np.isnan(sums.rung("x", is_baseline=False).low)
    assert np.isnan(sums.position_errors("x").middle).all()


def test_coverage_and_pit_by_hand() -> None:
    chunk = video("v", [10], offset(0.0))
    chunk = replace(
        chunk,
        lower=chunk.target - np.where(chunk.elapsed <= 5, 0.1, -0.01),
        upper=chunk.target + 0.1,
        pit=np.full(10, 0.52),
    )
    view = filled(chunk).calibration("x")
    assert view is not None
    assert view.coverage is not None
    assert view.coverage.tolist() == [1.0] * 5 + [0.0] * 5
    assert view.overall == 0.5
    assert view.pit is not None
    assert view.pit[10] == view.pit.sum() == 10  # (.50, .55] is the eleventh of twenty
    assert filled(video("v", [10], offset(0.0))).calibration("x") is None


@pytest.mark.parametrize("factor", [100.0, -1000.0])
def test_ranges_are_true_far_outside_progress(factor: float) -> None:
    rng = np.random.default_rng(1)
    chunk = video("v", [300, 200], lambda t: factor * (t + 0.1 * rng.random(len(t))))
    sums = filled(chunk)
    rung = sums.rung("x", is_baseline=False)
    assert rung.low == pytest.approx(np.quantile(chunk.prediction, 0.1), rel=0.02)
    assert rung.high == pytest.approx(np.quantile(chunk.prediction, 0.9), rel=0.02)
    middle = sums.position_errors("x").middle
    last = chunk.prediction[chunk.elapsed * 10 > 9 * chunk.duration]
    assert middle[9] == pytest.approx(np.median(last), rel=0.02)


def test_many_chunks_are_merged_on_the_way() -> None:
    chunks = [random_video(seed) for seed in range(150)]
    one, whole = filled(*chunks), filled(Predictions.concat(chunks))
    assert len(one._levels) < 100
    assert np.array_equal(one.density("x").counts, whole.density("x").counts)
    assert one.rung("x", is_baseline=False).low == whole.rung("x", is_baseline=False).low
