"""Repair oracles: what the error would be if one thing about the predictions were mended.

Each oracle cheats in one respect only, so that the fall of the MAE says what that respect
costs. Source of the idea: TIDE (Bolya et al., ECCV 2020), which defines an error by what
fixing it would buy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.diagnosis.curves import (
    early_rows,
    late_rows,
    lower_envelope,
    segments_of_rows,
    upper_envelope,
)
from progfix.predictions import Predictions

__all__ = ["JointHistogram", "RepairSums"]

_LOW, _HIGH, _STEPS = -1.0, 2.0, 512
_TARGETS = 64
_REWEIGHTINGS = 30


@dataclass
class JointHistogram:
    """Predictions against targets on a fixed grid, with the exact means within each cell.

    Predictions are clipped to [-1, 2] and counted in steps of 1/512, targets in 64ths.
    """

    count: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros(int((_HIGH - _LOW) * _STEPS) * _TARGETS)
    )
    prediction: NDArray[np.float64] = field(init=False)
    target: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.prediction = np.zeros_like(self.count)
        self.target = np.zeros_like(self.count)

    def update(self, prediction: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Add frames, `(n,)` each, targets in (0, 1]."""
        inside = np.clip(prediction, _LOW, _HIGH)
        row = np.minimum((inside - _LOW) * _STEPS, (_HIGH - _LOW) * _STEPS - 1).astype(np.int64)
        column = np.clip(np.ceil(target * _TARGETS).astype(np.int64) - 1, 0, _TARGETS - 1)
        cell = row * _TARGETS + column
        self.count += np.bincount(cell, minlength=len(self.count))
        self.prediction += np.bincount(cell, inside, minlength=len(self.count))
        self.target += np.bincount(cell, target, minlength=len(self.count))

    def affine_mae(self) -> float:
        """Return the MAE after the best map a + b x prediction, clipped to [0, 1].

        The map minimises the mean absolute error (iteratively reweighted least squares);
        NaN without frames.
        """
        used = self.count > 0
        n = self.count[used]
        if len(n) == 0:
            return math.nan
        p, u = self.prediction[used] / n, self.target[used] / n
        weight = n
        best = math.inf
        for _ in range(_REWEIGHTINGS):
            line = _weighted_line(p, u, weight)
            error = np.abs(np.clip(line, 0.0, 1.0) - u)
            best = min(best, float((n * error).sum() / n.sum()))
            weight = n / np.maximum(np.abs(line - u), 1e-3)
        return best

    def isotonic_mae(self) -> float:
        """Return the MAE after the best rising map, up to the grid; NaN without frames.

        The map that minimises the mean absolute error has, for each level of the targets,
        one cut: predictions above it are mapped above the level. So every level is a count
        of frames on the wrong side, least over all cuts (Stout, Algorithmica 2013).
        """
        count = self.count.reshape(-1, _TARGETS)
        total = count.sum()
        if total == 0:
            return math.nan
        below = count.cumsum(axis=1)[:, :-1]
        above = count.sum(axis=1, keepdims=True) - below
        wrong = np.zeros((len(count) + 1, _TARGETS - 1))
        wrong[1:] = above.cumsum(axis=0)
        wrong[:-1] += below[::-1].cumsum(axis=0)[::-1]
        cut = wrong.argmin(axis=0)
        level = (cut[None, :] <= np.arange(len(count))[:, None]).sum(axis=1)
        answer = np.repeat((level + 0.5) / _TARGETS, _TARGETS)
        used = self.count > 0
        mean = self.target[used] / self.count[used]
        return float((self.count[used] * np.abs(answer[used] - mean)).sum() / total)


def _weighted_line(
    p: NDArray[np.float64], u: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = weight.sum()
    p_mean, u_mean = (weight * p).sum() / total, (weight * u).sum() / total
    square = (weight * (p - p_mean) ** 2).sum()
    slope = (weight * (p - p_mean) * (u - u_mean)).sum() / square if square > 1e-12 else 0.0
    line: NDArray[np.float64] = u_mean + slope * (p - p_mean)
    return line


@dataclass
class RepairSums:
    """Sums of absolute errors after each repair.

    Attributes:
        frames: Frames seen.
        as_is: Sum of absolute errors without any repair.
        clipped: After clipping to [0, 1].
        early: With the first tenth of every segment right.
        late: With the last tenth of every segment right.
        monotone: With each segment's curve replaced by the middle between the highest
            prediction so far and the lowest still to come, the monotone curve whose largest
            deviation from the predictions is smallest.
        scaled: With each segment's curve stretched by the one factor that suits it best, as
            if only its duration had been misjudged.
        joint: For the best affine and the best rising map.
    """

    frames: int = 0
    as_is: float = 0.0
    clipped: float = 0.0
    early: float = 0.0
    late: float = 0.0
    monotone: float = 0.0
    scaled: float = 0.0
    joint: JointHistogram = field(default_factory=JointHistogram)

    def update(self, chunk: Predictions) -> None:
        """Add a chunk of whole videos with finite predictions."""
        p, u = chunk.prediction, chunk.target
        error = np.abs(p - u)
        self.frames += len(chunk)
        self.as_is += float(error.sum())
        self.clipped += float(np.abs(np.clip(p, 0.0, 1.0) - u).sum())
        self.early += float(error[~early_rows(chunk)].sum())
        self.late += float(error[~late_rows(chunk)].sum())
        segment = segments_of_rows(chunk)
        middle = (upper_envelope(p, segment) + lower_envelope(p, segment)) / 2.0
        self.monotone += float(np.abs(middle - u).sum())
        self.scaled += float(np.abs(p * _best_factors(p, u, segment)[segment] - u).sum())
        self.joint.update(p, u)

    def mae(self) -> dict[str, float]:
        """Return the MAE after each repair, by its name in reports; empty without frames."""
        if self.frames == 0:
            return {}
        affine = min(self.joint.affine_mae(), self.clipped / self.frames)
        return {
            "clip": self.clipped / self.frames,
            "affine": affine,
            "isotonic": min(self.joint.isotonic_mae(), affine),
            "exact_duration": self.scaled / self.frames,
            "monotone_envelope": self.monotone / self.frames,
            "early_repaired": self.early / self.frames,
            "late_repaired": self.late / self.frames,
        }


def _best_factors(
    p: NDArray[np.float64], u: NDArray[np.float64], segment: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the factor of each segment that minimises its mean of |factor x p - u|.

    It is the median of u / p, each weighted by p, which must not be negative; 1 where no
    answer is above 0.
    """
    weight = np.maximum(p, 0.0)
    ratio = np.divide(u, weight, out=np.zeros_like(u), where=weight > 0)
    order = np.lexsort((ratio, segment))
    through = weight[order].cumsum()
    total = np.bincount(segment, weight)
    before = np.concatenate([[0.0], total.cumsum()[:-1]])
    place = np.searchsorted(through, before + total / 2)
    return np.where(total > 0, ratio[order][np.minimum(place, len(order) - 1)], 1.0)
