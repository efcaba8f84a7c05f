"""Confidence intervals by resampling videos, the unit that is independent; frames are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVEL", "block_size", "percentile_interval", "resample_weights"]

LEVEL = 0.95
"""Confidence of all intervals."""

_CELLS = 1_000_000


def resample_weights(
    videos: int, resamples: int, seed: int, *, width: int = 0
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each video is drawn, in blocks of resamples.

    The same arguments yield the same draws, so that two sources can be compared on them.

    Args:
        videos: Videos to draw from, with replacement, as many.
        resamples: Number of resamples.
        seed: Of the draws.
        width: Longest array that is made for each resample, for the size of the blocks.

    Yields:
        float64 `(b, videos)`, whole numbers whose rows sum to `videos`.

    Source: Efron 1979; resampling whole clusters, Davison and Hinkley 1997, section 3.8.
    """
    if videos == 0:
        return
    generator = np.random.default_rng(seed)
    step = block_size(max(videos, width))
    for start in range(0, resamples, step):
        block = min(step, resamples - start)
        drawn = generator.integers(videos, size=(block, videos))
        drawn += np.arange(block)[:, None] * videos
        counts = np.bincount(drawn.ravel(), minlength=block * videos)
        yield counts.reshape(block, videos).astype(np.float64)


def block_size(width: int) -> int:
    """Return how many resamples to compute at once, each with arrays of up to `width`."""
    return max(1, _CELLS // max(1, width))


def percentile_interval(
    values: NDArray[np.float64], level: float = LEVEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the central interval of resampled values.

    Args:
        values: One column per metric, `(resamples, k)`; undefined ones are NaN and left out.
        level: Share of the resamples that the interval holds.

    Returns:
        Lower and upper ends, float64 `(k,)`; NaN where every resample is undefined.
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    ends = np.full((2, values.shape[1]), np.nan)
    defined = ~np.isnan(values)
    whole = defined.all(axis=0) & (len(values) > 0)
    if whole.any():
        ends[:, whole] = np.quantile(values[:, whole], tails, axis=0)
    for column in np.flatnonzero(~whole & defined.any(axis=0)):
        ends[:, column] = np.quantile(values[defined[:, column], column], tails)
    return ends[0], ends[1]
