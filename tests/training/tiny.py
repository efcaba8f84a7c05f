"""Data so small that training on it takes a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5

SPLITS = ("train", "train", "train", "val", "test")


def write_tiny(
    path: Path, shape: tuple[int, ...] = (6,), tasks: int = 2, splits: Sequence[str] = SPLITS
) -> Path:
    """Write videos of 30 to 40 frames, two actions each that advance along a direction."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(2, *shape))
    videos = []
    for task in range(tasks):
        for number, split in enumerate(splits):
            first, second = rng.integers(14, 19, size=2)
            progress = [np.arange(length) / length for length in (first, second)]
            parts = [
                p.reshape(-1, *[1] * len(shape)) * direction
                for p, direction in zip(progress, directions, strict=True)
            ]
            features = np.concatenate(parts) + rng.normal(0, 0.1, size=(first + second, *shape))
            videos.append(
                Video(
                    name=f"t{task}-{number}",
                    task=f"task-{task}",
                    num_frames=len(features),
                    segments=(
                        Segment(0, int(first) - 1, "x"),
                        Segment(int(first), len(features) - 1, "y"),
                    ),
                    features=ArrayFeatures(features.astype(np.float32)),
                    split=split,
                )
            )
    write_hdf5(path, videos)
    return path
