"""AP@K: do the nearest frames of other videos show the same action?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.kendall import STRIDE
from progfix.metrics.alignment.neighbours import distances
from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_over_videos, mean_score

__all__ = ["KS", "average_precision"]

KS = (5, 10, 15)


def average_precision(
    videos: Sequence[EmbeddedVideo], ks: Sequence[int] = KS, *, variant: Variant = "default"
) -> tuple[Score, ...]:
    """Return, for each K, the share of the K nearest frames that show the same action.

    The mean over the action frames of a video, then over videos. Frames in no action are
    never asked about, but may be found, and then are wrong. Frames equally near at the
    K-th place count by their share, so that nothing hangs on the order of frames.

    Args:
        videos: Of one task.
        ks: Each at least 1.
        variant: "default" searches all other videos; "carl" the same with each fifth frame
            of all; "lav" the frame's own video, itself included.

    Returns:
        Scores in [0, 1], counted over frames. A frame is undefined where fewer than K
        frames can be found, or where more can and all are equally near.

    Raises:
        ValueError: If the variant is unknown, a K is below 1 or the embeddings differ in size.

    Source: Haresh et al., LAV, CVPR 2021 (trquhuytin/LAV-CVPR21); Chen et al., CARL, CVPR
    2022 (minghchen/CARL_code, evaluation/retrieval.py).
    """
    require_variant("ap_5", variant)
    if min(ks) < 1:
        raise ValueError(f"expected K of at least 1, found {min(ks)}")
    if variant == "carl":
        videos = [video.every(STRIDE) for video in videos]
    phases = np.concatenate([video.phases for video in videos]) if videos else np.empty(0, np.int64)
    first = np.cumsum([0, *(len(video) for video in videos)])
    found = [np.full((len(video), len(ks)), np.nan) for video in videos]
    for part in distances(videos) if videos else ():
        own = slice(first[part.video], first[part.video + 1])
        squared = part.squared
        if variant == "lav":
            squared, labels = squared[:, own], phases[own]
        else:
            squared, labels = np.delete(squared, np.r_[own], axis=1), np.delete(phases, np.r_[own])
        asked = videos[part.video].phases[part.rows]
        found[part.video][part.rows] = _precision(squared, part.rounding, labels, asked, ks)
    asked_about = [values[video.phases >= 0] for values, video in zip(found, videos, strict=True)]
    return tuple(_over_videos([values[:, k] for values in asked_about]) for k in range(len(ks)))


def _precision(
    squared: NDArray[np.float64],
    rounding: NDArray[np.float64],
    labels: NDArray[np.int64],
    asked: NDArray[np.int64],
    ks: Sequence[int],
) -> NDArray[np.float64]:
    size, rows = squared.shape[1], len(squared)
    result = np.full((rows, len(ks)), np.nan)
    known = [k for k in ks if k <= size]
    if not known:
        return result
    ordered = np.sort(np.partition(squared, max(known) - 1, axis=1)[:, : max(known)], axis=1)
    reach = ordered[:, -1:] + rounding
    row, column = np.nonzero(squared <= reach)
    distance, same = squared[row, column], labels[column] == asked[row]

    def total(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(row[chosen], minlength=rows)

    for place, k in enumerate(ks):
        if k > size:
            continue
        edge = ordered[:, k - 1]
        closer = distance < (edge - rounding[:, 0])[row]
        tied = ~closer & (distance <= (edge + rounding[:, 0])[row])
        all_tied, all_closer = total(tied), total(closer)
        hits = total(closer & same) + (k - all_closer) * total(tied & same) / all_tied
        result[:, place] = np.where((all_tied == size) & (k < size), np.nan, hits / k)
    return result


def _over_videos(values: Sequence[NDArray[np.float64]]) -> Score:
    means = mean_over_videos([mean_score(of_video).value for of_video in values])
    frames = mean_score(np.concatenate([*values, np.empty(0)]))
    return replace(frames, value=means.value, parts=means.parts)
