"""How far predictions spread: moments that merge without cancellation, and medians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.segments import ratio, segment_lengths, segment_sums

__all__ = ["moments", "pooled_std", "weighted_median"]


def moments(
    values: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the sum of squared deviations of each segment, float64 `(s,)`."""
    lengths = segment_lengths(starts, len(values))
    mean = segment_sums(values, starts) / lengths
    deviation = values - np.repeat(mean, lengths)
    return mean, segment_sums(deviation * deviation, starts)


def pooled_std(
    count: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviations: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the standard deviation over the frames of weighted groups of frames.

    Args:
        count: Frames of each group, such as a video, `(g,)`.
        mean: Mean of each group, `(g,)`.
        deviations: Sum of squared deviations from it, `(g,)`.
        weights: How often each group counts, one row per resample, `(b, g)`.

    Returns:
        float64 `(b,)`, dividing by the frames; NaN without any.
    """
    # Means are taken about their overall mean, so that collapsed predictions do not cancel.
    centred = mean - np.sum(count * mean) / max(1.0, float(np.sum(count)))
    frames = weights @ count
    first = ratio(weights @ (count * centred), frames)
    second = ratio(weights @ (deviations + count * centred**2), frames)
    return np.sqrt(np.maximum(second - first**2, 0.0))


def weighted_median(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the median of values that are repeated a whole number of times.

    Args:
        values: `(s,)`; NaN is left out.
        weights: Repetitions, one row per resample, `(b, s)`.

    Returns:
        float64 `(b,)`, the mean of the middle two where their number is even; NaN without any.
    """
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    if len(order) == 0:
        return np.full(len(weights), np.nan)
    # The running sum goes on from one resample to the next, so that it rises throughout and
    # one binary search finds the middle of every resample.
    running = np.cumsum(weights[:, order])
    ends = running[len(order) - 1 :: len(order)]
    before = np.append(0.0, ends[:-1])
    total = ends - before
    middle = np.zeros(len(weights))
    for rank in ((total - 1) // 2, total // 2):
        place = np.searchsorted(running, before + rank, side="right")
        middle += values[order][place % len(order)]
    return np.where(total > 0, middle / 2, np.nan)
