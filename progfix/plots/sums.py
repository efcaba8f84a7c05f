"""What the figures about all frames need: sums and counts that chunks are added to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.levels import LevelCounts, count_levels, level_of, levels_quantile
from progfix.metrics.positions import binned_sums, position_bins, value_bins
from progfix.metrics.segments import ratio
from progfix.plots.views import Calibration, Density, PositionErrors, Rung
from progfix.predictions import Predictions

__all__ = ["NOMINAL", "FrameSums"]

NOMINAL = 0.8
"""Stated coverage of the intervals in a predictions table."""

_PARTS = 10
_CELLS = 50
_PIT_CELLS = 20
_UNMERGED = 64


class FrameSums:
    """Errors by tenth of the action, and how often which target met which prediction.

    Predictions are counted by `progfix.metrics.levels`, so that memory does not depend on
    the number of frames. Frames whose prediction is not finite are counted and otherwise
    left out.

    Attributes:
        undefined: Frames whose prediction is not finite.
        outside: Frames whose prediction is outside [0, 1].
    """

    def __init__(self) -> None:
        self.undefined = 0
        self.outside = 0
        self._errors = np.zeros((_PARTS, 3))
        self._levels: list[LevelCounts] = []
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
        target = position_bins(chunk.elapsed, chunk.duration, _CELLS)
        self._levels.append(count_levels(target, value))
        if len(self._levels) > _UNMERGED:
            self._levels = [self._joint()]
        self._add_intervals(chunk, part)

    def _add_intervals(self, chunk: Predictions, part: NDArray[np.int64]) -> None:
        if chunk.lower is not None and chunk.upper is not None:
            known = np.isfinite(chunk.lower) & np.isfinite(chunk.upper)
            inside = (chunk.lower <= chunk.target) & (chunk.target <= chunk.upper)
            self._inside += _by_part(part[known], inside[known].astype(np.float64))
        if chunk.pit is not None:
            pit = value_bins(chunk.pit[np.isfinite(chunk.pit)], _PIT_CELLS)
            self._pit += np.bincount(pit, minlength=_PIT_CELLS)

    def _joint(self) -> LevelCounts:
        """Return the predictions by fiftieth of the action and level."""
        return LevelCounts.merge(self._levels)

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
        low, middle, high = self._quantiles(_PARTS, 0.1, 0.5, 0.9)
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
        joint = self._joint()
        # The levels in (k / cells, (k + 1) / cells] are of cell k; outside, the nearest.
        per_cell = int(level_of(np.ones(1))[0]) // _CELLS
        cell = np.clip((joint.level - 1) // per_cell, 0, _CELLS - 1)
        counts = np.bincount(joint.group * _CELLS + cell, joint.times, minlength=_CELLS**2)
        (median,) = self._quantiles(_CELLS, 0.5)
        return Density(label, counts.reshape(_CELLS, _CELLS).astype(np.int64), median)

    def quantiles(self, *shares: float) -> list[float]:
        """Return what shares of all predictions, in (0, 1), do not exceed; NaN without any."""
        return [float(values[0]) for values in self._quantiles(1, *shares)]

    def _quantiles(self, parts: int, *shares: float) -> list[NDArray[np.float64]]:
        """Return quantiles of the predictions in each of equal parts of the action."""
        joint = self._joint()
        joint = joint._replace(group=joint.group * parts // _CELLS)
        counts, values = joint.table(parts)
        return [levels_quantile(counts, values, share) for share in shares]

    def rung(self, label: str, *, is_baseline: bool) -> Rung:
        """Return the error and the range of 80 % of the predictions."""
        low, high = self.quantiles(0.1, 0.9)
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


def _by_part(part: NDArray[np.int64], *values: NDArray[np.float64]) -> NDArray[np.float64]:
    group = np.zeros(len(part), dtype=np.int64)
    sums: NDArray[np.float64] = binned_sums(part, group, values, groups=1, bins=_PARTS)[0]
    return sums
