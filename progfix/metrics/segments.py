"""Reductions over the segments of a table whose segments are contiguous rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ratio", "row_segments", "segment_lengths", "segment_sums"]


def segment_lengths(starts: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the number of rows of each segment, int64 `(s,)`.

    Args:
        starts: First row of each segment, rising from 0, `(s,)`.
        rows: Rows of the table.
    """
    return np.diff(np.append(starts, rows))


def row_segments(starts: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the index of the segment that each row belongs to, int64 `(rows,)`."""
    return np.repeat(np.arange(len(starts)), segment_lengths(starts, rows))


def segment_sums(
    values: NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_],
    starts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the sum of the values of each segment, float64 `(s,)`.

    Args:
        values: One per row, `(n,)`.
        starts: First row of each segment, `(s,)`; no segment is empty.
    """
    if len(starts) == 0:
        return np.empty(0)
    sums: NDArray[np.float64] = np.add.reduceat(values.astype(np.float64), starts)
    return sums


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numerator / denominator, NaN where the denominator is not positive."""
    result = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result
