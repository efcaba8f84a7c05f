"""From sources to what a figure shows, in two passes over chunks of whole videos.

The first pass keeps sums over frames and one error per segment, the second the rows of the
chosen segments. Small tables are kept from the first pass, so that a model runs once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from progfix.metrics.segments import segment_lengths, segment_sums
from progfix.predictions import Predictions

__all__ = [
    "Key",
    "Replay",
    "SegmentTable",
    "Shared",
    "pick_rows",
    "segment_keys",
    "shared_segments",
]

Key = tuple[str, str, int, int]
"""What names a segment in every source: task, video, index in the video, duration."""


class Replay:
    """Chunks that are produced once and kept for the next pass, if they are few.

    Args:
        chunks: Yields the chunks anew at each call.
        budget: Rows to keep at most; a larger table is produced again at each pass.
    """

    def __init__(self, chunks: Callable[[], Iterator[Predictions]], budget: int) -> None:
        self._chunks = chunks
        self._budget = budget
        self._kept: list[Predictions] | None = None

    def __iter__(self) -> Iterator[Predictions]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Predictions] = []
        rows = 0
        for chunk in self._chunks():
            rows += len(chunk)
            if rows <= self._budget:
                kept.append(chunk)
            else:
                kept.clear()
            yield chunk
        if rows <= self._budget:
            self._kept = kept


@dataclass(eq=False)
class SegmentTable:
    """One row per segment of a source.

    Attributes:
        keys: What names them.
        absolute: Sum of absolute errors over their frames with a finite prediction.
        frames: Number of those frames.
        missing: Columns that the source did not have.
    """

    keys: list[Key] = field(default_factory=list)
    absolute: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    def add(self, chunk: Predictions) -> None:
        """Add the segments of a chunk."""
        starts = chunk.segment_starts()
        error = np.abs(chunk.prediction - chunk.target)
        finite = np.isfinite(error)
        self.keys += segment_keys(chunk)
        self.absolute += segment_sums(np.where(finite, error, 0.0), starts).tolist()
        self.frames += segment_sums(finite, starts).tolist()
        self.missing |= chunk.missing


def segment_keys(chunk: Predictions, *, with_task: bool = True) -> list[Key]:
    """Return the key of each segment, in order.

    Args:
        chunk: The rows.
        with_task: Whether the task is part of the key; otherwise it is empty in all.
    """
    heads = chunk.take(chunk.segment_starts().astype(np.intp))
    return list(
        zip(
            heads.task.decode() if with_task else [""] * len(heads),
            heads.video.decode(),
            heads.segment.tolist(),
            heads.duration.tolist(),
            strict=True,
        )
    )


def pick_rows(
    chunks: Iterable[Predictions], wanted: Collection[Key], *, with_task: bool = True
) -> dict[Key, Predictions]:
    """Return the rows of the wanted segments; stops as soon as all are found.

    Args:
        chunks: Of whole videos.
        wanted: Keys as `segment_keys` returns them.
        with_task: As in `segment_keys`.
    """
    found: dict[Key, Predictions] = {}
    for chunk in chunks:
        starts = chunk.segment_starts()
        lengths = segment_lengths(starts, len(chunk))
        for key, start, length in zip(
            segment_keys(chunk, with_task=with_task), starts, lengths, strict=True
        ):
            if key in wanted and key not in found:
                found[key] = chunk.take(slice(int(start), int(start + length)))
        if len(found) == len(wanted):
            break
    return found


@dataclass(frozen=True, eq=False)
class Shared:
    """The segments that every source has, in the first one's order.

    Attributes:
        keys: What names them.
        rows: Their rows in the first source's table.
        with_task: Whether keys hold tasks; not where a source does not know them.
        others: Segments of any source that another one lacks.
    """

    keys: list[Key]
    rows: list[int]
    with_task: bool
    others: int


def shared_segments(tables: Sequence[SegmentTable]) -> Shared:
    """Match the segments of several sources.

    A key that a source has twice (possible where tasks are unknown) names nothing, and
    matches nothing.

    Args:
        tables: One per source.
    """
    with_task = not any("task" in table.missing for table in tables)
    named = [_unique_keys(table, with_task) for table in tables]
    keys = [key for key in named[0] if all(key in other for other in named[1:])]
    others = sum(len(table.keys) - len(keys) for table in tables)
    return Shared(keys, [named[0][key] for key in keys], with_task, others)


def _unique_keys(table: SegmentTable, with_task: bool) -> dict[Key, int]:
    keys = table.keys if with_task else [("", *key[1:]) for key in table.keys]
    rows = {key: row for row, key in enumerate(keys)}
    counts = Counter(keys)
    return {key: row for key, row in rows.items() if counts[key] == 1}
