"""What a figure shows, as plain arrays: the types that the drawing functions take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Array",
    "Calibration",
    "Curve",
    "Density",
    "PositionErrors",
    "Rung",
    "SegmentView",
    "TrainingView",
    "VideoView",
    "mean_absolute_error",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """One source's answers in one segment, `n` frames.

    Attributes:
        label: Name of the source.
        elapsed: int64 `(n,)`, 1 at the segment's first frame.
        target: float64 `(n,)`, in (0, 1].
        prediction: float64 `(n,)`.
        lower: float64 `(n,)`, lower end of the 80 % interval, or None.
        upper: float64 `(n,)`, upper end of it, or None.
    """

    label: str
    elapsed: NDArray[np.int64]
    target: Array
    prediction: Array
    lower: Array | None = None
    upper: Array | None = None

    @property
    def mae(self) -> float:
        """Mean absolute error over the frames with a finite prediction; NaN without any."""
        return mean_absolute_error([self])


def mean_absolute_error(curves: Sequence[Curve]) -> float:
    """Return the MAE over all frames with a finite prediction; NaN without any."""
    errors = np.concatenate([np.abs(curve.prediction - curve.target) for curve in curves])
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True, eq=False)
class SegmentView:
    """One segment, as every source sees it.

    Attributes:
        task: Name of the task, or empty.
        video: Name of the video.
        segment: Index of the segment within its video.
        action: Name of the action, or empty.
        duration: Frames.
        curves: One per source, the first one's frames being the target's.
        counting: float64, what frame counting answers at the first curve's frames, or None.
    """

    task: str
    video: str
    segment: int
    action: str
    duration: int
    curves: tuple[Curve, ...]
    counting: Array | None = None


@dataclass(frozen=True, eq=False)
class VideoView:
    """A whole video: its segments, and where they begin.

    Attributes:
        segments: In order of time.
        starts: First frame of each, 0-based.
        num_frames: Frames of the video, or of the actions alone.
        gaps_known: Whether `starts` are the video's own; otherwise the segments are put one
            behind the other, background left out.
    """

    segments: tuple[SegmentView, ...]
    starts: tuple[int, ...]
    num_frames: int
    gaps_known: bool


@dataclass(frozen=True, eq=False)
class PositionErrors:
    """Error by position in the action, in `b` equal parts of (0, 1].

    Attributes:
        label: Name of the source or baseline.
        mae: float64 `(b,)`, frame-pooled; NaN where there is no frame.
        bias: float64 `(b,)`, mean of prediction - target.
        low: float64 `(b,)`, tenth percentile of the predictions.
        middle: float64 `(b,)`, their median.
        high: float64 `(b,)`, their ninetieth percentile.
        count: int64 `(b,)`, frames.
    """

    label: str
    mae: Array
    bias: Array
    low: Array
    middle: Array
    high: Array
    count: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Density:
    """How often a target meets a prediction.

    Attributes:
        label: Name of the source.
        counts: int64 `(t, p)`, frames by target in (0, 1] and prediction in [0, 1]; the
            outermost cells hold predictions beyond.
        median: float64 `(t,)`, median prediction at each target; NaN without frames.
    """

    label: str
    counts: NDArray[np.int64]
    median: Array


@dataclass(frozen=True, eq=False)
class Calibration:
    """Whether intervals and distributions keep what they promise.

    Attributes:
        label: Name of the source.
        nominal: Stated coverage of the intervals, such as 0.8.
        coverage: float64 `(b,)`, share of targets inside, by position; None without intervals.
        overall: The same over all frames; NaN without intervals.
        pit: int64 `(k,)`, frames by probability integral transform in equal parts of
            [0, 1]; None where it is not given.
    """

    label: str
    nominal: float
    coverage: Array | None
    overall: float
    pit: NDArray[np.int64] | None


@dataclass(frozen=True)
class Rung:
    """One bar of the ladder from knowing nothing to perfect.

    Attributes:
        label: Name of the baseline or source.
        mae: Frame-pooled.
        low: Tenth percentile of its predictions.
        high: Ninetieth percentile of them.
        is_baseline: Whether it sees no features.
    """

    label: str
    mae: float
    low: float
    high: float
    is_baseline: bool


@dataclass(frozen=True, eq=False)
class TrainingView:
    """The course of one run.

    Attributes:
        label: Name of the run.
        epoch: float64 `(n,)`, 1 for the first.
        loss: float64 `(n,)`, training loss in the objective's units.
        skill: float64 `(n,)`, 1 - MAE / MAE of frame counting on the validation videos.
    """

    label: str
    epoch: Array
    loss: Array
    skill: Array
