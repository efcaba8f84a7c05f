"""Quantiles of values of which only a histogram is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantiles"]


def quantiles(
    counts: NDArray[np.int64], share: float, *, low: float = 0.0, high: float = 1.0
) -> NDArray[np.float64]:
    """Return a quantile of each row of a histogram over equal cells of [low, high].

    Args:
        counts: Values per cell, one row per distribution, `(n, cells)`.
        share: Which quantile, in (0, 1).
        low: Where the first cell begins.
        high: Where the last cell ends.

    Returns:
        float64 `(n,)`, linear within a cell; NaN for a row without values.
    """
    upto = counts.cumsum(axis=1)
    wanted = share * upto[:, -1]
    cell = (upto >= wanted[:, None]).argmax(axis=1)
    rows = np.arange(len(counts))
    held = counts[rows, cell]
    within = (wanted - (upto[rows, cell] - held)) / np.maximum(held, 1)
    values = low + (high - low) * (cell + within) / counts.shape[1]
    return np.where(upto[:, -1] > 0, values, np.nan)
