"""Two evaluations side by side: paired differences over the videos that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from progfix.evaluation.estimates import Estimate, Evaluation
from progfix.evaluation.intervals import resampled
from progfix.evaluation.scores import BASELINE_METRICS, METRICS, counts, error_scores, scores
from progfix.evaluation.sums import Sums
from progfix.metrics.bootstrap import percentile_interval

__all__ = ["Comparison", "common_videos", "compare"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences `other - reference`, on the same videos under the same resamples.

    Attributes:
        differences: By metric; NaN where either is undefined.
        videos: Videos that are compared: those that both have, with as many frames.
        left_out: Videos that only one of them has.
        unequal_frames: Videos of which the two were given different numbers of frames; they
            are left out as well.
    """

    differences: Mapping[str, Estimate]
    videos: int
    left_out: int
    unequal_frames: int

    def certain(self, metric: str) -> bool:
        """Whether the 95 % interval of a difference excludes zero."""
        difference = self.differences[metric]
        return difference.low > 0 or difference.high < 0


def compare(
    reference: Evaluation,
    other: Evaluation,
    *,
    metrics: Sequence[str] = tuple(METRICS),
    bootstrap: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two evaluations, video by video.

    Videos are paired by task and name, and by name alone where one of the two has no tasks.

    Args:
        reference: What is subtracted.
        other: What it is subtracted from.
        metrics: Names out of `METRICS`; errors alone (`BASELINE_METRICS`) are ten times as fast.
        bootstrap: Resamples of the common videos; 0 for no intervals.
        seed: Of the resamples.

    Returns:
        The differences; with no common video, all undefined.
    """
    first, second = reference.sums, other.sums
    keys = _places(first, second)
    shared = common_videos(first, second)
    left_out = len(first.videos) + len(second.videos) - 2 * len(shared)
    frames = [sums.per_video(sums.column("frames")) for sums in (first, second)]
    common = [key for key in shared if frames[0][keys[0][key]] == frames[1][keys[1][key]]]
    unequal = len(shared) - len(common)
    if not common:
        return Comparison({name: Estimate(np.nan) for name in metrics}, 0, left_out, unequal)
    pair = []
    for sums, places in zip((first, second), keys, strict=True):
        # Both in the order of the common names, so that each resample draws the same videos.
        chosen = np.array([places[key] for key in common], dtype=np.int64)
        pair.append(sums.take_videos(chosen))
    once = np.ones((1, len(common)))
    function = error_scores if set(metrics) <= set(BASELINE_METRICS) else scores
    values = [function(sums, once) for sums in pair]
    draws = [resampled(sums, resamples=bootstrap, seed=seed, function=function) for sums in pair]
    found = [counts(sums) for sums in pair]
    low, high = percentile_interval(
        np.stack([draws[1][name] - draws[0][name] for name in metrics], axis=1)
    )
    return Comparison(
        {
            name: Estimate(
                float(values[1][name][0] - values[0][name][0]),
                float(low[i]),
                float(high[i]),
                min(found[0][name][0], found[1][name][0]),
                max(found[0][name][1], found[1][name][1]),
            )
            for i, name in enumerate(metrics)
        },
        len(common),
        left_out,
        unequal,
    )


def common_videos(first: Sums, second: Sums) -> list[tuple[str, str]]:
    """Return (task, name) of the videos that both have, sorted; as `compare` pairs them."""
    keys = _places(first, second)
    return sorted(keys[0].keys() & keys[1].keys())


def _places(first: Sums, second: Sums) -> list[dict[tuple[str, str], int]]:
    named = "task" in first.missing | second.missing
    return [
        {key if not named else ("", key[1]): place for place, key in enumerate(sums.videos)}
        for sums in (first, second)
    ]
