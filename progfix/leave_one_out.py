"""Frame counting where only predictions are given: fitted, for each video, on all others.

A table fitted on the very segments that it predicts would know them; leaving the video out
keeps the bar honest without a training split.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progfix.frame_counting import Statistic, tail_scale
from progfix.predictions import Category, Predictions

__all__ = ["LEAVE_ONE_OUT", "LeaveOneVideoOut", "SegmentPool"]

LEAVE_ONE_OUT = "leave-one-video-out"
"""What reports say that frame counting was fitted on."""

_TABLE_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class SegmentPool:
    """Durations of segments, by integer video and action.

    Attributes:
        video: int64 `(s,)`.
        action: int64 `(s,)`.
        duration: int64 `(s,)`, frames, at least 1.
    """

    video: NDArray[np.int64]
    action: NDArray[np.int64]
    duration: NDArray[np.int64]

    def answers(
        self,
        video: NDArray[np.int64],
        action: NDArray[np.int64],
        elapsed: NDArray[np.int64],
        *,
        per_action: bool = False,
        statistic: Statistic = "median",
    ) -> NDArray[np.float64]:
        """Return what counting on all other videos answers at each row.

        Args:
            video: Of each row, `(n,)`.
            action: Of each row, `(n,)`.
            elapsed: 1-based frame of each row, `(n,)`.
            per_action: Count on segments of the row's action alone; where no other video
                has that action, on all.
            statistic: As in `progfix.frame_counting.frame_counting`.

        Returns:
            float64 `(n,)` in (0, 1]; NaN where no other video has a segment.
        """
        if not per_action:
            return self._pooled(video, elapsed, statistic)
        answers = np.full(len(video), np.nan)
        segments, rows = _groups(self.action), _groups(action)
        for key, chosen in rows.items():
            pool = self.take(segments.get(key, np.empty(0, np.intp)))
            everywhere = np.concatenate([pool.video, video[chosen]])
            if len(pool.video) == 0 or (everywhere == everywhere[0]).all():
                continue  # no other video has it, as with names that are all different
            answers[chosen] = pool._pooled(video[chosen], elapsed[chosen], statistic)
        missing = np.isnan(answers)
        answers[missing] = self._pooled(video[missing], elapsed[missing], statistic)
        return answers

    def take(self, rows: NDArray[np.intp]) -> SegmentPool:
        """Return the chosen segments."""
        return SegmentPool(self.video[rows], self.action[rows], self.duration[rows])

    def _pooled(
        self, video: NDArray[np.int64], elapsed: NDArray[np.int64], statistic: Statistic
    ) -> NDArray[np.float64]:
        answers = np.full(len(video), np.nan)
        durations, slot = np.unique(self.duration, return_inverse=True)
        if len(durations) == 0 or len(video) == 0:
            return answers
        counts = np.bincount(slot, minlength=len(durations))
        order = np.argsort(video, kind="stable")
        videos, first = np.unique(video[order], return_index=True)
        step = max(1, _TABLE_CELLS // len(durations))
        for start in range(0, len(videos), step):
            block = videos[start : start + step]
            stop = first[start + step] if start + step < len(videos) else len(order)
            rows = order[first[start] : stop]
            own = np.zeros((len(block), len(durations)), dtype=np.int64)
            at = np.searchsorted(block, self.video)
            inside = (at < len(block)) & (block[np.minimum(at, len(block) - 1)] == self.video)
            np.add.at(own, (at[inside], slot[inside]), 1)
            others = counts - own
            scale = tail_scale(durations, others, statistic)
            answers[rows] = _read_tables(
                durations, scale, np.searchsorted(block, video[rows]), elapsed[rows]
            )
            empty = others.sum(axis=1) == 0
            answers[rows[empty[np.searchsorted(block, video[rows])]]] = np.nan
        return answers


@dataclass(frozen=True, eq=False)
class LeaveOneVideoOut:
    """Leave-one-video-out counting with the interface of `progfix.frame_counting.FrameCounting`.

    Attributes:
        pool: All segments.
        videos: Index of each (task, video).
        actions: Index of each action name.
        fitted_on: What the durations were, for reports.
    """

    pool: SegmentPool
    videos: dict[tuple[str, str], int]
    actions: dict[str, int]
    fitted_on: str = LEAVE_ONE_OUT

    @classmethod
    def fit(cls, chunks: Iterable[Predictions]) -> LeaveOneVideoOut:
        """Collect the durations of all segments; one pass, memory by segments, not frames."""
        videos: dict[tuple[str, str], int] = {}
        actions: dict[str, int] = {}
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
        for chunk in chunks:
            heads = chunk.take(chunk.segment_starts().astype(np.intp))
            parts.append(
                (
                    _video_ids(heads, videos, extend=True),
                    _ids(heads.action, actions, extend=True),
                    heads.duration,
                )
            )
        empty = np.empty(0, np.int64)
        joined = [np.concatenate([empty, *column]) for column in zip(*parts, strict=True)]
        return cls(SegmentPool(*(joined or (empty, empty, empty))), videos, actions)

    def predict(self, frames: Predictions, *, per_action: bool = False) -> NDArray[np.float64]:
        """Return the answers for the rows of `frames`, float64 `(n,)`."""
        return self.pool.answers(
            _video_ids(frames, self.videos, extend=False),
            _ids(frames.action, self.actions, extend=False),
            frames.elapsed,
            per_action=per_action,
        )


def _read_tables(
    durations: NDArray[np.int64],
    scale: NDArray[np.float64],
    table: NDArray[np.intp],
    elapsed: NDArray[np.int64],
) -> NDArray[np.float64]:
    slot = np.searchsorted(durations, elapsed)
    found = scale[table, np.minimum(slot, len(durations) - 1)]
    beyond = (slot == len(durations)) | np.isnan(found)
    return np.where(beyond, 1.0, elapsed / np.where(beyond, 1.0, found))


def _groups(keys: NDArray[np.int64]) -> dict[int, NDArray[np.intp]]:
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=False))


def _ids(column: Category, table: dict[str, int], *, extend: bool) -> NDArray[np.int64]:
    used = np.zeros(len(column.names), dtype=np.bool_)
    used[column.codes] = True
    mapping = np.full(len(column.names), -1, dtype=np.int64)
    for code in np.flatnonzero(used):
        name = column.names[code]
        mapping[code] = table.setdefault(name, len(table)) if extend else table.get(name, -1)
    return mapping[column.codes]


def _video_ids(
    frames: Predictions, table: dict[tuple[str, str], int], *, extend: bool
) -> NDArray[np.int64]:
    width = max(1, len(frames.video.names))
    pairs = frames.task.codes.astype(np.int64) * width + frames.video.codes
    distinct, inverse = np.unique(pairs, return_inverse=True)
    mapping = np.empty(len(distinct), dtype=np.int64)
    for row, pair in enumerate(distinct.tolist()):
        key = (frames.task.names[pair // width], frames.video.names[pair % width])
        mapping[row] = table.setdefault(key, len(table)) if extend else table.get(key, -1)
    return mapping[inverse]
