"""Metrics that are the mean of one number per frame: an entry here is all that they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from progfix.predictions import Predictions

__all__ = ["FRAME_MEANS", "FrameMean", "Metric", "Unit"]

Unit = Literal["frames", "videos", "tasks", "segments", "pairs", "falls"]

Values = NDArray[np.float64] | NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """What a metric is, for tables and documentation.

    Attributes:
        title: Its name in tables.
        unit: What its `count` counts.
        better: Which direction is better; None where neither is.
    """

    title: str
    unit: Unit
    better: Literal["lower", "higher"] | None = None


@dataclass(frozen=True)
class FrameMean:
    """A metric that is the mean of one number per frame.

    Attributes:
        metric: What it is.
        values: Returns the number of each row of a table, `(n,)`; None where the table
            lacks a column for it, whose frames are then left out and counted as undefined.
    """

    metric: Metric
    values: Callable[[Predictions], Values | None]


def _inside(frames: Predictions) -> Values | None:
    if frames.lower is None or frames.upper is None:
        return None
    return (frames.lower <= frames.target) & (frames.target <= frames.upper)


def _ranked_within(share: float) -> Callable[[Predictions], Values | None]:
    def values(frames: Predictions) -> Values | None:
        return None if frames.pit is None else np.abs(frames.pit - 0.5) <= share / 2

    return values


def _width(frames: Predictions) -> Values | None:
    if frames.lower is None or frames.upper is None:
        return None
    return frames.upper - frames.lower


FRAME_MEANS: Mapping[str, FrameMean] = {
    "coverage": FrameMean(Metric("targets inside [lower, upper]", "frames"), _inside),
    "coverage_50": FrameMean(
        Metric("targets inside 50 % intervals", "frames"), _ranked_within(0.5)
    ),
    "coverage_95": FrameMean(
        Metric("targets inside 95 % intervals", "frames"), _ranked_within(0.95)
    ),
    "interval_width": FrameMean(Metric("mean upper - lower", "frames", "lower"), _width),
    "crps": FrameMean(Metric("CRPS", "frames", "lower"), lambda frames: frames.crps),
}
"""By name; docs/metrics.md defines each."""
