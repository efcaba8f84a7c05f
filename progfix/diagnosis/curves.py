"""Sums over the stream about the shape of a segment's curve, and what follows from them.

They answer what errors by position cannot: does the curve stop rising, does it fall back,
does it depend on anything but the clock (`progfix.diagnosis.clock`). Chunks hold whole
videos; memory grows with the longest segment, not with the number of frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.diagnosis.clock import ClockSums
from progfix.frame_counting import frame_counting
from progfix.metrics.levels import LevelCounts, count_levels, levels_quantile
from progfix.metrics.positions import binned_sums, position_bins
from progfix.metrics.segments import row_segments
from progfix.metrics.spread import weighted_median
from progfix.predictions import Predictions

__all__ = [
    "CurveSums",
    "LateSlope",
    "early_rows",
    "late_rows",
    "lower_envelope",
    "segments_of_rows",
    "upper_envelope",
]

_DURATION_QUANTILES = 256


def segments_of_rows(chunk: Predictions) -> NDArray[np.int64]:
    """Return the number of each row's segment within the chunk, `(n,)`, rising from 0."""
    return row_segments(chunk.segment_starts(), len(chunk))


def early_rows(chunk: Predictions) -> NDArray[np.bool_]:
    """Return which frames are in the first tenth of their segment, the first always, `(n,)`."""
    return (chunk.elapsed - 1) * 10 < chunk.duration


def late_rows(chunk: Predictions) -> NDArray[np.bool_]:
    """Return which frames are in the last tenth of their segment, the last always, `(n,)`."""
    return (chunk.duration - chunk.elapsed) * 10 < chunk.duration


def upper_envelope(
    prediction: NDArray[np.float64], segment: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the highest prediction so far, within each segment.

    Args:
        prediction: Finite, in order of time within each segment, `(n,)`.
        segment: Segment of each row, rising, `(n,)`.

    Returns:
        float64 `(n,)`, at least `prediction`, up to rounding.
    """
    if len(prediction) == 0:
        return prediction
    # Each segment is lifted above the one before, so that one scan serves all of them.
    lift = segment * (float(np.ptp(prediction)) + 1.0)
    highest: NDArray[np.float64] = np.maximum.accumulate(prediction + lift) - lift
    return highest


def lower_envelope(
    prediction: NDArray[np.float64], segment: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the lowest prediction still to come, within each segment; as `upper_envelope`."""
    reverse = segment[::-1].max(initial=0) - segment[::-1]
    return -upper_envelope(-prediction[::-1], reverse)[::-1]


@dataclass
class LateSlope:
    """How fast predictions rise per unit of target in the last fifth of an action.

    The last fifth has at least two frames. 1 is right, 0 is a plateau.
    """

    cross: float = 0.0
    square: float = 0.0

    def update(self, chunk: Predictions) -> None:
        """Add the rows of a chunk."""
        left = chunk.duration - chunk.elapsed
        rows = (left * 5 < chunk.duration) | (left < 2)
        self.add(chunk.prediction[rows], chunk.target[rows], segments_of_rows(chunk)[rows])

    def add(
        self,
        prediction: NDArray[np.float64],
        target: NDArray[np.float64],
        segment: NDArray[np.int64],
        weight: NDArray[np.float64] | float = 1.0,
    ) -> None:
        """Add late frames, `(n,)` each, centred within each segment."""
        if len(segment) == 0:
            return
        count = np.maximum(np.bincount(segment), 1)
        p = prediction - (np.bincount(segment, prediction) / count)[segment]
        u = target - (np.bincount(segment, target) / count)[segment]
        self.cross += float((weight * p * u).sum())
        self.square += float((weight * u * u).sum())

    def value(self) -> float:
        """Return the slope; NaN where every segment is a single frame."""
        return self.cross / self.square if self.square > 0 else math.nan


@dataclass
class CurveSums:
    """All that diagnosis asks about curves, in mergeable sums.

    Attributes:
        clock: Dependence on elapsed alone.
        late: Slope in the last fifth.
        durations: Segments by duration, `durations[d]` of them have d frames.
        targets: Targets by level.
        tenths: Count, absolute and signed error by tenth of the action, `(10, 3)`.
        falls: Sum over frames of the distance below the highest prediction so far.
        frames: Frames.
        early_bias: Sum of prediction - target in the first tenth, and its frames.
        late_bias: The same in the last tenth.
        one_frame: Sum of absolute errors in segments of a single frame.
    """

    clock: ClockSums = field(default_factory=ClockSums)
    late: LateSlope = field(default_factory=LateSlope)
    durations: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    targets: LevelCounts = field(default_factory=lambda: LevelCounts.merge([]))
    tenths: NDArray[np.float64] = field(default_factory=lambda: np.zeros((10, 3)))
    falls: float = 0.0
    frames: int = 0
    early_bias: tuple[float, int] = (0.0, 0)
    late_bias: tuple[float, int] = (0.0, 0)
    one_frame: float = 0.0

    def update(self, chunk: Predictions) -> None:
        """Add a chunk of whole videos with finite predictions."""
        self.clock.update(chunk)
        self.late.update(chunk)
        each = chunk.duration[chunk.segment_starts()]
        counted = np.bincount(each, minlength=len(self.durations))
        counted[: len(self.durations)] += self.durations
        self.durations = counted
        error = chunk.prediction - chunk.target
        tenth = position_bins(chunk.elapsed, chunk.duration, 10)
        one = np.zeros(len(chunk), dtype=np.int64)
        self.targets = LevelCounts.merge([self.targets, count_levels(one, chunk.target)])
        self.tenths += binned_sums(tenth, one, (np.abs(error), error), groups=1, bins=10)[0]
        highest = upper_envelope(chunk.prediction, segments_of_rows(chunk))
        self.falls += float((highest - chunk.prediction).sum())
        self.frames += len(chunk)
        self.one_frame += float(np.abs(error[chunk.duration == 1]).sum())
        for name, rows in (("early_bias", early_rows(chunk)), ("late_bias", late_rows(chunk))):
            total, count = getattr(self, name)
            setattr(self, name, (total + float(error[rows].sum()), count + int(rows.sum())))

    @property
    def segments(self) -> int:
        """Segments seen."""
        return int(self.durations.sum())

    def mae_in(self, first: int, last: int) -> float:
        """Return the MAE in tenths `first` to `last` of the action, inclusive; NaN if empty."""
        count, absolute, _ = self.tenths[first : last + 1].sum(axis=0)
        return float(absolute / count) if count else math.nan

    def bias_in(self, first: int, last: int) -> float:
        """Return the mean of prediction - target there, as `mae_in`."""
        count, _, signed = self.tenths[first : last + 1].sum(axis=0)
        return float(signed / count) if count else math.nan

    def target_quantile(self, share: float) -> float:
        """Return the lowest level that at least a share of the targets does not exceed."""
        return float(levels_quantile(*self.targets.table(1), share)[0])

    def first_target_median(self) -> float:
        """Return the median over segments of the target at the first frame, 1 / duration."""
        frames = np.arange(1, len(self.durations))
        weights = self.durations[None, 1:].astype(np.float64)
        return float(weighted_median(1 / frames, np.arange(len(frames)), weights)[0])

    def counting_late_slope(self) -> float:
        """Return the late slope that counting frames has on these durations.

        Counting is fitted on the durations themselves, at up to 256 of their quantiles.
        """
        every = np.repeat(np.arange(len(self.durations)), self.durations)
        if len(every) == 0:
            return math.nan
        pick = np.unique(np.linspace(0, len(every) - 1, _DURATION_QUANTILES).astype(np.intp))
        durations = every[pick]
        table, slope = frame_counting(durations), LateSlope()
        for duration in durations:
            first = min(duration - (-(-duration // 5)), duration - 2) + 1
            elapsed = np.arange(max(first, 1), duration + 1)
            slope.add(table(elapsed), elapsed / duration, np.zeros(len(elapsed), np.int64))
        return slope.value()
