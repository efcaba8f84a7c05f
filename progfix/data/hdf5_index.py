"""The index of a progfix HDF5 file: two root tables that spare visiting every video.

`#index` has one row per video, `#segments` the segments of all videos in the same order.
A video's group is never called so, since `#` is percent-encoded. The groups are what
counts: a reader that ignores the tables misses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Segment, Video
from progfix.data.hdf5_handles import Hdf5Features, labels_checksum
from progfix.hdf5_access.members import HDF5_ERRORS, values

__all__ = ["INDEX", "SEGMENTS", "IndexRow", "read_index", "write_index"]

INDEX = "#index"
SEGMENTS = "#segments"
_TEXTS = ("group", "name", "task", "split", "source")
_MAX_DIMENSIONS = 4


class IndexRow(NamedTuple):
    """What the index says of one video: its group, its features' shape, and itself."""

    key: str
    shape: tuple[int, ...]
    video: Video


def write_index(file: h5py.File, rows: Sequence[IndexRow]) -> None:
    """Write the tables.

    Args:
        file: Open for writing.
        rows: All videos, in the file's order.
    """
    texts = [
        [value.encode() for value in (row.key, v.name, v.task, v.split or "", v.source or "")]
        for row in rows
        for v in [row.video]
    ]
    widths = [max([1, *(len(text[i]) for text in texts)]) for i in range(len(_TEXTS))]
    index = np.zeros(
        len(rows),
        dtype=[
            *((name, f"S{width}") for name, width in zip(_TEXTS, widths, strict=True)),
            ("fps", "<f8"),
            ("shape", "<i8", (_MAX_DIMENSIONS,)),
            ("segments", "<i8"),
        ],
    )
    for number, (text, row) in enumerate(zip(texts, rows, strict=True)):
        padded = (*row.shape, *[0] * (_MAX_DIMENSIONS - len(row.shape)))
        fps = math.nan if row.video.fps is None else row.video.fps
        index[number] = (*text, fps, padded, len(row.video.segments))
    _write_table(file, INDEX, index)
    everything = [segment for row in rows for segment in row.video.segments]
    width = max((len(segment.action.encode()) for segment in everything), default=1)
    _write_table(
        file,
        SEGMENTS,
        np.array(
            [(s.start, s.end, s.censored, s.action.encode()) for s in everything],
            dtype=[
                ("start", "<i8"),
                ("end", "<i8"),
                ("censored", "i1"),
                ("action", f"S{max(1, width)}"),
            ],
        ),
    )


def _write_table(file: h5py.File, name: str, table: NDArray[np.void]) -> None:
    # An empty table cannot be chunked, and so can have no filters.
    filters = {"fletcher32": True, "compression": "gzip"} if len(table) else {}
    file.create_dataset(name, data=table, **filters)


def read_index(path: Path, file: h5py.File) -> list[tuple[str, Video]] | None:
    """Read the tables.

    Returns:
        Group names and videos; None where there is no index, or one that does not name
        the groups that the file has.
    """
    try:
        if INDEX not in file or SEGMENTS not in file:
            return None
        index = values(file, INDEX)
        segments = values(file, SEGMENTS)
        rows = list(_rows(path, index, segments))
    except (*HDF5_ERRORS, AttributeError, IndexError):  # tables of other columns
        return None
    groups = [name for name in file if name not in (INDEX, SEGMENTS)]
    return rows if sorted(key for key, _ in rows) == sorted(groups) else None


def _rows(
    path: Path, index: NDArray[np.void], segments: NDArray[np.void]
) -> Iterator[tuple[str, Video]]:
    counts = index["segments"]
    if (counts < 0).any() or counts.sum() != len(segments) or (index["shape"][:, 0] < 1).any():
        raise ValueError("the index tables do not fit each other")
    everything = list(
        map(
            Segment,
            segments["start"].tolist(),
            segments["end"].tolist(),
            [action.decode() for action in segments["action"].tolist()],
            segments["censored"].astype(np.bool_).tolist(),
        )
    )
    last = 0
    for row in index.tolist():
        key, name, task, split, source = (text.decode() for text in row[: len(_TEXTS)])
        fps, padded, count = row[len(_TEXTS) :]
        shape = tuple(int(size) for size in padded if size)
        first, last = last, last + count
        own = tuple(everything[first:last])
        features = Hdf5Features(path, key, shape, labels_checksum(own))
        yield (
            key,
            Video(
                name,
                task,
                shape[0],
                own,
                features,
                split or None,
                None if math.isnan(fps) else fps,
                source or None,
            ),
        )
