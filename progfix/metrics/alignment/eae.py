"""Enclosed area error: how far nearest neighbours lie from the true matches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.matches import Matches, gtcc_matches, true_matches
from progfix.metrics.alignment.neighbours import PairNeighbours
from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_over_pairs, mean_score

__all__ = ["enclosed_area_error"]


def enclosed_area_error(
    videos: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
    neighbours: PairNeighbours | None = None,
) -> Score:
    """Return the mean enclosed area error of all ordered pairs of videos.

    Of one pair: the sum over alignable frames of the distance in frames from the nearest
    neighbour to the nearest valid match, / (alignable frames x frames of the second video).

    Args:
        videos: Of one task.
        variant: "gtcc" is what that code computes on EgoProceL: `gtcc_matches`, and of the
            second video only alignable frames count, in the distance and, those that
            another alignable frame follows, in the divisor.
        neighbours: Of these videos, where they are known already.

    Returns:
        In [0, 1), lower is better; "gtcc" may exceed 1. A pair is undefined without an
        alignable frame, or where the second video's embeddings are all the same.

    Raises:
        ValueError: If the variant is unknown, or the embeddings differ in size.

    Source: Donahue and Elhamifar, GTCC, CVPR 2024 (gerardDonahue/GTCC_CVPR2024,
    utils/tensorops.py).
    """
    require_variant("eae", variant)
    if len(videos) < 2:
        return mean_score([])
    found = neighbours or PairNeighbours.of(videos)
    values = np.full((len(videos), len(videos)), np.nan)
    for i, j, nearest in found.pairs():
        size = len(videos[j])
        if variant == "gtcc":
            values[i, j] = _gtcc_pair(gtcc_matches(videos[i], videos[j]), nearest, size)
        elif not videos[j].collapsed:
            values[i, j] = _pair(true_matches(videos[i], videos[j]), nearest, size)
    return mean_over_pairs(values)


def _pair(matches: Matches, nearest: NDArray[np.int32], size: int) -> float:
    frames, match = matches.nearest(nearest)
    if len(frames) == 0:
        return float("nan")
    return float(np.abs(nearest[frames] - match).sum() / (len(frames) * size))


def _gtcc_pair(matches: Matches, nearest: NDArray[np.int32], size: int) -> float:
    frames, match = matches.nearest(nearest)
    alignable = np.zeros(size + 1, dtype=np.int64)
    alignable[matches.match + 1] = 1
    divisor = len(frames) * int((alignable[1:-1] & alignable[2:]).sum())
    if divisor == 0:
        return float("nan")
    before = alignable.cumsum()
    return float(np.abs(before[nearest[frames]] - before[match]).sum() / divisor)
