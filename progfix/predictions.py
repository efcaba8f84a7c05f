"""The currency of progfix: one row per action frame, in columns.

Whatever produces progress (a model, a file, a baseline) yields `Predictions`; whatever
judges it (metrics, diagnosis, plots) takes them. Large tables flow as chunks of whole
videos. Reading and writing files is `progfix.predictions_io`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LARGEST_PREDICTION",
    "LONGEST_ACTION",
    "Category",
    "Predictions",
    "progress_targets",
    "segment_predictions",
]

LARGEST_PREDICTION = 1e9
"""Predictions beyond this, or its negative, are a diverged model's and are refused."""

LONGEST_ACTION = 10_000_000
"""Frames of an action that is believed, 46 hours at 60 frames per second."""


@dataclass(frozen=True, eq=False)
class Category:
    """A column of strings, stored as codes into a table of names.

    Attributes:
        codes: int32 `(n,)`, indices into `names`.
        names: The distinct strings; some may be unused.
    """

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str]) -> Category:
        """Encode strings, names in order of first appearance."""
        table = {value: code for code, value in enumerate(dict.fromkeys(values))}
        codes = np.fromiter(map(table.__getitem__, values), np.int32, len(values))
        return cls(codes, tuple(table))

    @classmethod
    def full(cls, value: str, size: int) -> Category:
        """Return a column of `size` times the same string."""
        return cls(np.zeros(size, dtype=np.int32), (value,))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Category:
        """Return the chosen rows, names unchanged."""
        return Category(self.codes[rows], self.names)

    def repeat(self, times: NDArray[np.int64]) -> Category:
        """Return row i `times[i]` times, names unchanged."""
        return Category(np.repeat(self.codes, times), self.names)

    def decode(self) -> list[str]:
        """Return the strings, one per row."""
        return [self.names[code] for code in self.codes]

    @classmethod
    def concat(cls, parts: Sequence[Category]) -> Category:
        """Join columns, merging their tables of names."""
        table: dict[str, int] = {}
        codes: list[NDArray[np.int32]] = []
        for part in parts:
            mapping = np.array(
                [table.setdefault(name, len(table)) for name in part.names], dtype=np.int32
            )
            codes.append(mapping[part.codes] if len(part) else part.codes)
        joined = np.concatenate(codes) if codes else np.empty(0, np.int32)
        return cls(joined, tuple(table))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Progress predictions of action frames, `n` rows.

    The rows of one segment are contiguous, their `elapsed` rising; the segments of one
    video are contiguous. A video is identified by its task and its name.

    Attributes:
        video: Video names.
        task: Task names; a single empty name where unknown.
        action: Action names; a single empty name where unknown.
        segment: int64 `(n,)`, index of the segment within its video.
        elapsed: int64 `(n,)`, frames since the segment's start, 1 at its first frame.
        duration: int64 `(n,)`, frames of the whole segment.
        target: float64 `(n,)`, elapsed / duration, in (0, 1].
        prediction: float64 `(n,)`, usually in [0, 1]; not clipped.
        lower: float64 `(n,)`, lower end of the 80 % interval, or None.
        upper: float64 `(n,)`, upper end of the 80 % interval, or None.
        crps: float64 `(n,)`, continuous ranked probability score, or None.
        pit: float64 `(n,)`, probability integral transform of the target, or None.
        missing: Columns that the source did not have and that were filled in or derived.
    """

    video: Category
    task: Category
    action: Category
    segment: NDArray[np.int64]
    elapsed: NDArray[np.int64]
    duration: NDArray[np.int64]
    target: NDArray[np.float64]
    prediction: NDArray[np.float64]
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    crps: NDArray[np.float64] | None = None
    pit: NDArray[np.float64] | None = None
    missing: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        for column in fields(self):
            value = getattr(self, column.name)
            if column.name != "missing" and value is not None and len(value) != len(self.video):
                raise ValueError(
                    f"column {column.name!r}: expected {len(self.video)} rows as in 'video', "
                    f"found {len(value)}"
                )

    def __len__(self) -> int:
        return len(self.video)

    def segment_starts(self) -> NDArray[np.int64]:
        """Return the row at which each segment begins, int64 `(segments,)`."""
        return _starts(self.task.codes, self.video.codes, self.segment)

    def video_starts(self) -> NDArray[np.int64]:
        """Return the row at which each video begins, int64 `(videos,)`."""
        return _starts(self.task.codes, self.video.codes)

    def take(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Predictions:
        """Return the chosen rows."""
        chosen: dict[str, object] = {}
        for column in fields(self):
            value = getattr(self, column.name)
            if isinstance(value, Category):
                chosen[column.name] = value.take(rows)
            elif isinstance(value, np.ndarray):
                chosen[column.name] = value[rows]
        return replace(self, **chosen)  # type: ignore[arg-type]  # names come from fields()

    def with_prediction(self, prediction: NDArray[np.float64]) -> Predictions:
        """Return the same frames with other predictions and without intervals."""
        return replace(self, prediction=prediction, lower=None, upper=None, crps=None, pit=None)

    @classmethod
    def concat(cls, parts: Iterable[Predictions]) -> Predictions:
        """Join chunks in order; an optional column survives if every chunk has it.

        Raises:
            ValueError: If there is no chunk.
        """
        chunks = list(parts)
        if not chunks:
            raise ValueError("expected at least one chunk of predictions, found none")
        joined: dict[str, object] = {}
        for column in fields(cls):
            values = [getattr(chunk, column.name) for chunk in chunks]
            if column.name == "missing":
                joined[column.name] = frozenset().union(*values)
            elif isinstance(values[0], Category):
                joined[column.name] = Category.concat(values)
            elif all(value is not None for value in values):
                joined[column.name] = np.concatenate(values)
        return cls(**joined)  # type: ignore[arg-type]  # names come from fields()


def progress_targets(duration: int) -> NDArray[np.float64]:
    """Return (i + 1) / L for i = 0..L-1, float64 `(duration,)`, in (0, 1].

    Source: the target of the GTCC progress-head fork
    (Anish-1221/GTCC_CVPR2024_Reproduce, utils/tensorops.py).
    """
    return np.arange(1, duration + 1, dtype=np.float64) / duration


def segment_predictions(
    prediction: ArrayLike,
    *,
    video: str,
    task: str = "",
    action: str = "",
    segment: int = 0,
    elapsed: ArrayLike | None = None,
    duration: int | None = None,
) -> Predictions:
    """Return the table of one segment from plain arrays.

    Args:
        prediction: Progress at each frame, `(n,)`; anything that NumPy can read.
        video: The video's name.
        task: Its task.
        action: The segment's action.
        segment: Index of the segment within the video.
        elapsed: 1-based frame of each row, rising, `(n,)`; None for all frames 1 .. n.
        duration: Frames of the whole segment; None for n.

    Raises:
        ValueError: If the arrays are not one-dimensional and of one length, or elapsed does
            not rise from 1 at least to the duration at most.
    """
    values = np.asarray(prediction, dtype=np.float64)
    frames = np.arange(1, values.size + 1) if elapsed is None else np.asarray(elapsed)
    if values.ndim != 1 or values.shape != frames.shape:
        raise ValueError(f"expected arrays of shape (n,), found {values.shape} and {frames.shape}")
    length = values.size if duration is None else duration
    if np.any(np.diff(frames) < 1) or np.any(frames < 1) or np.any(frames > length):
        raise ValueError(f"expected elapsed that rises within 1 .. {length}, found {frames}")
    return Predictions(
        video=Category.full(video, values.size),
        task=Category.full(task, values.size),
        action=Category.full(action, values.size),
        segment=np.full(values.size, segment, dtype=np.int64),
        elapsed=frames.astype(np.int64),
        duration=np.full(values.size, length, dtype=np.int64),
        target=frames / length if values.size else values,
        prediction=values,
    )


def _starts(*keys: NDArray[np.integer]) -> NDArray[np.int64]:
    if len(keys[0]) == 0:
        return np.empty(0, dtype=np.int64)
    changed = np.zeros(len(keys[0]), dtype=np.bool_)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed).astype(np.int64)
