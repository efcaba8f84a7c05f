"""The mergeable state of an evaluation: sums per segment and per video, no frames.

Ratios are taken last, so that chunks, files and processes merge exactly, and resampling
videos is a reweighting of their sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from progfix.evaluation.frame_means import FRAME_MEANS
from progfix.metrics.levels import LevelCounts

__all__ = ["BASELINE_COLUMNS", "SEGMENT_COLUMNS", "VIDEO_TABLES", "Sums"]

BASELINE_COLUMNS = ("constant", "frame_counting", "frame_counting_per_action")

SEGMENT_COLUMNS = {
    "video": "index into `videos`",
    "action": "index into `actions`",
    "index": "of the segment within its video",
    "duration": "frames of the whole segment",
    "frames": "rows that were given of it",
    "absolute": "sum of absolute errors",
    "squared": "sum of squared errors",
    "signed": "sum of prediction - target",
    "mean": "mean prediction",
    "deviations": "sum of squared deviations from the mean prediction",
    "target_mean": "mean target",
    "target_deviations": "sum of squared deviations from the mean target",
    "spearman": "rank correlation with time; NaN where undefined",
    "kendall": "tau-b with time; NaN where undefined",
    "pairs": "consecutive pairs of rows",
    "falls": "pairs in which the prediction falls",
    "fallen": "sum of the sizes of the falls",
    "first": "prediction at elapsed 1; NaN if that frame was not given",
    "last": "prediction at the last frame; NaN if that frame was not given",
    **dict.fromkeys(FRAME_MEANS, "sum over the frames that have it"),
    **{f"{name}_frames": "how many they are" for name in FRAME_MEANS},
    **{f"{name}_absolute": "the baseline's sum of absolute errors" for name in BASELINE_COLUMNS},
    **{f"{name}_squared": "the baseline's sum of squared errors" for name in BASELINE_COLUMNS},
}
"""Columns of `Sums.segments`, one row per segment."""

VIDEO_TABLES = {
    "positions": "count, absolute and signed error by position bin, `(v, bins, 3)`",
    "values": "the same by bin of the predicted value, `(v, bins, 3)`",
    "pit": "probability integral transforms in ten bins, `(v, 10)`",
}
"""Tables of `Sums.tables`, one row per video."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of any number of videos.

    Attributes:
        videos: (task, name) of each video, `v` of them.
        actions: Names that `action` refers to.
        segments: `SEGMENT_COLUMNS`, each `(s,)`.
        tables: `VIDEO_TABLES`, each `(v, ...)`; empty after `take_segments`.
        levels: Predictions by video and level; empty after `take_segments`.
        runs: int64 `(r, 3)`: segment, first and last elapsed of consecutive frames, kept
            only while it is not known what frame counting would answer.
        missing: Columns that the predictions did not have.
    """

    videos: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    segments: dict[str, NDArray[np.generic]]
    tables: dict[str, NDArray[np.generic]]
    levels: LevelCounts
    runs: NDArray[np.int64]
    missing: frozenset[str] = frozenset()

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a column of the segments as float64."""
        return self.segments[name].astype(np.float64)

    def index(self, name: str) -> NDArray[np.int64]:
        """Return a column of whole numbers."""
        return self.segments[name].astype(np.int64)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Task names, sorted."""
        return tuple(sorted({task for task, _ in self.videos}))

    @cached_property
    def video_task(self) -> NDArray[np.int64]:
        """Index into `tasks` of each video, int64 `(v,)`."""
        place = {task: i for i, task in enumerate(self.tasks)}
        return np.array([place[task] for task, _ in self.videos], dtype=np.int64)

    @cached_property
    def level_table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Counts of predictions by video and level, `(v, k)`, and the levels' values, `(k,)`."""
        return self.levels.table(len(self.videos))

    def per_video(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum a column of the segments over each video, float64 `(v,)`."""
        totals = np.bincount(self.index("video"), values, minlength=len(self.videos))
        return totals.astype(np.float64)

    @classmethod
    def concat(cls, parts: Iterable[Sums]) -> Sums:
        """Merge; videos and actions of the same name become one.

        Raises:
            ValueError: If there is no part.
        """
        given = list(parts)
        if not given:
            raise ValueError("expected at least one part, found none")
        videos = {key: i for i, key in enumerate(dict.fromkeys(k for p in given for k in p.videos))}
        names = {n: i for i, n in enumerate(dict.fromkeys(n for p in given for n in p.actions))}
        of_video = [np.array([videos[key] for key in p.videos], np.int64) for p in given]
        of_action = [np.array([names[name] for name in p.actions], np.int64) for p in given]
        segments = {
            name: np.concatenate([p.segments[name] for p in given]) for name in given[0].segments
        }
        pairs = list(zip(given, of_video, of_action, strict=True))
        segments["video"] = np.concatenate([v[p.index("video")] for p, v, _ in pairs])
        segments["action"] = np.concatenate([a[p.index("action")] for p, _, a in pairs])
        tables: dict[str, NDArray[np.generic]] = {}
        for name, first in given[0].tables.items():
            table = np.zeros((len(videos), *first.shape[1:]), dtype=first.dtype)
            for part, place in zip(given, of_video, strict=True):
                table[place] += part.tables[name]
            tables[name] = table
        levels = LevelCounts.merge(
            [p.levels._replace(group=v[p.levels.group]) for p, v, _ in pairs]
        )
        sizes = np.cumsum([0, *(len(p.segments["video"]) for p in given)])
        runs = [p.runs + np.array([size, 0, 0]) for p, size in zip(given, sizes, strict=False)]
        missing = frozenset().union(*(p.missing for p in given))
        return cls(
            tuple(videos), tuple(names), segments, tables, levels, np.concatenate(runs), missing
        )

    def canonical(self) -> Sums:
        """Return the same in the order of names, so that results do not depend on order.

        Raises:
            ValueError: If a segment was given twice, or in two pieces.
        """
        order = sorted(range(len(self.videos)), key=self.videos.__getitem__)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        by_name = sorted(range(len(self.actions)), key=self.actions.__getitem__)
        name_place = np.empty(len(by_name), dtype=np.int64)
        name_place[by_name] = np.arange(len(by_name))
        video, index = place[self.index("video")], self.index("index")
        rows = np.lexsort((index, video))
        same = (np.diff(video[rows]) == 0) & (np.diff(index[rows]) == 0)
        if same.any():
            row = rows[np.flatnonzero(same)[0]]
            raise ValueError(
                f"segment {index[row]} of video {self.videos[self.index('video')[row]]} was given "
                "more than once; give each segment once and whole"
            )
        segments = {name: values[rows] for name, values in self.segments.items()}
        segments["video"] = video[rows]
        segments["action"] = name_place[self.index("action")][rows]
        moved = np.empty(len(rows), dtype=np.int64)
        moved[rows] = np.arange(len(rows))
        runs = self.runs.copy()
        runs[:, 0] = moved[runs[:, 0]]
        return replace(
            self,
            videos=tuple(self.videos[i] for i in order),
            actions=tuple(self.actions[i] for i in by_name),
            segments=segments,
            tables={name: table[order] for name, table in self.tables.items()},
            levels=self.levels._replace(group=place[self.levels.group]),
            runs=runs[np.lexsort((runs[:, 1], runs[:, 0]))],
        )

    def take_videos(self, chosen: NDArray[np.int64]) -> Sums:
        """Return the sums of some videos, by index, in the order given; runs are left out."""
        place = np.full(len(self.videos), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        rows, level_video = place[self.index("video")] >= 0, place[self.levels.group]
        segments = {name: values[rows] for name, values in self.segments.items()}
        segments["video"] = place[self.index("video")[rows]]
        return replace(
            self,
            videos=tuple(self.videos[i] for i in chosen),
            segments=segments,
            tables={name: table[chosen] for name, table in self.tables.items()},
            levels=self.levels.take(level_video >= 0, level_video),
            runs=np.empty((0, 3), dtype=np.int64),
        )

    def take_segments(self, rows: NDArray[np.intp]) -> tuple[Sums, NDArray[np.int64]]:
        """Return the sums of some segments, and which videos they are in.

        Args:
            rows: Indices of the segments; what they are many of takes time, not the others.

        Returns:
            Sums without tables per video, and the indices of its videos, rising.
        """
        chosen = np.unique(self.segments["video"][rows].astype(np.int64))
        segments = {name: values[rows] for name, values in self.segments.items()}
        part = replace(self, segments=segments, tables={}, levels=LevelCounts.merge([]))
        return part.take_videos(chosen), chosen
