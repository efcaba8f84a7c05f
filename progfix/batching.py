"""Which videos, and which of their segments, go through a model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from progfix.data.dataset import Video

__all__ = ["FRAMES_PER_BATCH", "PADDING", "batches", "chunks"]

FRAMES_PER_BATCH = 65_536
"""Padded frames of embeddings that go through a head at once (32 MB at 128 columns)."""

PADDING = 1.25
"""Padded frames for each frame of a batch, at most: padding costs a head with a distribution
for every frame as much as frames do."""

_FEW = 16
"""Segments that go together whatever their padding: a recurrence on fewer mostly waits."""

_CHUNK_VALUES = 1 << 25
"""Numbers of embeddings in memory at once (128 MB), unless a single video has more."""


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Cut segments into batches of similar lengths, the shortest first.

    Args:
        lengths: Frames of each segment.
        budget: Padded frames of a batch, unless it is a single segment.
    """
    rows: list[int] = []
    frames = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = lengths[row]
        padded, inside = longest * (len(rows) + 1), frames + longest
        if rows and (padded > budget or (len(rows) >= _FEW and padded > PADDING * inside)):
            yield rows
            rows, frames = [], 0
        rows.append(row)
        frames += longest
    if rows:
        yield rows


def chunks(videos: Sequence[Video], most: int, width: int) -> Iterator[Sequence[Video]]:
    """Cut videos into chunks of bounded size, each of one at least, in order.

    Args:
        videos: All of them.
        most: Videos of a chunk.
        width: Numbers of a frame.
    """
    first = frames = 0
    for place, video in enumerate(videos):
        frames += video.num_frames
        if place > first and (place - first == most or frames * width > _CHUNK_VALUES):
            yield videos[first:place]
            first, frames = place, video.num_frames
    if videos:
        yield videos[first:]
