"""How far predictions spread: moments that merge without cancellation, and medians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.segments import ratio, segment_lengths, segment_sums

__all__ = ["moments", "pooled_std", "weighted_median"]

_WINDOW = 64
"""Values to either side of the middle that are looked through at least."""


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
    values: NDArray[np.float64], group: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the median of values whose groups are repeated a whole number of times.

    Args:
        values: `(s,)`; NaN is left out.
        group: Index of the group, such as a video, that each value belongs to, `(s,)`.
        weights: Repetitions of each group, one row per resample, `(b, g)`.

    Returns:
        float64 `(b,)`, the mean of the middle two where their number is even; NaN without any.
    """
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    ordered, group = values[order], group[order]
    groups = weights.shape[1]
    total = weights @ np.bincount(group, minlength=groups)
    ranks = np.stack([(total - 1) // 2, total // 2])
    medians = np.full(len(weights), np.nan)
    todo = np.flatnonzero(total > 0)
    half = max(_WINDOW, len(order) // 16)
    # Resampling groups moves the middle by little: only values around it are looked through,
    # and more of them for those resamples whose middle lies further off.
    while len(todo):
        low, high = max(0, len(order) // 2 - half), len(order) // 2 + half
        below = weights[todo] @ np.bincount(group[:low], minlength=groups)
        running = below[:, None] + np.cumsum(weights[np.ix_(todo, group[low:high])], axis=1)
        inside = (below <= ranks[0, todo]) & (running[:, -1] > ranks[1, todo])
        places = [np.sum(running <= rank[todo, None], axis=1)[inside] for rank in ranks]
        medians[todo[inside]] = (ordered[low + places[0]] + ordered[low + places[1]]) / 2
        todo, half = todo[~inside], half * 4
    return medians
