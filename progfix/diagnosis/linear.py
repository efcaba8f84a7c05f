"""Two predictors that need no training to speak of: ridge regression, nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "PENALTIES", "neighbours", "ridge"]

Array = NDArray[np.float64]

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Penalties that are tried, in multiples of the number of rows (columns have unit variance)."""

NEIGHBOURS = 20
DIRECTIONS = 16
"""Principal directions in which neighbours are looked for."""

_CELLS = 4_000_000


def ridge(fitted: Array, wanted: Array, tested: Array) -> Array:
    """Fit ridge regression on some rows and predict others.

    Each column of `wanted` has the penalty that is best on the last fifth of the rows when
    fitted on the others; rows of one video should be contiguous.

    Args:
        fitted: `(n, d)`.
        wanted: `(n, k)`.
        tested: `(m, d)`.

    Returns:
        `(m, k)`.
    """
    mean, deviation = _scale(fitted)
    x = (fitted - mean) / deviation
    cut = max(1, len(x) * 4 // 5)
    held = np.stack([_solve(x[:cut], wanted[:cut], x[cut:], p) for p in PENALTIES])
    best = ((held - wanted[cut:]) ** 2).sum(axis=1).argmin(axis=0)
    answers = np.stack([_solve(x, wanted, (tested - mean) / deviation, p) for p in PENALTIES])
    picked: Array = np.take_along_axis(answers, best[None, None, :], axis=0)[0]
    return picked


def _scale(rows: Array) -> tuple[Array, Array]:
    deviation = rows.std(axis=0)
    return rows.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0)


def _solve(x: Array, y: Array, tested: Array, penalty: float) -> Array:
    level = y.mean(axis=0)
    square = x.T @ x + penalty * len(x) * np.eye(x.shape[1])
    result: Array = tested @ np.linalg.solve(square, x.T @ (y - level)) + level
    return result


def neighbours(fitted: Array, wanted: Array, tested: Array) -> Array:
    """Predict the mean over the nearest rows, as `ridge`.

    Columns are standardised, then the `DIRECTIONS` of largest variance are kept.
    """
    mean, deviation = _scale(fitted)
    x, z = (fitted - mean) / deviation, (tested - mean) / deviation
    _, vectors = np.linalg.eigh(x.T @ x)
    kept = vectors[:, -DIRECTIONS:]
    x, z = x @ kept, z @ kept
    number = min(NEIGHBOURS, len(x))
    lengths = (x * x).sum(axis=1)
    result = np.empty((len(z), wanted.shape[1]))
    step = max(1, _CELLS // len(x))
    for first in range(0, len(z), step):
        some = z[first : first + step]
        distance = lengths - 2 * some @ x.T
        near = np.argpartition(distance, number - 1, axis=1)[:, :number]
        result[first : first + step] = wanted[near].mean(axis=1)
    return result
