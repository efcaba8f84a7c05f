"""Open HDF5 files, kept per process, and the features read from them.

A file is opened once per process and state of the file; 10,000 reads do not open it 10,000
times. Nothing outside the file is ever followed: soft and external links, virtual data
sets and external storage are refused.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import h5py
import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Segment
from progfix.errors import InputError, Problem
from progfix.hdf5_access.members import (
    HDF5_ERRORS,
    first_line,
    member,
    open_file,
    require_bounded_chunks,
    values,
)

__all__ = ["Hdf5Features", "labels_checksum", "open_hdf5"]

OPEN_FILES = 16
"""Files that a process keeps open."""

OPEN_DATASETS = 256
"""Data sets that are kept open in each."""

CHUNK_CACHE_BYTES = 1 << 18
"""Bytes of chunks that each open data set may hold: one chunk of our writer's."""


class _OpenFile:
    """A file, the data sets last read from it, and what is known of its groups.

    Attributes:
        file: The file.
        datasets: Data sets by group, the last used at the end.
        verified: Features whose groups were found to be what they say.
        compressed: Those with compressed features, and the chunks that were looked at.
    """

    def __init__(self, path: Path) -> None:
        self.file = open_file(path, rdcc_nbytes=CHUNK_CACHE_BYTES)
        self.datasets: OrderedDict[str, h5py.Dataset] = OrderedDict()
        self.verified: set[Hdf5Features] = set()
        self.compressed: dict[str, set[tuple[int, ...]]] = {}


_LOCK = threading.RLock()
_FILES: OrderedDict[tuple[int, str, int, int], _OpenFile] = OrderedDict()


@dataclass(frozen=True)
class Hdf5Features:
    """Features of one video in a progfix HDF5 file.

    Attributes:
        path: The file.
        group: The video's group.
        shape: `(T, D)` or `(T, C, H, W)`.
        labels: Checksum of the labels that the file's index gave for this video, compared
            with the group's at the first read; None where they were read from the group.
    """

    path: Path
    group: str
    shape: tuple[int, ...]
    labels: int | None = None

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return frames `start` to `stop`, half-open, float32 `(n, ...)`.

        Raises:
            InputError: If the file has gone, is damaged, or changed since it was opened.
        """
        first, last, _ = slice(start, stop).indices(self.shape[0])
        with _LOCK:
            try:
                opened = _cached(self.path)
                dataset = self._dataset(opened)
                if self.group in opened.compressed:
                    known = opened.compressed[self.group]
                    require_bounded_chunks(dataset, slice(first, last), known)
                # As stored: NumPy converts float16 several times faster than HDF5 does.
                stored = np.empty((max(0, last - first), *self.shape[1:]), dataset.dtype)
                if stored.size:
                    dataset.read_direct(stored, np.s_[first:last])
            except HDF5_ERRORS as error:
                raise self._problem(
                    "features that can be read",
                    f"damage ({first_line(error)})",
                    "restore the file from where it came from",
                ) from error
        with np.errstate(over="ignore"):  # float64 beyond float32 is infinite, and found to be
            return stored.astype(np.float32, copy=False)

    def _dataset(self, opened: _OpenFile) -> h5py.Dataset:
        dataset = opened.datasets.get(self.group)
        if dataset is None or self not in opened.verified:
            group = member(opened.file, self.group, h5py.Group)
            dataset = member(group, "features", h5py.Dataset)
            if self not in opened.verified:
                self._verify(group, dataset)
                opened.verified.add(self)
                if dataset.compression:
                    opened.compressed[self.group] = set()
            opened.datasets[self.group] = dataset
            if len(opened.datasets) > OPEN_DATASETS:
                opened.datasets.popitem(last=False)
        opened.datasets.move_to_end(self.group)
        return dataset

    def _verify(self, group: h5py.Group, dataset: h5py.Dataset) -> None:
        """Refuse a group that is not what the index, or an earlier look, said."""
        if dataset.shape != self.shape:
            raise self._problem(
                f"features of shape {self.shape}",
                f"{dataset.shape}",
                "rewrite the file with `progfix data convert`, or open it again",
            )
        if self.labels is not None and group_checksum(group) != self.labels:
            raise self._problem(
                "the segments that the file's index names",
                "others in the video's group",
                "rewrite the file with `progfix data convert`, which renews the index",
            )

    def _problem(self, expected: str, found: str, fix: str) -> InputError:
        return InputError(
            Problem(f"{self.path}, video {unquote(self.group)}", expected, found, fix)
        )


def labels_checksum(segments: Sequence[Segment]) -> int:
    """Return a checksum of segments as they are stored, in the file's order."""
    text = ";".join(f"{s.start},{s.end},{int(s.censored)},{s.action}" for s in segments)
    return zlib.crc32(text.encode())


def group_checksum(group: h5py.Group) -> int:
    """Return `labels_checksum` of the labels that a video's group holds."""
    spans = values(group, "segments").reshape(-1, 2)
    actions = values(group, "actions")
    censored = (
        values(group, "censored")
        if group.id.links.exists(b"censored")
        else np.zeros(len(spans), dtype=np.bool_)
    )
    rows = zip(spans.tolist(), actions.tolist(), censored.tolist(), strict=True)
    return labels_checksum(
        [Segment(start, end, action, bool(cut)) for (start, end), action, cut in rows]
    )


def open_hdf5(path: Path) -> h5py.File:
    """Return an open file, from the cache where it is unchanged.

    Raises:
        InputError: If it is missing, truncated, or no HDF5 file.
    """
    with _LOCK:
        return _cached(path).file


def _cached(path: Path) -> _OpenFile:
    try:
        state = path.stat()
        # The process is part of the key: a handle does not survive a fork.
        key = (os.getpid(), str(path), state.st_size, state.st_mtime_ns)
        if key in _FILES:
            _FILES.move_to_end(key)
        else:
            # libhdf5 takes a file that it has open, by its inode, for what it was.
            for old in [known for known in _FILES if known[:2] == key[:2]]:
                _FILES.pop(old).file.close()
            _FILES[key] = _OpenFile(path)
            if len(_FILES) > OPEN_FILES:
                _FILES.popitem(last=False)
    except OSError as error:
        raise InputError(
            Problem(
                str(path),
                "an HDF5 file",
                _why_not(path, error),
                "restore the file from where it came from",
            )
        ) from error
    return _FILES[key]


def _why_not(path: Path, error: OSError) -> str:
    if not path.exists():
        return "no such file"
    if path.is_dir():
        return "a folder"
    if path.stat().st_size == 0:
        return "an empty file"
    if "truncated" in str(error):
        return "a truncated file"
    return f"another file ({first_line(error)})"
