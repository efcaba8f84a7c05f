"""Writer of progfix HDF5 files (`progfix-data/1`, docs/formats.md), video by video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import h5py
import numpy as np
from numpy.typing import DTypeLike

from progfix.data.dataset import Video
from progfix.data.hdf5 import FORMAT
from progfix.data.hdf5_index import IndexRow, write_index
from progfix.errors import InputError, Problem
from progfix.files import PatientFile, atomic_path, patient_file

__all__ = ["FeatureType", "write_hdf5"]

FeatureType = Literal["float32", "float16"]

CHUNK_BYTES = 1 << 18
"""Bytes of a chunk; a segment of a hundred frames of 512 columns is one chunk."""

BLOCK_BYTES = 1 << 26
"""Bytes of features that are in memory at once."""


def write_hdf5(
    path: Path,
    videos: Iterable[Video],
    *,
    dtype: FeatureType = "float32",
    on_video: Callable[[Video], None] | None = None,
) -> int:
    """Write videos with their features, chunked and with checksums, and the index.

    The file appears under its name only when it is complete.

    Args:
        path: Where to; a file of that name is replaced.
        videos: May be a generator; one video's features are read block by block.
        dtype: How features are stored.
        on_video: Called after each video, for progress bars.

    Returns:
        The number of videos.

    Raises:
        InputError: If a video has no features or appears twice, if values do not fit
            float16, or if the place cannot be written.
    """
    rows: list[IndexRow] = []
    seen: set[tuple[str, str]] = set()
    keys: set[str] = set()
    with (
        atomic_path(path) as temporary,
        patient_file(temporary) as out,
        _new_file(out) as file,
    ):
        file.attrs["format"] = FORMAT
        for video in videos:
            where = f"video {' '.join((video.task, video.name)).strip()!r}"
            if (video.task, video.name) in seen:
                problem = Problem(where, "each video once", "it twice", "rename one of them")
                raise InputError(problem)
            _require_storable(where, video)
            seen.add((video.task, video.name))
            key = _group_name(video, keys)
            keys.add(key)
            shape = _write_video(file.create_group(key), key, where, video, dtype, out)
            rows.append(IndexRow(key, shape, replace(video, features=None)))
            if on_video is not None:
                on_video(video)
        write_index(file, rows)
    return len(rows)


def _new_file(out: PatientFile) -> h5py.File:
    # Since 1.10 HDF5 can put checksums on metadata, too: damage is then an error, where
    # without them it can crash the library.
    return h5py.File(out, "w", libver=("v110", "v110"))


def _group_name(video: Video, taken: set[str]) -> str:
    """Return the percent-encoded name, preceded by the task's where two tasks share it."""
    in_task = f"{video.task}/{video.name}"
    names = chain((video.name, in_task), (f"{in_task}/{n}" for n in count(2)))
    # A lone dot means "this group" to HDF5.
    encoded = (quote(name, safe="").replace(".", "%2E", name.startswith(".")) for name in names)
    return next(name for name in encoded if name not in taken)


def _require_storable(where: str, video: Video) -> None:
    if video.features is None:
        raise InputError(
            Problem(
                where,
                "features",
                "annotations only",
                "name their folder with --feature-dir, or make synthetic ones with "
                "`progfix data make --annotations`",
            )
        )
    texts = (video.name, video.task, video.source or "", *(s.action for s in video.segments))
    for text in texts:
        if "\0" in text or text.encode("utf-8", "ignore").decode() != text:
            problem = Problem(where, "names in UTF-8", ascii(text), "rename it")
            raise InputError(problem)


def _write_video(
    group: h5py.Group,
    key: str,
    where: str,
    video: Video,
    dtype: FeatureType,
    out: PatientFile,
) -> tuple[int, ...]:
    features = video.features
    if features is None:
        raise ValueError(f"{where} has no features")
    shape = features.shape
    frame_bytes = max(1, int(np.prod(shape[1:]))) * np.dtype(dtype).itemsize
    stored = group.create_dataset(
        "features",
        shape,
        dtype,
        chunks=(min(shape[0], max(1, CHUNK_BYTES // frame_bytes)), *shape[1:]),
        fletcher32=True,
    )
    block = max(1, BLOCK_BYTES // frame_bytes)
    for start in range(0, shape[0], block):
        values = features.read(start, min(start + block, shape[0]))
        with np.errstate(over="ignore"):
            narrow = values.astype(dtype)
        if (np.isfinite(values) & ~np.isfinite(narrow)).any():
            found = f"{np.abs(values[np.isfinite(values)]).max():g}"
            expected = f"features within {np.finfo(dtype).max:g}, the largest {dtype}"
            raise InputError(Problem(where, expected, found, "store them as float32"))
        stored[start : start + len(narrow)] = narrow
        out.require()
    _write_column(group, "segments", [(s.start, s.end) for s in video.segments], np.int64, (2,))
    actions = [segment.action.encode() for segment in video.segments]
    # Of fixed length: text of variable length lies in a heap that has no checksum.
    text = h5py.string_dtype("utf-8", max((1, *map(len, actions))))
    _write_column(group, "actions", actions, text, ())
    if any(segment.censored for segment in video.segments):
        censored = [segment.censored for segment in video.segments]
        _write_column(group, "censored", censored, np.bool_, ())
    attributes = {
        "name": None if key == video.name else video.name,
        "task": video.task,
        "split": video.split,
        "fps": video.fps,
        "source": video.source,
    }
    group.attrs.update({name: value for name, value in attributes.items() if value is not None})
    return shape


def _write_column(
    group: h5py.Group, name: str, rows: Sequence[object], dtype: DTypeLike, inner: tuple[int, ...]
) -> None:
    table = np.array(rows, dtype).reshape(len(rows), *inner)
    # An empty table cannot be chunked, and so can have no checksum.
    group.create_dataset(name, data=table, dtype=dtype, fletcher32=bool(rows) or None)
