"""Do nearest neighbours follow each other in time? Kendall's tau over pairs of videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from progfix.metrics.alignment.matches import Matches, gtcc_matches, true_matches
from progfix.metrics.alignment.neighbours import CELLS, PairNeighbours
from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_over_pairs, mean_score
from progfix.metrics.rank import rank_correlation

__all__ = ["STRIDE", "kendalls_tau", "wild_tau"]

STRIDE = 5
"""Each such frame is used by the variants `tcc`, `carl` and `lav` (their value for Pouring)."""


def kendalls_tau(
    videos: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
    neighbours: PairNeighbours | None = None,
) -> Score:
    """Return the mean tau-b of nearest frames and time, over ordered pairs of videos.

    Args:
        videos: Of one task.
        variant: "default" takes every frame; "tcc", "carl" and "lav" each fifth; "gtcc"
            every frame, NaN as soon as one pair is undefined.
        neighbours: Of these videos, where they are known already; not for each fifth frame.

    Returns:
        In [-1, 1], over pairs. A pair is undefined where the first video has one frame, or
        all of its frames have the same neighbour.

    Raises:
        ValueError: If the variant is unknown, or the embeddings differ in size.

    Source: Dwibedi et al., TCC, CVPR 2019 (google-research/tcc, evaluation/kendalls_tau.py).
    """
    require_variant("kendalls_tau", variant)
    if len(videos) < 2:
        return mean_score([])
    if variant in ("tcc", "carl", "lav"):
        neighbours = PairNeighbours.of([video.every(STRIDE) for video in videos])
    found = neighbours or PairNeighbours.of(videos)
    taus = np.full((len(videos), len(videos)), np.nan)
    for index, rows in enumerate(found.frames):
        others = np.delete(rows, index, axis=0)
        starts = np.arange(len(others)) * others.shape[1]
        there = np.delete(np.arange(len(videos)), index)
        taus[index, there] = rank_correlation(others.ravel().astype(np.float64), starts).kendall
    score = mean_over_pairs(taus)
    spoilt = variant == "gtcc" and score.undefined > 0
    return replace(score, value=float("nan"), parts=None) if spoilt else score


def wild_tau(
    videos: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
    neighbours: PairNeighbours | None = None,
) -> Score:
    """Return Kendall's tau against the true order in the other video, alignable frames only.

    Args:
        videos: Of one task.
        variant: "default" is tau-b of an alignable frame's neighbour and its true match (of
            several, the one nearest to the neighbour). "gtcc" takes a pair of frames i < j
            for concordant if any true match of i comes before the neighbour of j, and
            divides by all pairs of frames, alignable or not.
        neighbours: Of these videos, where they are known already.

    Returns:
        In [-1, 1], over pairs of videos. A pair is undefined where it has no two alignable
        frames, or one neighbour or one match for all of them.

    Raises:
        ValueError: If the variant is unknown, or the embeddings differ in size.

    Source: "aligned Kendall's tau", Donahue and Elhamifar, GTCC, CVPR 2024
    (gerardDonahue/GTCC_CVPR2024, utils/evaluation.py).
    """
    require_variant("wild_tau", variant)
    if len(videos) < 2:
        return mean_score([])
    found = neighbours or PairNeighbours.of(videos)
    values = np.full((len(videos), len(videos)), np.nan)
    for i, j, nearest in found.pairs():
        if variant == "gtcc":
            values[i, j] = _gtcc_pair(gtcc_matches(videos[i], videos[j]), nearest)
        else:
            frames, match = true_matches(videos[i], videos[j]).nearest(nearest)
            values[i, j] = _tau(nearest[frames], match)
    return mean_over_pairs(values)


def _tau(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    if len(first) < 2:
        return float("nan")
    return float(kendalltau(first, second).statistic)


def _gtcc_pair(matches: Matches, nearest: NDArray[np.int32]) -> float:
    frames, first = np.unique(matches.frame, return_index=True)
    earliest, neighbour = matches.match[first], nearest[frames]
    concordant, step = 0, max(1, CELLS // max(1, len(frames)))
    for start in range(0, len(frames), step):
        rows = np.arange(start, min(start + step, len(frames)))
        later = np.arange(len(frames)) > rows[:, None]
        concordant += int((later & (earliest[rows, None] < neighbour)).sum())
    pairs = len(frames) * (len(frames) - 1) // 2
    everything = len(nearest) * (len(nearest) - 1) / 2
    return (2 * concordant - pairs) / everything if everything else float("nan")
