"""The table of metrics: each a function of sums and of how often each video counts.

The same functions give the value (every video once) and each resample of the bootstrap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.evaluation.frame_means import FRAME_MEANS, Metric, Unit
from progfix.evaluation.sums import BASELINE_COLUMNS, Sums
from progfix.metrics.levels import levels_quantile
from progfix.metrics.segments import ratio
from progfix.metrics.spread import pooled_std, weighted_median

__all__ = [
    "BASELINE_METRICS",
    "LONG",
    "METRICS",
    "Metric",
    "Scores",
    "baseline_scores",
    "counts",
    "error_scores",
    "scores",
]

LONG = 40
"""Frames from which a segment counts for `first_frame_median_40` and its like."""

METRICS: dict[str, Metric] = {
    "mae": Metric("MAE", "frames", "lower"),
    "mae_video": Metric("MAE, mean of videos", "videos", "lower"),
    "rmse": Metric("RMSE", "frames", "lower"),
    "rmse_video": Metric("RMSE, mean of videos", "videos", "lower"),
    "ogpe": Metric("OGPE, action level", "tasks", "lower"),
    "bias": Metric("bias", "frames"),
    "skill_constant": Metric("skill over constant", "frames", "higher"),
    "skill_constant_video": Metric("... mean of videos", "videos", "higher"),
    "skill_frame_counting": Metric("skill over frame counting", "frames", "higher"),
    "skill_frame_counting_video": Metric("... mean of videos", "videos", "higher"),
    "skill_frame_counting_per_action": Metric("skill over counting per action", "frames", "higher"),
    "skill_frame_counting_per_action_video": Metric("... mean of videos", "videos", "higher"),
    "spearman": Metric("Spearman with time (VOC)", "segments", "higher"),
    "kendall": Metric("Kendall tau-b with time", "segments", "higher"),
    "monotonicity": Metric("steps that do not fall", "pairs"),
    "fall_size": Metric("mean size of a fall", "falls", "lower"),
    "first_frame_median": Metric("median first frame", "segments"),
    "last_frame_median": Metric("median last frame", "segments"),
    f"first_frame_median_{LONG}": Metric(f"median first frame, {LONG}+ frames", "segments"),
    f"last_frame_median_{LONG}": Metric(f"median last frame, {LONG}+ frames", "segments"),
    "prediction_p05": Metric("5 % of predictions up to", "frames"),
    "prediction_p50": Metric("half of predictions up to", "frames"),
    "prediction_p95": Metric("95 % of predictions up to", "frames"),
    "prediction_std": Metric("std of predictions", "frames"),
    "target_std": Metric("std of targets", "frames"),
    "spread": Metric("std of predictions / of targets", "frames"),
    **{name: mean.metric for name, mean in FRAME_MEANS.items()},
}
"""All metrics, in the order of reports; docs/metrics.md defines them."""

BASELINE_METRICS = ("mae", "mae_video", "rmse", "rmse_video", "ogpe")
"""What is reported of each baseline."""

_QUANTILES = {"prediction_p05": 0.05, "prediction_p50": 0.5, "prediction_p95": 0.95}

Scores = dict[str, NDArray[np.float64]]


def scores(sums: Sums, weights: NDArray[np.float64]) -> Scores:
    """Return every metric under each weighting of the videos.

    Args:
        sums: The sums; quantiles are left out where it has no tables per video.
        weights: How often each video counts, `(b, v)`.

    Returns:
        By name of the metric, float64 `(b,)`, NaN where it is undefined.
    """
    result = error_scores(sums, weights)
    total = _totals(sums, weights)
    result["bias"] = ratio(total["signed"], total["frames"])
    for name in BASELINE_COLUMNS:
        baseline = error_scores(sums, weights, f"{name}_")
        result[f"skill_{name}"] = 1 - ratio(result["mae"], baseline["mae"])
        result[f"skill_{name}_video"] = 1 - ratio(result["mae_video"], baseline["mae_video"])
    for name in ("spearman", "kendall"):
        result[name] = _mean_where_defined(sums, weights, sums.column(name))
    result["monotonicity"] = 1 - ratio(total["falls"], total["pairs"])
    result["fall_size"] = ratio(total["fallen"], total["falls"])
    result |= _medians(sums, weights) | _spread(sums, weights)
    for name in FRAME_MEANS:
        result[name] = ratio(total[name], total[f"{name}_frames"])
    return result


def baseline_scores(sums: Sums, weights: NDArray[np.float64]) -> dict[str, Scores]:
    """Return `BASELINE_METRICS` of each baseline on the same frames."""
    return {name: error_scores(sums, weights, f"{name}_") for name in BASELINE_COLUMNS}


def counts(sums: Sums) -> dict[str, tuple[int, int]]:
    """Return over how many units each metric was taken, and how many were undefined."""
    segments = len(sums.segments["video"])
    size: dict[Unit, int] = {
        "frames": int(sums.column("frames").sum()),
        "videos": len(sums.videos),
        "tasks": len(sums.tasks),
        "segments": segments,
        "pairs": int(sums.column("pairs").sum()),
        "falls": int(sums.column("falls").sum()),
    }
    result = {name: (size[metric.unit], 0) for name, metric in METRICS.items()}
    long = int(np.count_nonzero(sums.index("duration") >= LONG))
    for name in ("spearman", "kendall", "first", "last"):
        defined = ~np.isnan(sums.column(name))
        found = int(np.count_nonzero(defined))
        if name in METRICS:
            result[name] = found, segments - found
        else:
            of_long = int(np.count_nonzero(defined & (sums.index("duration") >= LONG)))
            result[f"{name}_frame_median"] = found, segments - found
            result[f"{name}_frame_median_{LONG}"] = of_long, long - of_long
    for name in FRAME_MEANS:
        found = int(sums.column(f"{name}_frames").sum())
        result[name] = found, size["frames"] - found
    return result


def _totals(sums: Sums, weights: NDArray[np.float64]) -> Scores:
    names = (
        "frames",
        "signed",
        "pairs",
        "falls",
        "fallen",
        *FRAME_MEANS,
        *(f"{name}_frames" for name in FRAME_MEANS),
    )
    columns = np.stack([sums.per_video(sums.column(name)) for name in names], axis=1)
    return dict(zip(names, (weights @ columns).T, strict=True))


def error_scores(sums: Sums, weights: NDArray[np.float64], prefix: str = "") -> Scores:
    """Return `BASELINE_METRICS` of the predictions, or of the baseline that the prefix names.

    Args:
        sums: The sums.
        weights: How often each video counts, `(b, v)`.
        prefix: A baseline's name and an underscore, such as "frame_counting_".
    """
    frames = sums.per_video(sums.column("frames"))
    absolute = sums.per_video(sums.column(f"{prefix}absolute"))
    squared = sums.per_video(sums.column(f"{prefix}squared"))
    videos = weights.sum(axis=1)
    of_task = np.zeros((len(sums.videos), len(sums.tasks)))
    of_task[np.arange(len(sums.videos)), sums.video_task] = 1
    mean = ratio(absolute, frames)
    by_task = ratio(weights @ (of_task * mean[:, None]), weights @ of_task)
    present = ~np.isnan(by_task)
    return {
        "mae": ratio(weights @ absolute, weights @ frames),
        "mae_video": ratio(weights @ mean, videos),
        "rmse": np.sqrt(ratio(weights @ squared, weights @ frames)),
        "rmse_video": ratio(weights @ np.sqrt(ratio(squared, frames)), videos),
        "ogpe": ratio(
            np.where(present, by_task, 0.0).sum(axis=1), present.sum(axis=1).astype(np.float64)
        ),
    }


def _mean_where_defined(
    sums: Sums, weights: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    defined = ~np.isnan(values)
    total = sums.per_video(np.where(defined, values, 0.0))
    return ratio(weights @ total, weights @ sums.per_video(defined.astype(np.float64)))


def _medians(sums: Sums, weights: NDArray[np.float64]) -> Scores:
    result = {}
    video = sums.index("video")
    long = sums.index("duration") >= LONG
    for name in ("first", "last"):
        values = sums.column(name)
        result[f"{name}_frame_median"] = weighted_median(values, video, weights)
        of_long = np.where(long, values, np.nan)
        result[f"{name}_frame_median_{LONG}"] = weighted_median(of_long, video, weights)
    return result


def _spread(sums: Sums, weights: NDArray[np.float64]) -> Scores:
    frames = sums.column("frames")
    result = {}
    for name, prefix in (("prediction", ""), ("target", "target_")):
        mean = sums.column(f"{prefix}mean")
        of_video = ratio(sums.per_video(frames * mean), sums.per_video(frames))
        off = mean - of_video[sums.index("video")]
        deviations = sums.per_video(sums.column(f"{prefix}deviations") + frames * off**2)
        result[f"{name}_std"] = pooled_std(sums.per_video(frames), of_video, deviations, weights)
    result["spread"] = ratio(result["prediction_std"], result["target_std"])
    if sums.tables:
        by_video, values = sums.level_table
        levels = weights @ by_video
        for name, share in _QUANTILES.items():
            result[name] = levels_quantile(levels, values, share)
    return result
