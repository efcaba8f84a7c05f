"""Metrics under resampling of the videos: values with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from progfix.evaluation.scores import Scores, scores
from progfix.evaluation.sums import Sums
from progfix.metrics.bootstrap import block_size, percentile_interval, resample_weights

__all__ = [
    "Key",
    "draw_all",
    "group_intervals",
    "keyed",
    "resampled",
    "video_weights",
    "with_intervals",
]

Key = tuple[str, ...]


def resampled(
    sums: Sums,
    *,
    resamples: int,
    seed: int,
    function: Callable[[Sums, NDArray[np.float64]], Scores] = scores,
) -> Scores:
    """Return the metrics of each resample of the videos, by name, float64 `(resamples,)`."""
    blocks = [function(sums, weights) for weights in video_weights(sums, resamples, seed)]
    names = function(sums, np.ones((1, len(sums.videos))))
    return {name: np.concatenate([np.empty(0), *(b[name] for b in blocks)]) for name in names}


def video_weights(sums: Sums, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each video counts, `(b, v)`, in blocks of resamples; none of one video."""
    videos = len(sums.videos)
    # One video resampled is itself: an interval of no width would claim certainty.
    count = resamples if videos > 1 else 0
    yield from resample_weights(videos, count, seed, width=_width(sums))


def draw_all(sums: Sums, resamples: int, seed: int) -> NDArray[np.uint8]:
    """Return all weights at once, `(resamples, v)`: a video is never drawn 255 times."""
    blocks = [weights.astype(np.uint8) for weights in video_weights(sums, resamples, seed)]
    return np.concatenate([np.empty((0, len(sums.videos)), np.uint8), *blocks])


def group_intervals(
    key: Key, part: Sums, draws: NDArray[np.uint8]
) -> dict[Key, tuple[float, float, float]]:
    """Return the metrics of a group; its blocks are as large as its own size allows.

    Args:
        key: The group.
        part: Its sums.
        draws: How often each of its videos counts; of a single video there are none.
    """
    step = block_size(max(len(part.videos), _width(part)))
    blocks = (draws[i : i + step].astype(np.float64) for i in range(0, len(draws), step))
    return with_intervals(lambda weights: keyed(key, scores(part, weights)), part, blocks)


def _width(sums: Sums) -> int:
    """Return the longest array that the metrics make for a resample (`weighted_median`)."""
    return len(sums.segments["video"]) // 8


def with_intervals(
    function: Callable[[NDArray[np.float64]], dict[Key, NDArray[np.float64]]],
    sums: Sums,
    resamples: Iterable[NDArray[np.float64]],
) -> dict[Key, tuple[float, float, float]]:
    """Return value, lower and upper end of every metric.

    Args:
        function: Returns the metrics under each weighting of the videos, `(b, v)` to `(b,)`.
        sums: What they are taken of.
        resamples: Weightings, block by block.
    """
    values = function(np.ones((1, len(sums.videos))))
    blocks = [function(weights) for weights in resamples]
    columns = [np.concatenate([np.empty(0), *(b[key] for b in blocks)]) for key in values]
    low, high = percentile_interval(np.stack(columns, axis=1))
    return {
        key: (float(value[0]), float(low[i]), float(high[i]))
        for i, (key, value) in enumerate(values.items())
    }


def keyed(prefix: Key, values: Scores) -> dict[Key, NDArray[np.float64]]:
    """Put the same words before the names of all metrics."""
    return {(*prefix, name): value for name, value in values.items()}
