"""One video's group of a progfix HDF5 file, checked before use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import h5py
import numpy as np

from progfix.data.collector import Collector
from progfix.data.dataset import SPLITS, Segment, Video
from progfix.data.hdf5_handles import Hdf5Features
from progfix.data.reading import valid_segments
from progfix.data.splits import unknown_split
from progfix.errors import Problem
from progfix.hdf5_access.members import HDF5_ERRORS, first_line, member, whole

__all__ = ["SharedFrames", "checked", "read_group"]

T = TypeVar("T")

_TEXTS = ("name", "task", "split", "source")

SEGMENTS_PER_FRAME = 4
"""More segments than this per frame is no annotation; keeps a damaged size from being read."""


@dataclass
class SharedFrames:
    """How many segments share their first frame with an earlier one, over all videos."""

    count: int = 0
    segments: int = 0


def read_group(
    path: Path, file: h5py.File, key: str, collector: Collector, shared: SharedFrames
) -> Video | None:
    """Read one video; features stay in the file.

    Args:
        path: The file, for messages and for later reads.
        file: The open file.
        key: Name of the group.
        collector: Told of everything in the group that is not as docs/formats.md says.
        shared: Counts shared boundary frames.

    Returns:
        The video, or None if it is unusable.
    """
    where = f"{path}, video {unquote(key)}"
    defects: list[str] = []

    def part(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except HDF5_ERRORS as error:
            defects.append(first_line(error))
            return None

    group = part(lambda: member(file, key, h5py.Group))
    if group is not None:
        shape = part(lambda: _feature_shape(member(group, "features", h5py.Dataset))) or (0,)
        segments = part(lambda: _segments(group, shape[0])) or []
        texts = {name: part(partial(_text, group, name)) for name in _TEXTS}
        video = Video(
            texts["name"] or unquote(key),
            texts["task"] or "",
            shape[0],
            (),
            Hdf5Features(path, key, shape),
            texts["split"],
            part(lambda: _fps(group)),
            texts["source"],
        )
    if defects:
        fix = "write the video again, with the layout of docs/formats.md"
        expected, found = "a video in progfix-data/1 layout", "; ".join(defects)
        collector.refuse("invalid-file", Problem(where, expected, found, fix))
        return None
    return checked(where, video, segments, collector, shared)


def checked(
    where: str,
    video: Video,
    segments: Sequence[Segment],
    collector: Collector,
    shared: SharedFrames,
) -> Video:
    """Return the video with its segments, refusing what cannot be."""
    if video.split is not None and video.split not in SPLITS:
        collector.refuse("missing-splits", unknown_split(where, video.split))
    valid, count = valid_segments(where, segments, video.num_frames, collector)
    shared.count += count
    shared.segments += len(valid)
    return replace(video, segments=valid)


def _feature_shape(dataset: h5py.Dataset) -> tuple[int, ...]:
    if not np.issubdtype(dataset.dtype, np.floating):
        raise ValueError(f"'features' of data type {dataset.dtype} instead of float32 or float16")
    if dataset.ndim not in (2, 4) or 0 in dataset.shape:
        raise ValueError(f"'features' of shape {dataset.shape} instead of (T, D) or (T, C, H, W)")
    return tuple(int(size) for size in dataset.shape)


def _segments(group: h5py.Group, num_frames: int) -> list[Segment]:
    spans = member(group, "segments", h5py.Dataset)
    actions = member(group, "actions", h5py.Dataset)
    if spans.size == actions.size == 0 and spans.dtype.kind in "iuf":
        return []  # numpy makes an empty list an array of floats, of whatever shape
    if spans.ndim != 2 or spans.shape[1] != 2 or not np.issubdtype(spans.dtype, np.integer):
        raise ValueError(f"'segments' of {_kind(spans)} instead of integers (n, 2)")
    if num_frames and spans.shape[0] > SEGMENTS_PER_FRAME * num_frames:
        raise ValueError(f"{spans.shape[0]} segments in {num_frames} frames")
    if h5py.check_string_dtype(actions.dtype) is None or actions.shape != spans.shape[:1]:
        raise ValueError(f"'actions' of {_kind(actions)} instead of {len(spans)} strings")
    censored = np.zeros(len(spans), dtype=np.bool_)
    if "censored" in group:
        stored = member(group, "censored", h5py.Dataset)
        if stored.shape != spans.shape[:1] or stored.dtype.kind not in "biu":
            raise ValueError(f"'censored' of {_kind(stored)} instead of {len(spans)} booleans")
        censored = whole(stored).astype(np.bool_)
    rows = zip(whole(spans).tolist(), whole(actions).tolist(), censored.tolist(), strict=True)
    return [Segment(start, end, action, cut) for (start, end), action, cut in rows]


def _kind(dataset: h5py.Dataset) -> str:
    return f"{dataset.dtype} {dataset.shape}"


def _text(group: h5py.Group, key: str) -> str | None:
    value: Any = group.attrs.get(key)
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise ValueError(f"attribute {key!r} that is no text")  # noqa: TRY004
    return str(value)


def _fps(group: h5py.Group) -> float | None:
    value: Any = group.attrs.get("fps")
    if value is None:
        return None
    fps = float(value)
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"attribute 'fps' of {fps}")
    return fps
