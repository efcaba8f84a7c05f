"""All that figures are drawn from, gathered from sources once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from progfix.data.dataset import Dataset
from progfix.leave_one_out import LeaveOneVideoOut
from progfix.plots.gather import (
    Key,
    Replay,
    SegmentTable,
    Shared,
    pick_rows,
    shared_segments,
)
from progfix.plots.selection import Select, select
from progfix.plots.survey import Counting, Survey, survey
from progfix.plots.views import Curve, SegmentView, VideoView
from progfix.predictions import Predictions
from progfix.sources import Source

__all__ = ["Material", "Wanted", "gather"]

_KEPT_ROWS = 2_000_000
"""Rows of all sources together that are kept for the second pass: about 200 MB."""


@dataclass(frozen=True)
class Wanted:
    """What to choose.

    Attributes:
        number: How many segments, and how many videos.
        how: By what.
        seed: Of a random choice.
        segments: Whether segments are needed at all.
        videos: Whether whole videos are.
    """

    number: int = 5
    how: Select = "spread"
    seed: int = 0
    segments: bool = True
    videos: bool = False


@dataclass(frozen=True, eq=False)
class Material:
    """What sources gave.

    Attributes:
        survey: Over all frames.
        segments: The chosen segments.
        videos: The chosen videos.
        notices: What the user should know about them.
    """

    survey: Survey
    segments: tuple[SegmentView, ...]
    videos: tuple[VideoView, ...]
    notices: tuple[str, ...]


def gather(
    sources: Sequence[Source], wanted: Wanted, observe: Callable[[str], None] = lambda _text: None
) -> Material:
    """Read every source, choose segments and videos by the first one's errors, fetch them.

    Choosing by the first source keeps the panels when further sources are laid over it.

    Args:
        sources: At least one, each with predictions.
        wanted: What to choose.
        observe: Told, in words, how far the reading is.

    Raises:
        ValueError: If a source has no predictions.
        InputError: From reading a source.
    """
    streams = [_stream(source, _KEPT_ROWS // len(sources)) for source in sources]
    counting = _counting(sources, streams[0])
    labels = [source.label for source in sources]
    surveyed = survey(labels, streams, counting, observe)
    shared = shared_segments(surveyed.tables)
    segments, videos = _choose(shared, surveyed.tables[0], wanted)
    needed = {*segments, *(key for keys in videos for key in keys)}
    rows = [pick_rows(stream, needed, with_task=shared.with_task) for stream in streams]
    views = {key: _view(key, labels, rows, counting) for key in needed}
    data = next((source.data for source in sources if source.data is not None), None)
    return Material(
        surveyed,
        tuple(views[key] for key in segments),
        tuple(_video([views[key] for key in keys], data) for keys in videos),
        (
            *(notice for source in sources for notice in source.notices),
            f"frame counting is fitted on: {counting.fitted_on}",
            *surveyed.notices(shared),
        ),
    )


def _stream(source: Source, budget: int) -> Replay:
    if source.chunks is None:
        raise ValueError(f"{source.label} has no predictions: {source.why_not}")
    return Replay(source.chunks, budget)


def _counting(sources: Sequence[Source], first: Replay) -> Counting:
    known = next((source.counting for source in sources if source.counting is not None), None)
    return LeaveOneVideoOut.fit(first) if known is None else known


def _choose(
    shared: Shared, table: SegmentTable, wanted: Wanted
) -> tuple[list[Key], list[list[Key]]]:
    absolute = np.array([table.absolute[row] for row in shared.rows])
    frames = np.array([table.frames[row] for row in shared.rows])
    duration = np.array([key[3] for key in shared.keys], dtype=np.int64)
    videos: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(shared.keys):
        videos.setdefault(key[:2], []).append(row)

    def chosen(groups: list[list[int]]) -> list[list[Key]]:
        if not groups:
            return []
        with np.errstate(invalid="ignore"):
            errors = np.array([absolute[rows].sum() / frames[rows].sum() for rows in groups])
        lengths = np.array([duration[rows].sum() for rows in groups])
        picked = select(errors, lengths, wanted.number, wanted.how, seed=wanted.seed)
        return [[shared.keys[row] for row in groups[group]] for group in picked]

    segments = chosen([[row] for row in range(len(shared.keys))]) if wanted.segments else []
    whole = chosen(list(videos.values())) if wanted.videos else []
    return [keys[0] for keys in segments], [sorted(keys, key=lambda key: key[2]) for keys in whole]


def _view(
    key: Key, labels: Sequence[str], rows: Sequence[Mapping[Key, Predictions]], counting: Counting
) -> SegmentView:
    first = rows[0][key]
    # A task or action that one source does not know another one may.
    known = [found[key] for found in rows]
    action = next((name for part in known if (name := part.action.decode()[0])), "")
    task = next((name for part in known if (name := part.task.decode()[0])), "")
    answers = counting.predict(first)
    return SegmentView(
        task=task,
        video=key[1],
        segment=key[2],
        action=action,
        duration=key[3],
        curves=tuple(
            Curve(label, part.elapsed, part.target, part.prediction, part.lower, part.upper)
            for label, part in zip(labels, known, strict=True)
        ),
        counting=answers if np.isfinite(answers).any() else None,
    )


def _video(segments: Sequence[SegmentView], data: Dataset | None) -> VideoView:
    starts = _starts(segments, data)
    if starts is not None:
        return VideoView(tuple(segments), starts[0], starts[1], gaps_known=True)
    ends = np.cumsum([segment.duration for segment in segments])
    begins = tuple(int(end) - s.duration for end, s in zip(ends, segments, strict=True))
    return VideoView(tuple(segments), begins, int(ends[-1]), gaps_known=False)


def _starts(
    segments: Sequence[SegmentView], data: Dataset | None
) -> tuple[tuple[int, ...], int] | None:
    """First frames and the video's length, if the data has this video with these segments."""
    name = (segments[0].task, segments[0].video)
    video = next((v for v in data or () if (v.task, v.name) == name), None)
    if video is None or segments[-1].segment >= len(video.segments):
        return None
    known = [video.segments[segment.segment] for segment in segments]
    if any(k.duration != s.duration for k, s in zip(known, segments, strict=True)):
        return None
    return tuple(segment.start for segment in known), video.num_frames
