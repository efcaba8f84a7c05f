"""What a data set holds, in numbers: the worker behind `progfix data info`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from progfix.data.dataset import SPLITS, Dataset, Video

__all__ = ["QUANTILES", "DataSummary", "SplitSummary", "TaskSummary", "summarise"]

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Which quantiles of the actions' durations are given."""


@dataclass(frozen=True)
class SplitSummary:
    """One split.

    Attributes:
        split: Its name, or None for videos in no split.
        videos: Number of videos.
        segments: Number of action segments.
        frames: Frames of all videos.
        action_frames: Frames in at least one segment.
        durations: Quantiles (`QUANTILES`) of the segments' durations in frames; empty
            without segments.
    """

    split: str | None
    videos: int
    segments: int
    frames: int
    action_frames: int
    durations: tuple[float, ...]


@dataclass(frozen=True)
class TaskSummary:
    """One task.

    Attributes:
        task: Its name, empty where the data has no tasks.
        videos: Number of videos by split; videos in no split are not in it.
        actions: Distinct action names.
        segments: Number of action segments.
        median_duration: Of the segments, in frames; NaN without segments.
    """

    task: str
    videos: dict[str, int]
    actions: int
    segments: int
    median_duration: float


@dataclass(frozen=True, eq=False)
class DataSummary:
    """A data set in numbers.

    Attributes:
        path: What opens it again.
        description: What it was taken for.
        fps: Frames per second, or None where unknown or mixed.
        feature_shape: Of one frame, or None without features.
        notices: What its reader noticed.
        splits: All videos by split, and a last row for everything.
        tasks: All videos by task.
    """

    path: str
    description: str
    fps: float | None
    feature_shape: tuple[int, ...] | None
    notices: tuple[str, ...]
    splits: tuple[SplitSummary, ...]
    tasks: tuple[TaskSummary, ...]

    def to_json(self) -> dict[str, object]:
        """Return the summary as JSON values, `progfix-data-info/1`."""
        return {
            "format": "progfix-data-info/1",
            **asdict(self),
            "duration_quantiles": list(QUANTILES),
            "tasks": [
                asdict(task) | {"median_duration": task.median_duration if task.segments else None}
                for task in self.tasks
            ],
        }


def summarise(data: Dataset) -> DataSummary:
    """Count videos, segments and frames by split and task; features are not read."""
    rates = {video.fps for video in data}
    names: tuple[str | None, ...] = (*SPLITS, None)
    groups = [(name, [video for video in data if video.split == name]) for name in names]
    splits = [_split(name, videos) for name, videos in groups if videos]
    if len(splits) > 1:
        splits.append(_split("all", data.videos))
    return DataSummary(
        data.origin,
        data.description,
        rates.pop() if len(rates) == 1 else None,
        data.feature_shape,
        data.notices,
        tuple(splits),
        tuple(_task(task, [v for v in data if v.task == task]) for task in data.tasks),
    )


def _durations(videos: Sequence[Video]) -> list[int]:
    return [segment.duration for video in videos for segment in video.segments]


def _split(name: str | None, videos: Sequence[Video]) -> SplitSummary:
    durations = _durations(videos)
    return SplitSummary(
        name,
        len(videos),
        len(durations),
        sum(video.num_frames for video in videos),
        sum(_covered(video) for video in videos),
        tuple(float(q) for q in np.quantile(durations, QUANTILES)) if durations else (),
    )


def _covered(video: Video) -> int:
    """Count the frames in at least one segment; segments are ordered by start."""
    covered, last = 0, -1
    for segment in video.segments:
        covered += max(0, segment.end - max(last, segment.start - 1))
        last = max(last, segment.end)
    return covered


def _task(name: str, videos: Sequence[Video]) -> TaskSummary:
    durations = _durations(videos)
    return TaskSummary(
        name,
        {split: sum(v.split == split for v in videos) for split in SPLITS},
        len({segment.action for video in videos for segment in video.segments}),
        len(durations),
        float(np.median(durations)) if durations else float("nan"),
    )
