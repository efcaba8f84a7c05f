"""What embeddings carry: ridge regression and nearest neighbours, tested on other videos.

If a simple predictor reads progress where the head does not, the head loses it; if nothing
reads the duration, no head can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Dataset, Segment
from progfix.diagnosis.asking import Sample, spread_out
from progfix.diagnosis.linear import neighbours, ridge
from progfix.diagnosis.measured import EmbeddingProbe, ratios

__all__ = ["FEWEST_VIDEOS", "probe_embeddings"]

FEWEST_VIDEOS = 5
"""Videos that it takes to fit on some and test on others."""

FITTED_VIDEOS = 48
"""Training videos that are fitted on beside those of the sample, at most."""

FOLDS = 5
FRAMES_PER_SEGMENT = 12
"""Frames of each segment that are looked at, evenly spread, its first and last among them."""

WIDEST = 256
"""Wider embeddings are projected to as many random directions (Johnson and Lindenstrauss)."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Some frames of some segments, n of them.

    Attributes:
        weight: `(n,)`, frames of the segment that each stands for.
        clock: `(n, 2)`, log elapsed and its square.
        seen: `(n, 2 D)`, the frame's embedding and the mean over the prefix.
        video: `(n,)`, names one video each.
        target: `(n,)`, progress.
        duration: `(n,)`, its logarithm.
        action: `(n,)`, names.
    """

    weight: Array
    clock: Array
    seen: Array
    video: NDArray[np.int64]
    target: Array
    duration: Array
    action: NDArray[np.str_]


def probe_embeddings(sample: Sample, data: Dataset) -> EmbeddingProbe | str:
    """Fit simple predictors of progress, log duration and action, and test them.

    The videos of the sample are predicted in five folds, each from the other folds and up
    to `FITTED_VIDEOS` training videos that are not among them.

    Args:
        sample: Segments with the head's answers.
        data: All splits.

    Returns:
        What was found, or why nothing can be said.
    """
    tested = [(asked.place, asked.segment, asked.embeddings) for asked in sample.segments]
    rows = [_rows_of(place, s, e.double().cpu().numpy()) for place, s, e in tested]
    names = {(video.task, video.name) for video in sample.videos}
    others = [v for v in data.split("train") if (v.task, v.name) not in names]
    number = len(sample.videos)
    for video in spread_out(others, FITTED_VIDEOS):
        embeddings = sample.probing.embed(video).double().cpu().numpy()
        rows += [
            _rows_of(number, s, embeddings[s.start : s.end + 1])
            for s in video.segments
            if not s.censored
        ]
        number += 1
    videos = len({int(part.video[0]) for part in rows})
    if videos < FEWEST_VIDEOS:
        return f"{videos} videos are too few to fit on some and test on others"
    answers = [a.answer[_frames(len(a.answer))] for a in sample.segments]
    return _judge(_join(rows), np.concatenate(answers), sample.stands_for(), fitted_on=videos)


def _frames(length: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, length - 1, FRAMES_PER_SEGMENT).round().astype(np.int64))


def _nearest(frames: NDArray[np.int64]) -> Array:
    """Return how many frames of a segment are nearest to each of some, first and last among them.

    A frame half way between two counts for the earlier one.
    """
    ends = np.concatenate([[-1], (frames[:-1] + frames[1:]) // 2, frames[-1:]])
    return np.diff(ends).astype(np.float64)


def _rows_of(video: int, segment: Segment, embeddings: Array) -> _Rows:
    if embeddings.shape[1] > WIDEST:
        directions = np.random.default_rng(0).standard_normal((embeddings.shape[1], WIDEST))
        embeddings = embeddings @ (directions / np.sqrt(WIDEST))
    frames = _frames(len(embeddings))
    elapsed = np.log(frames + 1.0)
    mean = np.cumsum(embeddings, axis=0) / np.arange(1, len(embeddings) + 1)[:, None]
    same = len(frames)
    return _Rows(
        _nearest(frames),
        np.stack([elapsed, elapsed**2], axis=1),
        np.concatenate([embeddings[frames], mean[frames]], axis=1),
        np.full(same, video),
        (frames + 1) / len(embeddings),
        np.full(same, np.log(len(embeddings))),
        np.full(same, segment.action),
    )


def _join(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        np.concatenate([p.weight for p in parts]),
        np.concatenate([p.clock for p in parts]),
        np.concatenate([p.seen for p in parts]),
        np.concatenate([p.video for p in parts]),
        np.concatenate([p.target for p in parts]),
        np.concatenate([p.duration for p in parts]),
        np.concatenate([p.action for p in parts]),
    )


def _judge(rows: _Rows, head: Array, stands_for: Array, *, fitted_on: int) -> EmbeddingProbe:
    """Predict the first `len(head)` rows, those of the sample, from videos that are not theirs.

    Errors of progress count by the frames that a row stands for, in its segment and its video:
    they estimate errors over all frames of these videos, whatever was sampled of them.

    Args:
        rows: Those of the sample first.
        head: The head's answers to them.
        stands_for: `(v,)`, frames of its video that a frame of the sample stands for.
        fitted_on: Videos in all.
    """
    n = len(head)
    actions, action = np.unique(rows.action, return_inverse=True)
    wanted = np.column_stack([rows.target, rows.duration, np.eye(len(actions))[action]])
    tested = np.unique(rows.video[:n])
    fold = np.full(rows.video.max() + 1, FOLDS)
    fold[tested] = np.arange(len(tested)) % FOLDS
    clock, linear, near = (np.zeros((n, wanted.shape[1])) for _ in range(3))
    everything = np.column_stack([rows.clock, rows.seen])
    for number in range(min(FOLDS, len(tested))):
        test = np.flatnonzero(fold[rows.video[:n]] == number)
        fit = fold[rows.video] != number
        clock[test] = ridge(rows.clock[fit], wanted[fit], rows.clock[test])
        linear[test] = ridge(everything[fit], wanted[fit], everything[test])
        near[test] = neighbours(everything[fit], wanted[fit], everything[test])
    target, duration = rows.target[:n], rows.duration[:n]
    place = np.searchsorted(tested, rows.video[:n])

    def by_video(values: Array) -> Array:
        return np.bincount(place, values, minlength=len(tested)).astype(np.float64)

    weight = rows.weight[:n] * stands_for[rows.video[:n]]
    every = by_video(weight)
    of_head = by_video(weight * np.abs(head - target))
    of_clock, of_linear, of_near = (
        by_video(weight * np.abs(np.clip(answer[:, 0], 0, 1) - target))
        for answer in (clock, linear, near)
    )
    by_clock, by_linear, by_near = (
        by_video((answer[:, 1] - duration) ** 2) for answer in (clock, linear, near)
    )
    better = of_linear if of_linear.sum() <= of_near.sum() else of_near
    errors = np.column_stack([of_linear, of_near, of_head - better])
    mae_linear, mae_near, saved = ratios(errors, every)
    known_linear, known_near = ratios(
        np.column_stack([by_clock - by_linear, by_clock - by_near]), by_clock
    )
    return EmbeddingProbe(
        videos=len(tested),
        fitted_on=fitted_on,
        frames=n,
        mae_head=float(of_head.sum() / every.sum()),
        mae_clock=float(of_clock.sum() / every.sum()),
        mae_linear=mae_linear,
        mae_neighbours=mae_near,
        saved=saved,
        duration_linear=known_linear,
        duration_neighbours=known_near,
        action_linear=float((linear[:, 2:].argmax(axis=1) == action[:n]).mean()),
        action_neighbours=float((near[:, 2:].argmax(axis=1) == action[:n]).mean()),
        action_most_frequent=float(np.bincount(action[:n]).max() / n),
    )
