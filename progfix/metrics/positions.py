"""Errors by position in the action, and by the value predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["binned_sums", "position_bins", "value_bins"]


def position_bins(
    elapsed: NDArray[np.int64], duration: NDArray[np.int64], bins: int
) -> NDArray[np.int64]:
    """Return the bin of each frame: bin k holds targets in (k / bins, (k + 1) / bins].

    Computed in integers, since floating arithmetic misplaces frames that lie on an edge
    (10 frames in 10 bins must give one each).

    Args:
        elapsed: 1-based, `(n,)`.
        duration: At least `elapsed`, `(n,)`.
        bins: Number of bins.
    """
    return (elapsed * bins - 1) // duration


def value_bins(prediction: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Return the bin of each prediction in (k / bins, (k + 1) / bins]; outside, the nearest."""
    index: NDArray[np.float64] = np.ceil(np.clip(prediction, 0, 1) * bins) - 1
    return np.maximum(index, 0).astype(np.int64)


def binned_sums(
    bin_index: NDArray[np.int64],
    group: NDArray[np.int64],
    values: tuple[NDArray[np.float64], ...],
    *,
    groups: int,
    bins: int,
) -> NDArray[np.float64]:
    """Return the counts and sums of values by group and bin.

    Args:
        bin_index: Of each row, `(n,)`.
        group: Of each row, such as its video, `(n,)`.
        values: Columns to sum, each `(n,)`.
        groups: Number of groups.
        bins: Number of bins.

    Returns:
        float64 `(groups, bins, 1 + len(values))`, the count first.
    """
    cell = group * bins + bin_index
    size = groups * bins
    columns = [np.bincount(cell, minlength=size).astype(np.float64)]
    columns += [np.bincount(cell, v, minlength=size).astype(np.float64) for v in values]
    return np.stack(columns, axis=-1).reshape(groups, bins, len(columns))
