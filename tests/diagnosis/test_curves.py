import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.diagnosis.clock import ClockSums
from progfix.diagnosis.curves import (
    CurveSums,
    LateSlope,
    early_rows,
    late_rows,
    lower_envelope,
    segments_of_rows,
    upper_envelope,
)
from progfix.frame_counting import frame_counting
from progfix.predictions import Predictions
from tests.diagnosis.planted import frames, planted


def table(durations: list[int], seed: int = 0) -> Predictions:
    made = frames(np.array(durations))
    return made.with_prediction(np.random.default_rng(seed).uniform(-0.2, 1.2, len(made)))


def halves(predictions: Predictions) -> tuple[Predictions, Predictions]:
    """The table cut between two videos."""
    cut = int(predictions.video_starts()[len(predictions.video_starts()) // 2])
    return predictions.take(slice(0, cut)), predictions.take(slice(cut, None))


def segments_of(predictions: Predictions) -> list[Predictions]:
    bounds = [*predictions.segment_starts(), len(predictions)]
    return [predictions.take(slice(int(a), int(b))) for a, b in pairwise(bounds)]


def test_early_and_late_rows_hold_a_tenth_and_at_least_one_frame() -> None:
    # ceil(L / 10): 1 of 1, 1 of 10, 2 of 11, 3 of 25.
    for duration, expected in ((1, 1), (10, 1), (11, 2), (25, 3)):
        one = frames(np.array([duration]))
        early, late = early_rows(one), late_rows(one)
        assert early.sum() == late.sum() == expected
        assert early[0]
        assert late[-1]


def test_envelopes_of_a_hand_case() -> None:
    # .1 .5 .3 | .2 .1: highest so far .1 .5 .5 | .2 .2, lowest to come .1 .3 .3 | .1 .1.
    prediction = np.array([0.1, 0.5, 0.3, 0.2, 0.1])
    segment = np.array([0, 0, 0, 1, 1])
    np.testing.assert_allclose(upper_envelope(prediction, segment), [0.1, 0.5, 0.5, 0.2, 0.2])
    np.testing.assert_allclose(lower_envelope(prediction, segment), [0.1, 0.3, 0.3, 0.1, 0.1])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_envelopes_equal_a_scan_of_each_segment(durations: list[int], seed: int) -> None:
    predictions = table(durations, seed)
    expected = np.concatenate(
        [np.maximum.accumulate(s.prediction) for s in segments_of(predictions)]
    )
    lowest = np.concatenate(
        [np.minimum.accumulate(s.prediction[::-1])[::-1] for s in segments_of(predictions)]
    )
    index = segments_of_rows(predictions)
    np.testing.assert_allclose(upper_envelope(predictions.prediction, index), expected, atol=1e-12)
    np.testing.assert_allclose(lower_envelope(predictions.prediction, index), lowest, atol=1e-12)


def test_clock_sums_equal_a_regression_with_one_level_per_elapsed() -> None:
    predictions = table([4, 7, 7, 12, 3, 9, 15, 20, 20, 5, 6])
    sums = ClockSums()
    for part in halves(predictions):
        sums.update(part)
    p, u, t = predictions.prediction, predictions.target, predictions.elapsed
    levels = (t[:, None] == np.unique(t)[None, :]).astype(float)
    # Oracle: least squares of p on u and on one indicator per elapsed.
    solution, *_ = np.linalg.lstsq(np.column_stack([u, levels]), p, rcond=None)
    assert sums.response() == pytest.approx(solution[0])
    for values, found in ((p, sums.explained()), (u, sums.target_explained())):
        level, *_ = np.linalg.lstsq(levels, values, rcond=None)
        residual = values - levels @ level
        assert found == pytest.approx(1 - residual @ residual / (len(p) * values.var()))


def test_clock_sums_tell_a_counter_from_an_oracle() -> None:
    counter, oracle = ClockSums(), ClockSums()
    counter.update(planted("counter", "wide", 0))
    oracle.update(planted("oracle", "wide", 0))
    assert counter.response() == pytest.approx(0, abs=1e-9)
    assert counter.explained() == pytest.approx(1)
    assert oracle.response() == pytest.approx(1)
    assert oracle.explained() == pytest.approx(oracle.target_explained())


def test_clock_sums_are_undefined_where_nothing_can_differ() -> None:
    sums = ClockSums()
    assert math.isnan(sums.explained())
    constant = frames(np.array([6, 6, 6]))
    sums.update(constant.with_prediction(np.full(len(constant), 0.5)))
    assert math.isnan(sums.response())
    assert math.isnan(sums.explained())


def test_late_slope_of_a_hand_case() -> None:
    # Last fifth of 10 frames: targets .9, 1; of 5 frames: two frames at least, .8, 1.
    # Predictions rise by .05 and .2: slope (.05 x .1 + .2 x .2) / (.1^2 + .2^2) = .9.
    one = frames(np.array([10, 5]))
    prediction = np.zeros(15)
    prediction[8:10] = 0.7, 0.75
    prediction[13:15] = 0.2, 0.4
    slope = LateSlope()
    slope.update(one.with_prediction(prediction))
    assert slope.value() == pytest.approx(0.9)
    assert math.isnan(LateSlope().value())


def test_counting_late_slope_is_that_of_the_counter_on_the_same_durations() -> None:
    durations = np.random.default_rng(3).integers(1, 80, 200)
    made = frames(durations)
    sums, counter = CurveSums(), LateSlope()
    sums.update(made)
    counter.update(made.with_prediction(frame_counting(durations)(made.elapsed)))
    assert sums.counting_late_slope() == pytest.approx(counter.value())


def test_curve_sums_equal_loops_over_segments() -> None:
    predictions = table([4, 7, 31, 12, 3, 9, 15, 20, 1, 5, 6, 44])
    sums = CurveSums()
    for part in halves(predictions):
        sums.update(part)
    fall, early, late = 0.0, [], []
    for segment in segments_of(predictions):
        error = segment.prediction - segment.target
        highest = -math.inf
        for i, value in enumerate(segment.prediction):
            highest = max(highest, value)
            fall += highest - value
            if i < math.ceil(len(segment) / 10):
                early.append(error[i])
            if i >= len(segment) - math.ceil(len(segment) / 10):
                late.append(error[i])
    assert sums.segments == 12
    assert sums.frames == len(predictions)
    assert sums.falls == pytest.approx(fall)
    assert sums.early_bias[0] == pytest.approx(sum(early))
    assert sums.early_bias[1] == len(early)
    assert sums.late_bias[0] == pytest.approx(sum(late))
    assert sums.late_bias[1] == len(late)
    assert sums.durations[44] == 1
    assert sums.durations.sum() == 12


def test_quantiles_of_targets_by_hand() -> None:
    # Two segments of 4 and one of 10 frames: first targets .25 .25 .1. Of the 18 targets
    # .1 .2 .25 .25 .3 .4 .5 .5 .5 .6 .7 .75 .75 .8 .9 1 1 1 half do not exceed the ninth.
    sums = CurveSums()
    assert math.isnan(sums.first_target_median())
    sums.update(frames(np.array([4, 10, 4])))
    assert sums.first_target_median() == 0.25
    assert sums.target_quantile(0.5) == pytest.approx(0.5)
    assert sums.target_quantile(0.05) == pytest.approx(0.1)
    assert sums.target_quantile(0.95) == pytest.approx(1)
    # The first two of ten tenths have the targets .1 and .2.
    assert sums.tenths[:2, 0].tolist() == [1, 1]
