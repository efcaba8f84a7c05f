"""Annotation lists of several cameras, brought back to one list per recording.

In the five CMU tasks of EgoProceL as GTCC ships it, the annotation lists are those of every
camera, four to six per recording and in the handles' order, while the handles name one
video per recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MAX_VIEWS", "AnnotationList", "collapse_views"]

MAX_VIEWS = 6
"""Cameras of a CMU-MMAC recording at most: five fixed ones and the wearable one. A longer
run of equal lists is several recordings that were given the same annotation."""

SHIFT_TOLERANCE = 2
"""Frames by which the shift between two views may vary, for times rounded separately."""


@dataclass(frozen=True)
class AnnotationList:
    """The annotation of one recording, or of one camera's view of it.

    Attributes:
        actions: Action names, background included.
        starts: First frames in the recording's own frame rate.
        ends: End frames in the recording's own frame rate.
    """

    actions: tuple[str, ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]


def collapse_views(lists: Sequence[AnnotationList]) -> list[AnnotationList]:
    """Return one list per recording.

    Neighbouring lists are views of the same recording if, as far as the shorter goes, their
    actions are equal and all starts but the first differ by one constant shift: a camera
    may have been started later or stopped earlier than the others.

    Args:
        lists: All views, those of a recording next to each other.

    Returns:
        For every run of views the annotation that most of them agree on; among equals the
        one with most segments, then the first.
    """
    runs: list[list[AnnotationList]] = []
    for candidate in lists:
        if runs and len(runs[-1]) < MAX_VIEWS:
            longest = max(runs[-1], key=lambda view: len(view.actions))
            if _same_recording(longest, candidate):
                runs[-1].append(candidate)
                continue
        runs.append([candidate])
    return [max(run, key=lambda view: (run.count(view), len(view.actions))) for run in runs]


def _same_recording(one: AnnotationList, other: AnnotationList) -> bool:
    length = min(len(one.actions), len(other.actions))
    if one.actions[:length] != other.actions[:length]:
        return False
    # The first start is 0 in every view, whenever its camera was started.
    pairs = zip(one.starts[1:length], other.starts[1:length], strict=True)
    shifts = [start - shifted for start, shifted in pairs]
    return not shifts or max(shifts) - min(shifts) <= SHIFT_TOLERANCE
