"""Squared distances and nearest neighbours between the frames of videos, in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.videos import EmbeddedVideo, check_width, stack

__all__ = ["CELLS", "Distances", "PairNeighbours", "distances"]

CELLS = 4_000_000
"""Distances in memory at once (32 MB)."""

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Distances:
    """Squared Euclidean distances of some frames of one video to all frames of all videos.

    Attributes:
        video: Index of the video of the rows.
        rows: Frames of that video.
        squared: float64 `(rows, n)`, n frames of all videos one after the other.
        rounding: What two equal distances may differ by, `(rows, 1)`.
    """

    video: int
    rows: slice
    squared: NDArray[np.float64]
    rounding: NDArray[np.float64]


def distances(videos: Sequence[EmbeddedVideo], *, cells: int = CELLS) -> Iterator[Distances]:
    """Yield the distances of every video's frames to the frames of all videos.

    Args:
        videos: At least one, embeddings of one size.
        cells: Distances to hold at once; at least one row is.

    Raises:
        ValueError: If the embeddings differ in size.
    """
    check_width(videos)
    frames = stack(videos)
    # Distances do not change when all frames are moved; near zero they round less.
    frames -= frames[0]
    norms = np.einsum("nd,nd->n", frames, frames)
    largest, step, first = norms.max(), max(1, cells // len(frames)), 0
    for index, video in enumerate(videos):
        for start in range(0, len(video), step):
            rows = slice(start, min(start + step, len(video)))
            own = slice(first + rows.start, first + rows.stop)
            squared = frames[own] @ frames.T
            squared *= -2
            squared += norms[own, None]
            squared += norms
            yield Distances(index, rows, squared, _ROUNDING * (norms[own, None] + largest))
        first += len(video)


@dataclass(frozen=True, eq=False)
class PairNeighbours:
    """The nearest frame of every video to every frame of every other.

    Attributes:
        frames: For each video i an int32 array `(videos, T_i)`: row j holds the frames of
            video j that are nearest to the frames of video i, the earliest where several
            are equally near.
    """

    frames: Sequence[NDArray[np.int32]]

    @classmethod
    def of(cls, videos: Sequence[EmbeddedVideo], *, cells: int = CELLS) -> PairNeighbours:
        """Find them.

        Args:
            videos: Of one task, at least one.
            cells: Distances to hold at once.

        Raises:
            ValueError: If the embeddings differ in size.
        """
        found = [np.empty((len(videos), len(video)), dtype=np.int32) for video in videos]
        first = np.cumsum([0, *(len(video) for video in videos)])
        for part in distances(videos, cells=cells):
            for other in range(len(videos)):
                block = part.squared[:, first[other] : first[other + 1]]
                near = block <= block.min(axis=1, keepdims=True) + part.rounding
                found[part.video][other, part.rows] = near.argmax(axis=1)
        return cls(found)

    def pairs(self) -> Iterator[tuple[int, int, NDArray[np.int32]]]:
        """Yield (i, j, nearest frames of j to i's) for every ordered pair of two videos."""
        for i, rows in enumerate(self.frames):
            for j, row in enumerate(rows):
                if i != j:
                    yield i, j, row
