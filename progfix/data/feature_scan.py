"""One pass over features, block by block: what is wrong with the numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Video
from progfix.errors import InputError, Problem

__all__ = ["FeatureScan", "non_finite_problem", "scan_features", "validate_features"]

BLOCK_VALUES = 1 << 24
"""Numbers that are in memory at once (64 MB)."""

Observer = Callable[[Video], None]


@dataclass(frozen=True, eq=False)
class FeatureScan:
    """What one pass over a video's features found.

    Attributes:
        non_finite: Values that are NaN or infinite.
        first_bad: First frame with such a value, or None.
        zero_frames: Frames in which every feature is 0.
        first_zero: The first of them, or None.
        low: Smallest finite value of each column, float32 `(columns,)`.
        high: Largest finite value of each column, float32 `(columns,)`.
        digest: Of all values; equal for equal features.
    """

    non_finite: int
    first_bad: int | None
    zero_frames: int
    first_zero: int | None
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    digest: bytes

    @property
    def constant(self) -> bool:
        """Whether no column ever changes."""
        return bool((self.low >= self.high).all())


def scan_features(video: Video) -> FeatureScan:
    """Read a video's features once, in blocks.

    Raises:
        InputError: If they cannot be read.
        ValueError: If the video has none.
    """
    if video.features is None:
        raise ValueError(f"video {video.name!r} has annotations only, no features")
    shape = video.features.shape
    columns = int(np.prod(shape[1:]))
    low = np.full(columns, np.inf, np.float32)
    high = np.full(columns, -np.inf, np.float32)
    non_finite, first_bad = 0, None
    zero_frames, first_zero = 0, None
    hashed = hashlib.sha256(repr(shape).encode())
    step = max(1, BLOCK_VALUES // max(1, columns))
    for start in range(0, shape[0], step):
        block = np.ascontiguousarray(video.read(start, start + step)).reshape(-1, columns)
        hashed.update(block.data)
        bad = ~np.isfinite(block)
        if bad.any():
            non_finite += int(bad.sum())
            if first_bad is None:
                first_bad = start + int(bad.any(axis=1).argmax())
            block = np.where(bad, np.nan, block)
        zero = ~block.any(axis=1)
        if zero.any():
            zero_frames += int(zero.sum())
            if first_zero is None:
                first_zero = start + int(zero.argmax())
        # fmin and fmax pass over NaN.
        low = np.fmin(low, np.fmin.reduce(block, axis=0))
        high = np.fmax(high, np.fmax.reduce(block, axis=0))
    return FeatureScan(non_finite, first_bad, zero_frames, first_zero, low, high, hashed.digest())


def validate_features(videos: Iterable[Video], *, on_video: Observer | None = None) -> None:
    """Refuse features that are NaN or infinite, all of them at once.

    Reads everything once, block by block; meant for before training and evaluation.

    Args:
        videos: With features.
        on_video: Called after each video, for progress bars.

    Raises:
        InputError: One problem per video, with its count and first frame; or if features
            cannot be read.
        ValueError: If a video has no features.
    """
    problems = []
    for video in videos:
        scan = scan_features(video)
        if scan.first_bad is not None:
            problems.append(non_finite_problem(video, scan))
        if on_video is not None:
            on_video(video)
    if problems:
        raise InputError(problems)


def non_finite_problem(video: Video, scan: FeatureScan) -> Problem:
    """Return what a user is told of a video with NaN or infinite features."""
    return Problem(
        video.where,
        "finite features",
        f"{scan.non_finite:,} NaN or infinite values, the first in frame {scan.first_bad}",
        "extract the features of this video again",
    )
