"""Reader for progfix HDF5 files (`progfix-data/1`, docs/formats.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import h5py
import numpy as np

from progfix.data.collector import Collector
from progfix.data.dataset import Video
from progfix.data.hdf5_group import SharedFrames, checked, read_group
from progfix.data.hdf5_handles import open_hdf5
from progfix.data.hdf5_index import INDEX, SEGMENTS, read_index
from progfix.data.options import DataOptions
from progfix.data.reading import Reading
from progfix.errors import InputError, Problem, listed
from progfix.hdf5_access.members import HDF5_ERRORS, first_line

__all__ = ["FORMAT", "read_hdf5"]

FORMAT = "progfix-data/1"

SPOT_CHECKS = 16
"""Videos whose groups are compared with the index when a file is opened."""


def read_hdf5(path: Path, options: DataOptions, *, trust_index: bool = True) -> Reading:
    """Read a file's videos; features stay in it.

    With an index the groups are not visited, except a few that are compared with it; the
    others are compared when their features are first read. An index that does not fit is
    left aside with a notice. Everything works without index and without checksums.

    Args:
        path: The file.
        options: The user's options; `background`, where given, drops segments.
        trust_index: Whether to use the index; checking data visits every group instead.

    Raises:
        InputError: If the file is missing, damaged, or something else.
    """
    file = open_hdf5(path)
    _require_format(path, file)
    collector = Collector()
    shared = SharedFrames()
    keys = _video_groups(path, file)
    has_index = INDEX in file
    indexed = read_index(path, file) if has_index else None
    if indexed is not None and not _agrees(path, file, indexed, trust_index=trust_index):
        indexed = None
    if has_index and indexed is None:
        _note_stale_index(collector)
    if indexed is not None and trust_index:
        videos = [
            checked(f"{path}, video {unquote(key)}", video, video.segments, collector, shared)
            for key, video in indexed
        ]
    else:
        read = (read_group(path, file, key, collector, shared) for key in keys)
        videos = [video for video in read if video is not None]
    if options.background != DataOptions().background:
        videos = [_without(video, options.background) for video in videos]
    if shared.count:
        _note_shared(shared, collector)
    return Reading(tuple(videos), "progfix HDF5", collector.findings())


def _require_format(path: Path, file: h5py.File) -> None:
    try:
        found = file.attrs.get("format")
    except HDF5_ERRORS:
        found = None
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if isinstance(found, str) and found == FORMAT:
        return
    fix = "write it in the layout of docs/formats.md"
    what = (
        f"attribute format = {listed([found])}" if found is not None else "an HDF5 file without it"
    )
    if isinstance(found, str) and found.startswith("progfix-predictions/"):
        what, fix = "a predictions file", "give it as SOURCE instead of --data"
    elif isinstance(found, str) and found.startswith("progfix-data/"):
        fix = "update progfix, the file comes from another version"
    expected = f"progfix data (root attribute format = {FORMAT!r})"
    raise InputError(Problem(str(path), expected, what, fix))


def _video_groups(path: Path, file: h5py.File) -> list[str]:
    try:
        return [key for key in file if key not in (INDEX, SEGMENTS)]
    except HDF5_ERRORS as error:
        fix = "restore the file from where it came from"
        found = f"damage ({first_line(error)})"
        raise InputError(Problem(str(path), "an intact HDF5 file", found, fix)) from error


def _agrees(
    path: Path, file: h5py.File, indexed: list[tuple[str, Video]], *, trust_index: bool
) -> bool:
    """Compare index and groups, a few of them where the index is trusted, else all."""
    count = min(SPOT_CHECKS, len(indexed)) if trust_index else len(indexed)
    chosen = np.linspace(0, len(indexed) - 1, count).astype(int).tolist() if indexed else []
    for row in chosen:
        key, video = indexed[row]
        own = Collector()
        there = read_group(path, file, key, own, SharedFrames())
        here = checked("", video, video.segments, Collector(), SharedFrames())
        if there is None or _facts(there) != _facts(here):
            return False
    return True


def _facts(video: Video) -> tuple[object, ...]:
    shape = video.features.shape if video.features else None
    return (video.name, video.task, video.segments, shape, video.split, video.fps, video.source)


def _without(video: Video, background: tuple[str, ...]) -> Video:
    return replace(video, segments=tuple(s for s in video.segments if s.action not in background))


def _note_stale_index(collector: Collector) -> None:
    collector.note(
        "invalid-file",
        "warning",
        "the index does not fit the videos and was left aside; `progfix data convert` "
        "writes a new one",
    )


def _note_shared(shared: SharedFrames, collector: Collector) -> None:
    collector.note(
        "overlapping-segments",
        "info",
        f"{shared.count:,} of {shared.segments:,} segments share their first frame with an "
        f"earlier one",
        shared_boundaries=shared.count,
        segments=shared.segments,
    )
