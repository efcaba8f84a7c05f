"""Videos with action segments: the types that every reader produces and every worker takes.

Features are read lazily: a `Video` holds a `FeatureSource`, which opens its file when a
range of frames is asked for. The sources are plain dataclasses, so that they travel to
worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "ArrayFeatures", "Dataset", "FeatureSource", "Segment", "Video"]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Segment:
    """One action instance.

    Attributes:
        start: First frame, 0-based.
        end: Last frame, inclusive.
        action: Name of the action.
        censored: The action goes on beyond the video's end, so that its duration is only
            known to be at least `duration`.
    """

    start: int
    end: int
    action: str
    censored: bool = False

    @property
    def duration(self) -> int:
        """Number of frames, at least 1 for a valid segment."""
        return self.end - self.start + 1


@runtime_checkable
class FeatureSource(Protocol):
    """Where a video's frame features are read from.

    Implementations are picklable and hold no open file.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """`(T, D)` for vectors or `(T, C, H, W)` for frame maps."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return frames `start` to `stop`, half-open, as float32."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayFeatures:
    """Features that are already in memory: float array `(T, ...)`."""

    array: NDArray[np.floating]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, frames first."""
        return self.array.shape

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return frames `start` to `stop`, half-open, as float32."""
        return np.asarray(self.array[start:stop], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Video:
    """A recording with its action segments.

    Frames in no segment are background. Segments are ordered by start; two neighbours may
    share their boundary frame, which then belongs to both.

    Attributes:
        name: Unique within its task.
        task: The procedure that the video shows; empty where the data has no tasks.
        num_frames: Frames at the features' rate.
        segments: Action instances, ordered by start.
        features: Where the features are, or None for annotations without features.
        split: One of `SPLITS`, or None where the data has no splits.
        fps: Feature frames per second, or None where unknown.
        source: Where the recording comes from, for the reader's information.
    """

    name: str
    task: str
    num_frames: int
    segments: tuple[Segment, ...]
    features: FeatureSource | None = None
    split: str | None = None
    fps: float | None = None
    source: str | None = None

    @property
    def where(self) -> str:
        """What to call it in messages: the file with its features, its task and its name."""
        name = f"video {' '.join((self.task, self.name)).strip()}"
        file = getattr(self.features, "path", None)
        return name if file is None else f"{file}, {name}"

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return feature frames `start` to `stop`, half-open, float32 `(n, ...)`.

        Raises:
            ValueError: If the video has no features.
        """
        if self.features is None:
            raise ValueError(f"video {self.name!r} has annotations only, no features")
        return self.features.read(start, stop)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Videos in a fixed order, and what the path they came from was taken for.

    Attributes:
        videos: All videos of all splits.
        description: What it was taken for, such as "GTCC JSON, 15 tasks, ends inclusive".
        origin: The path or built-in name that opens the same data again, with
            `options` as the reader's options (both are stored in checkpoints).
        options: The options that `progfix.data.open.open_dataset` was given.
        notices: What a reader noticed that needs no action, such as shared boundary frames.
    """

    videos: tuple[Video, ...]
    description: str = ""
    origin: str = ""
    options: dict[str, object] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[Video]:
        return iter(self.videos)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that at least one video belongs to, in the order of `SPLITS`."""
        present = {video.split for video in self.videos}
        return tuple(split for split in SPLITS if split in present)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names in order of first appearance."""
        return tuple(dict.fromkeys(video.task for video in self.videos))

    @property
    def has_features(self) -> bool:
        """Whether every video comes with features."""
        return all(video.features is not None for video in self.videos)

    @property
    def feature_shape(self) -> tuple[int, ...] | None:
        """Shape of one frame's features, `(D,)` or `(C, H, W)`; None without features."""
        for video in self.videos:
            if video.features is not None:
                return tuple(video.features.shape[1:])
        return None

    def split(self, name: str) -> Dataset:
        """Return the videos of one split; "all" returns everything.

        Args:
            name: One of `SPLITS`, or "all".
        """
        return self if name == "all" else self.where(lambda video: video.split == name)

    def where(self, keep: Callable[[Video], bool]) -> Dataset:
        """Return the videos for which `keep` is true, in order."""
        return replace(self, videos=tuple(video for video in self.videos if keep(video)))

    def durations(self) -> dict[str, NDArray[np.int64]]:
        """Return the durations in frames of all uncensored segments, by action name."""
        return durations_by_action(
            segment for video in self.videos for segment in video.segments if not segment.censored
        )


def durations_by_action(segments: Iterable[Segment]) -> dict[str, NDArray[np.int64]]:
    """Group durations (frames) by action name, in order of first appearance."""
    table: dict[str, list[int]] = {}
    for segment in segments:
        table.setdefault(segment.action, []).append(segment.duration)
    return {action: np.asarray(values, dtype=np.int64) for action, values in table.items()}
