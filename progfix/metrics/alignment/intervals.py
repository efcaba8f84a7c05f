"""How sure an alignment metric is: bootstrap intervals over the videos that are scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from progfix.metrics.alignment.videos import Score
from progfix.metrics.bootstrap import percentile_interval, resample_weights
from progfix.metrics.segments import ratio

__all__ = ["mean_interval"]


def mean_interval(
    scores: Sequence[Score], sizes: Sequence[int], resamples: int, seed: int
) -> tuple[float, float]:
    """Resample the videos of all tasks and return the interval of the mean over tasks.

    What was fitted on other videos, and the videos in which neighbours are sought, stay as
    they are. A pair of videos counts as often as the product of how often the two were
    drawn, a video is never paired with itself, and a task without a defined pair or video
    is left out of a resample.

    Args:
        scores: Of each task.
        sizes: Scored videos of each task.
        resamples: Of the bootstrap.
        seed: Of the resamples, which are the same for every metric.

    Returns:
        NaN where there are no resamples, fewer than two videos, or no parts to resample.
    """
    videos = sum(sizes)
    defined = [score for score in scores if score.count]
    if videos < 2 or not defined or any(score.parts is None for score in defined):
        return float("nan"), float("nan")
    found = [np.empty(0)]
    for weights in resample_weights(videos, resamples, seed):
        pieces = np.split(weights, np.cumsum(sizes)[:-1], axis=1)
        values = np.stack(
            [
                score.parts.value(piece)
                for score, piece in zip(scores, pieces, strict=True)
                if score.parts is not None
            ]
        )
        there = ~np.isnan(values)
        found.append(ratio(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0) * 1.0))
    low, high = percentile_interval(np.concatenate(found)[:, None])
    return float(low[0]), float(high[0])
