"""Does the prediction rise with time within an action? Per segment, all segments at once.

Ties are averaged (Spearman) or left out of the concordant and the discordant pairs (Kendall's
tau-b), so that a constant prediction is undefined instead of perfect, as it is where ranks
come from `argsort`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.segments import ratio, row_segments, segment_lengths, segment_sums

__all__ = ["RankCorrelation", "Steps", "rank_correlation", "steps"]


class RankCorrelation(NamedTuple):
    """Rank correlation of prediction and time, one value per segment, float64 `(s,)`.

    Attributes:
        spearman: Pearson's correlation of average ranks, in [-1, 1].
        kendall: Tau-b, in [-1, 1].
    Both are NaN for one frame and for a constant prediction.
    """

    spearman: NDArray[np.float64]
    kendall: NDArray[np.float64]


class Steps(NamedTuple):
    """Changes from one row of a segment to the next, summed per segment, float64 `(s,)`.

    Attributes:
        pairs: Number of consecutive pairs.
        falls: Pairs in which the prediction falls.
        fallen: Sum of the sizes of the falls, at least 0.
    """

    pairs: NDArray[np.float64]
    falls: NDArray[np.float64]
    fallen: NDArray[np.float64]


def rank_correlation(prediction: NDArray[np.float64], starts: NDArray[np.int64]) -> RankCorrelation:
    """Correlate each segment's predictions with the order of its rows.

    Takes O(n log n) time for n rows, however they are cut into segments.

    Args:
        prediction: Finite, rows of a segment in time's order, `(n,)`.
        starts: First row of each segment, `(s,)`.

    Source: Spearman 1904 ("value-order correlation" in Ma et al., GVL, 2024); Kendall 1945
    (tau-b).
    """
    rows = len(prediction)
    lengths = segment_lengths(starts, rows).astype(np.float64)
    segment = row_segments(starts, rows)
    order = np.lexsort((prediction, segment))
    ordered = prediction[order]
    new = np.ones(rows, dtype=np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]) | (segment[1:] != segment[:-1])
    tie = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    size = segment_lengths(first, rows)

    dense = np.empty(rows, dtype=np.int64)
    dense[order] = tie - tie[starts][segment]
    rank = np.empty(rows, dtype=np.float64)
    rank[order] = (first - starts[segment[first]] + (size + 1) / 2)[tie]

    middle = (lengths + 1) / 2
    time = np.arange(rows) - starts[segment] + 1 - middle[segment]
    rank -= middle[segment]
    spread = segment_sums(rank * rank, starts) * segment_sums(time * time, starts)
    spearman = ratio(segment_sums(rank * time, starts), np.sqrt(spread))

    pairs = lengths * (lengths - 1) / 2
    tied = np.bincount(segment[first], size * (size - 1) / 2, minlength=len(starts))
    untied = pairs - tied
    discordant = _discordant(dense, segment, starts)
    kendall = ratio(untied - 2 * discordant, np.sqrt(untied * pairs))
    return RankCorrelation(np.clip(spearman, -1, 1), np.clip(kendall, -1, 1))


def steps(prediction: NDArray[np.float64], starts: NDArray[np.int64]) -> Steps:
    """Sum up the steps between consecutive rows of each segment.

    Args:
        prediction: `(n,)`.
        starts: First row of each segment, `(s,)`.
    """
    change = np.zeros(len(prediction))
    change[1:] = np.diff(prediction)
    change[starts] = 0.0
    falls = change < 0
    return Steps(
        (segment_lengths(starts, len(prediction)) - 1).astype(np.float64),
        segment_sums(falls, starts),
        segment_sums(np.where(falls, -change, 0.0), starts),
    )


def _discordant(
    rank: NDArray[np.int64], segment: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Count the pairs of each segment of which the later has the lower rank.

    Two ranks differ first in one bit. Bit by bit from the highest, rows whose higher bits
    agree form a group, in time's order; a pair is discordant at this bit if a 1 comes
    before a 0. Then each group is split by the bit, which keeps time's order.
    """
    found = np.zeros(len(starts))
    rows = len(rank)
    for bit in reversed(range(int(rank.max(initial=0)).bit_length())):
        key = rank >> (bit + 1)
        new = np.ones(rows, dtype=np.bool_)
        new[1:] = (key[1:] != key[:-1]) | (segment[1:] != segment[:-1])
        group_start = np.flatnonzero(new)
        group = np.cumsum(new) - 1
        one = (rank >> bit) & 1
        ones_before = np.cumsum(one) - one
        ones_before -= ones_before[group_start][group]
        found += segment_sums(np.where(one == 0, ones_before, 0), starts)
        start = group_start[group]
        zeros_before = np.arange(rows) - start - ones_before
        zeros = np.add.reduceat(1 - one, group_start)[group]
        target = start + np.where(one == 1, zeros + ones_before, zeros_before)
        split = np.empty_like(rank)
        split[target] = rank
        rank = split
    return found
