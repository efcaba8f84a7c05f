import math

import numpy as np
import pytest
from scipy.optimize import minimize

from progfix.diagnosis.repairs import JointHistogram, RepairSums
from tests.diagnosis.planted import frames, planted
from tests.diagnosis.test_curves import halves, segments_of, table


def test_repairs_of_a_hand_case() -> None:
    # Ten frames, targets .1 to 1, all answers 1.2: errors 1.1, 1.0, .9, ... .2, mean .65.
    # Clipped to 1 they are .9, .8, ... 0, mean .45. Without the first: (6.5 - 1.1) / 10.
    # Without the last: (6.5 - .2) / 10. A flat line is monotone as it is.
    made = frames(np.array([10]))
    sums = RepairSums()
    sums.update(made.with_prediction(np.full(10, 1.2)))
    repaired = sums.mae()
    assert sums.as_is / sums.frames == pytest.approx(0.65)
    assert repaired["clip"] == pytest.approx(0.45)
    assert repaired["early_repaired"] == pytest.approx(0.54)
    assert repaired["late_repaired"] == pytest.approx(0.63)
    assert repaired["monotone_envelope"] == pytest.approx(0.65)
    # The best map of a constant is the median of the targets, whose MAE is .25.
    assert repaired["affine"] == pytest.approx(0.25, abs=1e-3)


def test_monotone_repair_equals_the_middle_of_the_envelopes() -> None:
    predictions = table([4, 7, 31, 12, 3, 9, 15, 20, 1, 5, 6, 44], seed=5)
    sums = RepairSums()
    for part in halves(predictions):
        sums.update(part)
    total = 0.0
    for segment in segments_of(predictions):
        p = segment.prediction
        for i in range(len(p)):
            total += abs((p[: i + 1].max() + p[i:].min()) / 2 - segment.target[i])
    assert sums.mae()["monotone_envelope"] == pytest.approx(total / len(predictions))


@pytest.mark.parametrize("disease", ["flat-middle", "noisy", "plateau", "constant", "random"])
@pytest.mark.parametrize("mix", ["short", "wide"])
def test_affine_repair_is_the_best_line(disease: str, mix: str) -> None:
    predictions = planted(disease, mix, 1)
    p, u = predictions.prediction, predictions.target
    slope, level = np.polyfit(p, u, 1)

    def mae(line: np.ndarray) -> float:
        return float(np.abs(np.clip(line[0] + line[1] * p, 0, 1) - u).mean())

    best = min(
        minimize(mae, start, method="Nelder-Mead").fun
        for start in ([level, slope], [0.0, 1.0], [np.median(u), 0.0])
    )
    joint = JointHistogram()
    for part in halves(predictions):
        joint.update(part.prediction, part.target)
    assert joint.affine_mae() == pytest.approx(best, abs=3e-3)


def test_affine_repair_is_not_led_by_the_few() -> None:
    # Four in five answers are right, the others 0. The line p = u errs by u on these alone:
    # .2 x .5. Least squares would turn away from the right ones.
    target = np.tile(np.arange(1, 101) / 100, 5)
    prediction = np.where(np.arange(500) < 400, target, 0.0)
    joint = JointHistogram()
    joint.update(prediction, target)
    assert joint.affine_mae() == pytest.approx(0.2 * target.mean(), abs=2e-3)


def test_joint_histogram_counts_every_frame_also_out_of_range() -> None:
    joint = JointHistogram()
    joint.update(np.array([-5.0, 0.0, 1.0, 2.0, 99.0]), np.array([1e-6, 0.5, 1.0, 1.0, 1.0]))
    assert joint.count.sum() == 5
    assert joint.prediction.sum() == pytest.approx(-1 + 0 + 1 + 2 + 2)


def test_nothing_seen() -> None:
    assert RepairSums().mae() == {}
    assert math.isnan(JointHistogram().affine_mae())


@pytest.mark.parametrize("disease", ["flat-middle", "noisy", "plateau", "random"])
def test_isotonic_repair_is_the_best_rising_map(disease: str) -> None:
    # Oracle: dynamic programming over 40 cells of predictions and 64 levels of the answer.
    predictions = planted(disease, "medium", 1)
    cells = np.minimum((np.clip(predictions.prediction, 0, 1) * 40).astype(int), 39)
    snapped = (cells + 0.5) / 40
    levels = (np.arange(64) + 0.5) / 64
    best = np.zeros(64)
    for cell in range(40):
        target = predictions.target[cells == cell]
        cost = np.abs(target[:, None] - levels).sum(axis=0)
        best = np.minimum.accumulate(best) + cost
    joint = JointHistogram()
    joint.update(snapped, predictions.target)
    assert joint.isotonic_mae() == pytest.approx(best.min() / len(predictions), abs=4e-3)
    assert math.isnan(JointHistogram().isotonic_mae())


@pytest.mark.parametrize("disease", ["noisy", "constant", "counter", "random"])
def test_exact_duration_is_the_best_factor_of_each_segment(disease: str) -> None:
    predictions = planted(disease, "short", 2, segments=12)
    sums = RepairSums()
    for part in halves(predictions):
        sums.update(part)
    total = 0.0
    for segment in segments_of(predictions):
        p, u = segment.prediction, segment.target
        # The best factor makes one frame exactly right.
        total += min(np.abs(u[i] / p[i] * p - u).sum() for i in range(len(p)) if p[i] > 0)
    assert sums.mae()["exact_duration"] == pytest.approx(total / len(predictions))
    assert sums.mae()["exact_duration"] <= sums.as_is / sums.frames + 1e-12
