"""Videos for the tests of alignment metrics, and slow oracles for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from progfix.metrics.alignment.videos import EmbeddedVideo


def video(
    embeddings: ArrayLike, *segments: tuple[int, int, int], complete: bool = True
) -> EmbeddedVideo:
    """Return a video of (start, end, action); numbers are embeddings of one dimension."""
    array = np.asarray(embeddings, dtype=np.float64)
    rows = np.array(segments, dtype=np.int64).reshape(-1, 3)
    return EmbeddedVideo(
        array[:, None] if array.ndim == 1 else array, rows[:, 0], rows[:, 1], rows[:, 2], complete
    )


def random_videos(
    seed: int, count: int, *, actions: int = 3, width: int = 5
) -> list[EmbeddedVideo]:
    """Return videos of 1 to 40 frames with actions in any order, gaps and repeats."""
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(size=(actions, width))
    videos = []
    for _ in range(count):
        segments, at = [], int(rng.integers(0, 3))
        for action in rng.permutation(np.append(np.arange(actions), rng.integers(actions))):
            if rng.random() < 0.15:
                continue
            length = int(rng.integers(1, 9))
            segments.append((at, at + length - 1, int(action)))
            at += length + int(rng.integers(0, 3))
        frames = max(1, at)
        embeddings = rng.normal(size=(frames, width))
        for start, end, action in segments:
            embeddings[start : end + 1] += prototypes[action]
        videos.append(video(embeddings, *segments))
    return videos


def nearest(first: EmbeddedVideo, second: EmbeddedVideo) -> NDArray[np.int64]:
    """Return the nearest frames by a plain loop."""
    found = []
    for row in first.embeddings:
        squared = [float(((row - other) ** 2).sum()) for other in second.embeddings]
        found.append(int(np.argmin(squared)))
    return np.array(found)


def matches(first: EmbeddedVideo, second: EmbeddedVideo) -> dict[int, set[int]]:
    """Return the valid matches of each frame: the share done, in exact fractions."""
    from fractions import Fraction

    found: dict[int, set[int]] = {}
    for s, e, action in zip(first.start, first.end, first.action, strict=True):
        for s2, e2, action2 in zip(second.start, second.end, second.action, strict=True):
            if action != action2:
                continue
            for frame in range(s, e + 1):
                done = (Fraction(int(frame - s)) + Fraction(1, 2)) / int(e - s + 1)
                match = int(s2) + int(done * int(e2 - s2 + 1))
                found.setdefault(int(frame), set()).add(match)
    return found


def pairs(videos: Sequence[EmbeddedVideo]) -> list[tuple[EmbeddedVideo, EmbeddedVideo]]:
    """Return the ordered pairs of two different videos."""
    return [(a, b) for i, a in enumerate(videos) for j, b in enumerate(videos) if i != j]
