"""What the figures about all frames need: sums and counts that chunks are added to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.positions import binned_sums, position_bins, value_bins
from progfix.metrics.segments import ratio
from progfix.plots.quantiles import quantiles
from progfix.plots.views import Calibration, Density, PositionErrors, Rung
from progfix.predictions import Predictions

__all__ = ["NOMINAL", "FrameSums"]

NOMINAL = 0.8
"""Stated coverage of the intervals in a predictions table."""

_PARTS = 10
_TARGETS = 50
_LOW, _HIGH = -0.5, 1.5
_LEVELS = 400
_CELLS_PER_DENSITY_CELL = 4
_PIT_CELLS = 20


class FrameSums:
    """Errors by tenth of the action, and how often which target met which prediction.

    Predictions are counted in steps of .005 from -.5 to 1.5; quantiles are linear within a
    step, and predictions beyond count as the outermost step. Memory does not depend on the
    number of frames. Frames whose prediction is not finite are counted and otherwise left
    out.

    Attributes:
        undefined: Frames whose prediction is not finite.
        outside: Frames whose prediction is outside [0, 1].
    """

    def __init__(self) -> None:
        self.undefined = 0
        self.outside = 0
        self._errors = np.zeros((_PARTS, 3))
        self._joint = np.zeros((_TARGETS, _LEVELS), dtype=np.int64)
        self._inside = np.zeros((_PARTS, 2))
        self._pit = np.zeros(_PIT_CELLS, dtype=np.int64)

    def add(self, chunk: Predictions) -> None:
        """Add the frames of a chunk."""
        finite = np.isfinite(chunk.prediction)
        if not finite.all():
            self.undefined += int(np.count_nonzero(~finite))
            chunk = chunk.take(finite)
        if len(chunk) == 0:
            return
        value, error = chunk.prediction, chunk.prediction - chunk.target
        self.outside += int(np.count_nonzero((value < 0) | (value > 1)))
        part = position_bins(chunk.elapsed, chunk.duration, _PARTS)
        self._errors += _by_part(part, np.abs(error), error)
        target = position_bins(chunk.elapsed, chunk.duration, _TARGETS)
        cell = target * _LEVELS + value_bins((value - _LOW) / (_HIGH - _LOW), _LEVELS)
        self._joint += np.bincount(cell, minlength=self._joint.size).reshape(self._joint.shape)
        self._add_intervals(chunk, part)

    def _add_intervals(self, chunk: Predictions, part: NDArray[np.int64]) -> None:
        if chunk.lower is not None and chunk.upper is not None:
            known = np.isfinite(chunk.lower) & np.isfinite(chunk.upper)
            inside = (chunk.lower <= chunk.target) & (chunk.target <= chunk.upper)
            self._inside += _by_part(part[known], inside[known].astype(np.float64))
        if chunk.pit is not None:
            pit = value_bins(chunk.pit[np.isfinite(chunk.pit)], _PIT_CELLS)
            self._pit += np.bincount(pit, minlength=_PIT_CELLS)

    @property
    def frames(self) -> int:
        """Frames with a finite prediction."""
        return int(self._errors[:, 0].sum())

    @property
    def mae(self) -> float:
        """Frame-pooled mean absolute error; NaN without frames."""
        total = self._errors.sum(axis=0)
        return float(total[1] / total[0]) if total[0] else float("nan")

    def position_errors(self, label: str) -> PositionErrors:
        """Return error, bias and spread of the predictions by tenth of the action."""
        count, absolute, signed = self._errors.T
        joint = self._joint.reshape(_PARTS, -1, _LEVELS).sum(axis=1)
        low, middle, high = (_quantiles(joint, share) for share in (0.1, 0.5, 0.9))
        return PositionErrors(
            label,
            ratio(absolute, count),
            ratio(signed, count),
            low,
            middle,
            high,
            count.astype(np.int64),
        )

    def density(self, label: str) -> Density:
        """Return the frames by target and prediction."""
        below, inside, above = np.split(self._joint, [_LEVELS // 4, 3 * _LEVELS // 4], axis=1)
        counts = inside.reshape(_TARGETS, -1, _CELLS_PER_DENSITY_CELL).sum(axis=2)
        counts[:, 0] += below.sum(axis=1)
        counts[:, -1] += above.sum(axis=1)
        return Density(label, counts, _quantiles(self._joint, 0.5))

    def rung(self, label: str, *, is_baseline: bool) -> Rung:
        """Return the error and the range of 80 % of the predictions."""
        joint = self._joint.sum(axis=0, keepdims=True)
        low, high = (float(_quantiles(joint, share)[0]) for share in (0.1, 0.9))
        return Rung(label, self.mae, low, high, is_baseline)

    def calibration(self, label: str) -> Calibration | None:
        """Return coverage and PIT; None where the source gives neither."""
        count, inside = self._inside.T
        has_intervals, has_pit = bool(count.any()), bool(self._pit.any())
        if not (has_intervals or has_pit):
            return None
        return Calibration(
            label,
            NOMINAL,
            ratio(inside, count) if has_intervals else None,
            float(inside.sum() / count.sum()) if has_intervals else float("nan"),
            self._pit if has_pit else None,
        )


def _quantiles(joint: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    return quantiles(joint, share, low=_LOW, high=_HIGH)


def _by_part(part: NDArray[np.int64], *values: NDArray[np.float64]) -> NDArray[np.float64]:
    group = np.zeros(len(part), dtype=np.int64)
    sums: NDArray[np.float64] = binned_sums(part, group, values, groups=1, bins=_PARTS)[0]
    return sums
