"""What every reader returns: videos, and all that was noticed about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from progfix.data.collector import Collector
from progfix.data.dataset import Segment, Video
from progfix.data.findings import DataFinding
from progfix.errors import InputError, Problem, listed

__all__ = ["LENGTH_TOLERANCE", "Reading", "tasks_to_keep", "valid_segments"]

LENGTH_TOLERANCE = 10
"""Frames by which features and labels of a video may differ before it is more than rounding."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The outcome of reading a path.

    Attributes:
        videos: The videos that could be made sense of, all splits.
        kind: What the path was taken for, such as "progfix HDF5".
        findings: All that was noticed; those with problems keep the data from being used.
        split_note: Where the splits come from; empty where they are part of the data.
    """

    videos: tuple[Video, ...]
    kind: str
    findings: tuple[DataFinding, ...] = ()
    split_note: str = ""


def tasks_to_keep(tasks: Sequence[str], skip: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks that are not skipped.

    Raises:
        InputError: If a task to skip does not exist.
    """
    unknown = [name for name in skip if name not in tasks]
    if unknown:
        raise InputError(
            Problem(
                "--skip-tasks",
                f"tasks out of {listed(tasks)}",
                listed(unknown),
                "check the spelling; `progfix data info` lists all of them",
            )
        )
    return tuple(name for name in tasks if name not in skip)


def valid_segments(
    where: str, segments: Sequence[Segment], num_frames: int, collector: Collector
) -> tuple[tuple[Segment, ...], int]:
    """Order segments by start and refuse what cannot be.

    Args:
        where: File and video, for messages.
        segments: Candidates, in any order.
        num_frames: Frames of the video.
        collector: Told of segments reversed, outside the video, or overlapping by more
            than their shared boundary frame.

    Returns:
        The segments that lie in the video, ordered, and how many of them share their first
        frame with the last frame of an earlier one.
    """
    fix = "mend the annotation"
    kept = []
    for segment in sorted(segments, key=lambda s: (s.start, s.end)):
        span = f"frames {segment.start} to {segment.end} ({segment.action})"
        if segment.end < segment.start:
            expected = "segments that start before they end"
        elif segment.start < 0 or segment.end >= num_frames:
            expected = f"segments within frames 0 to {num_frames - 1}"
        else:
            kept.append(segment)
            continue
        collector.refuse("invalid-segments", Problem(where, expected, span, fix))
    shared = 0
    last = -1
    for segment in kept:
        shared += segment.start == last
        if segment.start < last:
            expected = "segments that share at most their boundary frame"
            found = (
                f"{segment.action} starting at frame {segment.start} while an earlier "
                f"segment lasts until frame {last}"
            )
            collector.refuse("overlapping-segments", Problem(where, expected, found, fix))
        last = max(last, segment.end)
    return tuple(kept), shared
