"""The data that scale is measured on: any number of segments in progfix HDF5.

    python -m tests.benchmarks.scale_data FILE [--segments 100000] [--dtype float16]

A video has 1,000 frames of 128-d features in 10 segments of 20 actions, log-normal in length
(100 frames on average, 10 at least), and no background. A frame is its action's prototype, a
drift along the action, and noise. One video in 50 is for validation and one in 50 for the test.
Videos are made and written one by one, each from the seed and its number alone: memory does
not grow, and the first thousand segments are the same in files of any size.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import FeatureType, write_hdf5

__all__ = ["FRAMES", "PER_VIDEO", "WIDTH", "scale_videos", "write_scale"]

FRAMES = 1000
PER_VIDEO = 10
WIDTH = 128
_ACTIONS = 20
_TASKS = 5
_SHORTEST = 10


def durations(rng: np.random.Generator) -> list[int]:
    """Draw the durations of a video's segments: frames, `FRAMES` together."""
    shares = rng.lognormal(sigma=0.5, size=PER_VIDEO)
    ends = np.cumsum(shares / shares.sum()) * (FRAMES - PER_VIDEO * _SHORTEST)
    return [int(frames) + _SHORTEST for frames in np.diff(np.round(ends), prepend=0)]


def scale_videos(count: int, *, seed: int = 0) -> Iterator[Video]:
    """Make videos, each when it is asked for."""
    prototypes, drifts = np.random.default_rng(seed).normal(
        size=(2, _ACTIONS, WIDTH), scale=0.3
    ).astype(np.float32)  # fmt: skip
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        features = rng.standard_normal((FRAMES, WIDTH), np.float32)
        segments, start = [], 0
        for length in durations(rng):
            action = int(rng.integers(_ACTIONS))
            progress = np.arange(1, length + 1, dtype=np.float32)[:, None] / length
            features[start : start + length] += prototypes[action] + progress * drifts[action]
            segments.append(Segment(start, start + length - 1, f"action {action:02d}"))
            start += length
        split = {48: "val", 49: "test"}.get(number % 50, "train")
        yield Video(
            f"video {number:06d}",
            f"task {number // 50 % _TASKS}",
            FRAMES,
            tuple(segments),
            ArrayFeatures(features),
            split=split,
            fps=4.0,
        )


def write_scale(path: Path, segments: int, *, dtype: FeatureType = "float16") -> None:
    """Write a file of so many segments, a multiple of 10.

    Raises:
        ValueError: If it is none.
    """
    if segments < 1 or segments % PER_VIDEO:
        raise ValueError(f"expected a multiple of {PER_VIDEO} segments, found {segments}")
    write_hdf5(path, scale_videos(segments // PER_VIDEO), dtype=dtype)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a file and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float16")
    options = parser.parse_args(arguments)
    write_scale(options.file, options.segments, dtype=options.dtype)
    size = options.file.stat().st_size
    sys.stdout.write(f"{options.file}: {options.segments:,} segments, {size:,} bytes\n")


if __name__ == "__main__":
    main()
