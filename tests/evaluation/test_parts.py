"""Bins, groups, calibration and intervals."""

import dataclasses

import numpy as np
import pytest

from progfix.evaluation import METRICS, Breakdown, Evaluation, Evaluator
from progfix.predictions import Predictions, segment_predictions
from tests.made_predictions import made_predictions


def _evaluate(*chunks: Predictions, bootstrap: int = 0) -> Evaluation:
    evaluator = Evaluator()
    for chunk in chunks:
        evaluator.update(chunk)
    return evaluator.compute(bootstrap=bootstrap)


def test_positions_by_hand() -> None:
    # Ten frames in ten bins: one each. The prediction is .5 throughout, targets .1 .. 1.
    evaluator = Evaluator()
    evaluator.add([0.5] * 10, video="x")
    result = evaluator.compute()
    assert [part.count for part in result.positions] == [1] * 10
    assert [part.bias.value for part in result.positions] == pytest.approx(
        [0.4, 0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3, -0.4, -0.5]
    )
    # All predictions lie in the value bin (.4, .5], MAE (.4+.3+.2+.1+0+.1+.2+.3+.4+.5)/10.
    assert [part.count for part in result.values] == [0, 0, 0, 0, 10, 0, 0, 0, 0, 0]
    assert result.values[4].mae.value == pytest.approx(0.25)
    assert np.isnan(result.values[0].mae.value)


@pytest.mark.parametrize("kind", ["task", "action", "duration"])
def test_groups_are_evaluations_of_their_segments(kind: Breakdown) -> None:
    table = made_predictions(5, max_duration=70, videos=9)
    whole = Evaluator()
    whole.update(table)
    groups = whole.compute(by=(kind,)).groups[kind]
    if kind == "duration":
        edges = {"1-5": (1, 5), "6-20": (6, 20), "21-50": (21, 50), "over 50": (51, 10**9)}
        rows = {
            name: (table.duration >= low) & (table.duration <= high)
            for name, (low, high) in edges.items()
        }
    else:
        column = np.array(getattr(table, kind).decode())
        rows = {name: column == name for name in sorted(set(column))}
    rows = {name: chosen for name, chosen in rows.items() if chosen.any()}
    assert list(groups) == list(rows)
    for name, chosen in rows.items():
        expected = _evaluate(table.take(chosen))
        for metric in ("mae", "rmse", "bias", "mae_video", "spearman", "kendall", "spread"):
            found = groups[name][metric]
            assert found.value == pytest.approx(expected[metric].value, abs=1e-12, nan_ok=True)
            assert found.count == expected[metric].count


def test_edges_of_the_duration_buckets() -> None:
    evaluator = Evaluator()
    for duration in (1, 5, 6, 20, 21, 50, 51, 400):
        evaluator.add(np.zeros(duration), video="x")
    groups = evaluator.compute(by=("duration",)).groups["duration"]
    frames = {name: metrics["mae"].count for name, metrics in groups.items()}
    assert frames == {"1-5": 6, "6-20": 26, "21-50": 71, "over 50": 451}


def test_calibration_by_hand() -> None:
    frames = segment_predictions([0.5, 0.5, 0.9, 1.0], video="v")
    table = dataclasses.replace(
        frames,
        lower=np.array([0.3, 0.5, 0.8, 0.9]),
        upper=np.array([0.6, 0.6, 1.0, 0.95]),
        crps=np.array([0.1, 0.2, 0.3, 0.4]),
        pit=np.array([0.05, 0.1, 0.55, 1.0]),
    )
    result = _evaluate(table)
    # Targets .25 (outside), .5 (on the edge: inside), .75 (outside), 1 (outside).
    assert result["coverage"].value == pytest.approx(0.25)
    assert result["interval_width"].value == pytest.approx((0.3 + 0.1 + 0.2 + 0.05) / 4)
    assert result["crps"].value == pytest.approx(0.25)
    # Ranks .05, .1, .55 and 1: one in the middle half, three in the middle 95 %.
    assert (result["coverage_50"].value, result["coverage_95"].value) == (0.25, 0.75)
    assert result["coverage_50"].count == 4
    assert result.pit == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_chunks_with_and_without_intervals_are_both_counted() -> None:
    plain = segment_predictions([0.5, 0.9], video="plain")
    bounded = dataclasses.replace(
        segment_predictions([0.5, 0.9], video="bounded"),
        lower=np.array([0.4, 0.5]),
        upper=np.array([0.6, 0.9]),
    )
    result = _evaluate(plain, bounded)
    assert result["mae"].count == 4
    coverage = result["coverage"]
    assert (coverage.value, coverage.count, coverage.undefined) == (0.5, 2, 2)


def test_without_intervals_calibration_is_undefined() -> None:
    result = _evaluate(made_predictions())
    assert np.isnan(result["coverage"].value)
    assert (result["coverage"].count, result["coverage"].undefined) == (0, len(made_predictions()))
    assert result.pit is None


def test_intervals_hold_the_value_and_need_two_videos() -> None:
    result = _evaluate(made_predictions(1, videos=20), bootstrap=200)
    for name, value in result.metrics.items():
        if not np.isnan(value.value) and METRICS[name].unit != "falls":
            assert value.low <= value.value <= value.high, name
    single = _evaluate(made_predictions(1, videos=1), bootstrap=200)
    assert np.isnan(single["mae"].low)
    assert np.isnan(single["skill_frame_counting"].value)


def test_intervals_resample_videos() -> None:
    # Two videos with MAE 0 and .4, as many frames each: resamples give 0, .2 and .4.
    evaluator = Evaluator()
    evaluator.add([0.5, 1.0], video="x")
    evaluator.add([0.1, 0.6], video="y")
    result = evaluator.compute(bootstrap=500)
    assert result["mae"].value == pytest.approx(0.2)
    assert [result["mae"].low, result["mae"].high] == pytest.approx([0, 0.4])
