"""From predictions to sums: everything that needs to see frames happens here, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from progfix.baselines import CONSTANT
from progfix.errors import InputError, Problem
from progfix.evaluation.frame_means import FRAME_MEANS
from progfix.evaluation.sums import BASELINE_COLUMNS, Sums
from progfix.leave_one_out import SegmentPool
from progfix.metrics.errors import error_sums
from progfix.metrics.levels import count_levels
from progfix.metrics.positions import binned_sums, position_bins, value_bins
from progfix.metrics.rank import rank_correlation, steps
from progfix.metrics.segments import segment_lengths, segment_sums
from progfix.metrics.spread import moments
from progfix.predictions import Predictions

__all__ = ["PIT_BINS", "Counting", "count_left_out", "measure", "require_finite"]

PIT_BINS = 10
_ROWS = 500_000
_THREADS = 2


class Counting(Protocol):
    """Frame counting, fitted on whatever."""

    @property
    def fitted_on(self) -> str:
        """What the durations were, for reports."""
        ...

    def predict(self, frames: Predictions, *, per_action: bool = False) -> NDArray[np.float64]:
        """Return the answers for the rows of `frames`."""
        ...


def require_finite(chunk: Predictions) -> None:
    """Check that every prediction is a number.

    Raises:
        InputError: If one is NaN or infinite, naming each video that has one.
    """
    bad = ~np.isfinite(chunk.prediction)
    if bad.any():
        rows = np.flatnonzero(bad)
        names = dict.fromkeys(chunk.video.names[code] for code in chunk.video.codes[rows])
        raise InputError(
            Problem(
                f"predictions of video {name}",
                "finite numbers",
                f"{chunk.prediction[rows[0]]} in {len(rows)} frames of this batch",
                "look for a diverged model or non-finite features",
            )
            for name in names
        )


def measure(chunk: Predictions, *, bins: int, counting: Counting | None) -> Sums:
    """Return the sums of a chunk of whole segments.

    Args:
        chunk: At least one row, predictions finite.
        bins: Position bins.
        counting: What frame counting answers; None keeps what is needed to leave each
            video out later, and NaN in its place.
    """
    starts = chunk.segment_starts()
    first = starts.astype(np.intp)
    last = first + segment_lengths(starts, len(chunk)) - 1
    keys, of_segment = _videos(chunk, first)
    video = np.repeat(of_segment, segment_lengths(starts, len(chunk)))
    prediction, target = chunk.prediction, chunk.target
    errors = error_sums(prediction, target, starts)
    mean, deviations = moments(prediction, starts)
    target_mean, target_deviations = moments(target, starts)
    correlation, step = rank_correlation(prediction, starts), steps(prediction, starts)
    complete = chunk.elapsed[last] == chunk.duration[last]
    segments: dict[str, NDArray[np.generic]] = {
        "video": of_segment,
        "action": chunk.action.codes[first].astype(np.int64),
        "index": chunk.segment[first],
        "duration": chunk.duration[first],
        "frames": segment_lengths(starts, len(chunk)).astype(np.float64),
        **errors._asdict(),
        "mean": mean,
        "deviations": deviations,
        "target_mean": target_mean,
        "target_deviations": target_deviations,
        **correlation._asdict(),
        **step._asdict(),
        "first": np.where(chunk.elapsed[first] == 1, prediction[first], np.nan),
        "last": np.where(complete, prediction[last], np.nan),
        **_frame_means(chunk, starts),
        **_baselines(chunk, starts, counting),
    }
    runs = _runs(chunk, starts) if counting is None else np.empty((0, 3), np.int64)
    tables = _tables(chunk, video, len(keys), bins)
    levels = count_levels(video, prediction)
    return Sums(keys, chunk.action.names, segments, tables, levels, runs, chunk.missing)


def count_left_out(sums: Sums) -> Sums:
    """Fill in what frame counting answers, each video's from the segments of all others."""
    pool = SegmentPool(sums.index("video"), sums.index("action"), sums.index("duration"))
    size = len(sums.segments["video"])
    columns = {name: np.zeros(size) for name in _left_out_errors(pool, sums.runs[:0])}
    lengths = sums.runs[:, 2] - sums.runs[:, 1] + 1
    # Cut between runs, of which about so many rows are expanded at once.
    block = np.cumsum(lengths) // _ROWS
    blocks = np.split(sums.runs, np.flatnonzero(np.diff(block)) + 1)
    with ThreadPoolExecutor(_THREADS) as threads:  # NumPy lets both compute at once
        for errors in threads.map(partial(_left_out_errors, pool), blocks):
            for name, values in errors.items():
                columns[name] += values
    return replace(sums, segments=sums.segments | columns)


def _left_out_errors(pool: SegmentPool, runs: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return the summed errors of frame counting in each of all segments, over some runs."""
    size = len(pool.duration)
    length = runs[:, 2] - runs[:, 1] + 1
    segment = np.repeat(runs[:, 0], length)
    before = np.repeat(np.cumsum(length) - length - runs[:, 1], length)
    elapsed = np.arange(len(segment)) - before
    target = elapsed / pool.duration[segment]
    columns: dict[str, NDArray[np.float64]] = {}
    for name in BASELINE_COLUMNS[1:]:
        answers = pool.answers(
            pool.video[segment],
            pool.action[segment],
            elapsed,
            per_action=name.endswith("per_action"),
        )
        error = answers - target
        for power, values in (("absolute", np.abs(error)), ("squared", error * error)):
            columns[f"{name}_{power}"] = np.zeros(size) + np.bincount(
                segment, values, minlength=size
            )
    return columns


def _videos(
    chunk: Predictions, first: NDArray[np.intp]
) -> tuple[tuple[tuple[str, str], ...], NDArray[np.int64]]:
    """Return the distinct (task, name) of a chunk, and each segment's index into them.

    Args:
        chunk: The rows.
        first: The first row of each segment.
    """
    width = max(1, len(chunk.video.names))
    pair = chunk.task.codes[first].astype(np.int64) * width + chunk.video.codes[first]
    distinct, inverse = np.unique(pair, return_inverse=True)
    keys = [(chunk.task.names[p // width], chunk.video.names[p % width]) for p in distinct.tolist()]
    return tuple(keys), inverse.astype(np.int64)


def _baselines(
    chunk: Predictions, starts: NDArray[np.int64], counting: Counting | None
) -> dict[str, NDArray[np.float64]]:
    answers = {"constant": np.full(len(chunk), CONSTANT)}
    for name in BASELINE_COLUMNS[1:]:
        answers[name] = (
            np.full(len(chunk), np.nan)
            if counting is None
            else counting.predict(chunk, per_action=name.endswith("per_action"))
        )
    columns = {}
    for name, values in answers.items():
        sums = error_sums(values, chunk.target, starts)
        columns[f"{name}_absolute"], columns[f"{name}_squared"] = sums.absolute, sums.squared
    return columns


def _frame_means(chunk: Predictions, starts: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    nothing = np.zeros(len(starts))
    frames = segment_lengths(starts, len(chunk)).astype(np.float64)
    columns = {}
    for name, mean in FRAME_MEANS.items():
        values = mean.values(chunk)
        columns[name] = nothing if values is None else segment_sums(values, starts)
        columns[f"{name}_frames"] = nothing if values is None else frames
    return columns


def _tables(
    chunk: Predictions, video: NDArray[np.int64], videos: int, bins: int
) -> dict[str, NDArray[np.generic]]:
    error = chunk.prediction - chunk.target
    columns = (np.abs(error), error)
    position = position_bins(chunk.elapsed, chunk.duration, bins)
    value = value_bins(chunk.prediction, bins)
    pit = np.zeros((videos, PIT_BINS), dtype=np.int64)
    if chunk.pit is not None:
        cell = video * PIT_BINS + value_bins(chunk.pit, PIT_BINS)
        pit = np.bincount(cell, minlength=pit.size).reshape(pit.shape)
    return {
        "positions": binned_sums(position, video, columns, groups=videos, bins=bins),
        "values": binned_sums(value, video, columns, groups=videos, bins=bins),
        "pit": pit,
    }


def _runs(chunk: Predictions, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the runs of consecutive frames: segment, first and last elapsed."""
    new = np.ones(len(chunk), dtype=np.bool_)
    new[1:] = chunk.elapsed[1:] != chunk.elapsed[:-1] + 1
    new[starts] = True
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(chunk)) - 1
    segment = np.searchsorted(starts, first, side="right") - 1
    return np.stack([segment, chunk.elapsed[first], chunk.elapsed[last]], axis=1)
