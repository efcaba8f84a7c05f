"""How often values lie where, on a grid that every finite value has a place on.

Counts on a grid merge exactly, whatever the order of the chunks, and quantiles follow from
them. The grid is even up to 2, far more than progress needs, and grows in proportion beyond,
so that predictions in percent or logits are told as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LevelCounts", "count_levels", "level_of", "level_value", "levels_quantile"]

_PER_UNIT = 200
_EDGE = 2
_EVEN = _EDGE * _PER_UNIT
_GROWTH = float(np.log1p(1 / _EVEN))
_LARGEST = float(np.log(np.finfo(np.float64).max / _EDGE)) - 1e-12
_ROUNDING = 1e-9


def level_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index of the lowest level that is not below each value.

    Levels are the multiples of .005 from -2 to 2; beyond, each is a quarter of a percent
    further from 0 than the one before. Index 0 is the level 0. A value that is a level up to
    rounding is that level.

    Args:
        values: Finite, `(n,)`.
    """
    even = np.ceil(np.clip(values, -_EDGE, _EDGE) * _PER_UNIT - _ROUNDING)
    beyond = np.log(np.maximum(np.abs(values), _EDGE) / _EDGE) / _GROWTH
    steps = np.where(values > 0, np.ceil(beyond - _ROUNDING), -np.floor(beyond + _ROUNDING))
    index: NDArray[np.float64] = even + steps
    return index.astype(np.int64)


def level_value(index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the levels of indices, float64 `(n,)`; the inverse of `level_of`."""
    even = np.clip(index, -_EVEN, _EVEN)
    factor = np.exp(np.minimum(np.abs(index - even) * _GROWTH, _LARGEST))
    values: NDArray[np.float64] = even / _PER_UNIT * factor
    return values


class LevelCounts(NamedTuple):
    """Counts of values by group and level, those that occur; int64 `(r,)` each.

    Attributes:
        group: Such as the index of a video.
        level: As `level_of` gives it.
        times: How many values are there.
    """

    group: NDArray[np.int64]
    level: NDArray[np.int64]
    times: NDArray[np.int64]

    @classmethod
    def merge(cls, parts: Sequence[LevelCounts]) -> LevelCounts:
        """Add counts up, each group and level once, in their order."""
        empty = np.empty(0, dtype=np.int64)
        group, level, times = (
            np.concatenate([empty, *(part[field] for part in parts)]) for field in range(3)
        )
        lowest = int(level.min(initial=0))
        span = int(level.max(initial=0)) - lowest + 1
        key, place = np.unique(group * span + level - lowest, return_inverse=True)
        total = np.bincount(place, times, minlength=len(key)).astype(np.int64)
        return cls(key // span, key % span + lowest, total)

    def take(self, rows: NDArray[np.bool_], group: NDArray[np.int64]) -> LevelCounts:
        """Return some rows, with other names for their groups, `(r,)`."""
        return LevelCounts(group[rows], self.level[rows], self.times[rows])

    def table(self, groups: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the counts of each group at each level that occurs, and the levels' values.

        Args:
            groups: Number of groups.

        Returns:
            float64 `(groups, k)`, and `(k,)` rising.
        """
        levels, column = np.unique(self.level, return_inverse=True)
        cell = self.group * len(levels) + column
        counts = np.bincount(cell, self.times, minlength=groups * len(levels))
        return counts.reshape(groups, len(levels)).astype(np.float64), level_value(levels)


def count_levels(group: NDArray[np.int64], values: NDArray[np.float64]) -> LevelCounts:
    """Count finite values, `(n,)`, by group, `(n,)`."""
    return LevelCounts.merge([LevelCounts(group, level_of(values), np.ones(len(group), np.int64))])


def levels_quantile(
    counts: NDArray[np.float64], values: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return the lowest level that at least a share of the values does not exceed.

    Args:
        counts: Values per level, one row per distribution or resample, `(b, k)`.
        values: The levels, rising, `(k,)`.
        share: In (0, 1).

    Returns:
        float64 `(b,)`, at most .005, or beyond 2 a quarter of a percent, above the quantile
        of the values themselves; NaN without values.
    """
    if len(values) == 0:
        return np.full(len(counts), np.nan)
    running = np.cumsum(counts, axis=1)
    total = running[:, -1]
    reached = running >= (share * total)[:, None] - _ROUNDING
    return np.where(total > 0, values[np.argmax(reached, axis=1)], np.nan)
