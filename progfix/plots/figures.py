"""Whole figures: panels, legend and axes labels around the drawing functions.

Each function returns a Matplotlib `Figure` that is not shown and belongs to no window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from progfix.plots.calibration import draw_coverage, draw_pit
from progfix.plots.curves import draw_segment, title_lines
from progfix.plots.density import draw_density
from progfix.plots.ladder import draw_ladder
from progfix.plots.layout import Page, source_labels
from progfix.plots.legends import (
    bar_handles,
    constant_handle,
    counting_handle,
    interval_handle,
    line_handles,
    median_handle,
    range_handle,
    target_handle,
)
from progfix.plots.positions import draw_bias, draw_mae, draw_spread
from progfix.plots.style import STYLES, Style, StyleName, style_context
from progfix.plots.timeline import draw_timeline, name_lines
from progfix.plots.training import draw_loss, draw_skill
from progfix.plots.views import (
    Calibration,
    Density,
    PositionErrors,
    Rung,
    SegmentView,
    TrainingView,
    VideoView,
)

__all__ = [
    "calibration_figure",
    "curves_figure",
    "density_figure",
    "ladder_figure",
    "positions_figure",
    "timeline_figure",
    "training_figure",
]

P = ParamSpec("P")

SINGLE = 6.5
"""Width in inches of a figure with one panel, at most."""


def _styled(
    build: Callable[Concatenate[Style, P], Figure],
) -> Callable[Concatenate[StyleName, P], Figure]:
    """Let a function that takes a `Style` take its name, and run in its context."""

    @wraps(build)
    def styled(style: StyleName, /, *args: P.args, **kwargs: P.kwargs) -> Figure:
        with style_context(STYLES[style]):
            return build(STYLES[style], *args, **kwargs)

    return styled


@_styled
def curves_figure(style: Style, segments: Sequence[SegmentView]) -> Figure:
    """Draw prediction against target, one panel per segment.

    Args:
        style: Name of the style.
        segments: At least one, all with the same sources.
    """
    curves = segments[0].curves
    single = len(segments) == 1
    width = min(style.width, SINGLE) if single else style.width
    page = Page(
        style,
        len(segments),
        width=width,
        height=style.panel_height * (1.4 if single else 1.0),
        title_lines=title_lines(curves, width * 72 * 0.85 / min(style.columns, len(segments))),
        handles=_curve_handles(style, segments),
    )
    for axes, segment in zip(page.axes, segments, strict=True):
        draw_segment(axes, segment)
    return page.label(x="frame of the action", y="progress")


@_styled
def timeline_figure(style: Style, videos: Sequence[VideoView]) -> Figure:
    """Draw whole videos, one above the other.

    Args:
        style: Name of the style.
        videos: At least one, all with the same sources.
    """
    segments = [segment for video in videos for segment in video.segments]
    page = Page(
        style,
        len(videos),
        columns=1,
        title_lines=2.4,
        foot_lines=name_lines(videos) / 1.4,
        handles=_curve_handles(style, segments),
    )
    for axes, video in zip(page.axes, videos, strict=True):
        draw_timeline(axes, video)
    known = all(video.gaps_known for video in videos)
    return page.label(
        x="frame of the video" if known else "action frame, background left out", y="progress"
    )


@_styled
def positions_figure(
    style: Style, sources: Sequence[PositionErrors], baselines: Sequence[PositionErrors] = ()
) -> Figure:
    """Draw MAE, bias and spread of the predictions by position in the action.

    Args:
        style: Name of the style.
        sources: At least one.
        baselines: Constant first, then frame counting.
    """
    labels = source_labels(style, [source.label for source in sources])
    page = Page(
        style,
        3,
        columns=style.columns if style.columns >= 3 else 1,
        handles=[
            *bar_handles(labels),
            *(constant_handle(), counting_handle())[: len(baselines)],
            target_handle(),
            range_handle(),
        ],
    )
    draw_mae(page.axes[0], sources, baselines)
    draw_bias(page.axes[1], sources, baselines)
    draw_spread(page.axes[2], sources)
    return page.label(x="position in the action (%)")


@_styled
def density_figure(style: Style, sources: Sequence[Density]) -> Figure:
    """Draw prediction against target over all frames, one panel per source."""
    labels = source_labels(style, [source.label for source in sources])
    single = len(sources) == 1
    width = min(style.width, SINGLE) if single else style.width
    page = Page(
        style,
        len(sources),
        width=width,
        height=0.75 * width / min(style.columns, max(2, len(sources))),
        handles=[target_handle("prediction = target"), median_handle()],
    )
    for place, (axes, source, label) in enumerate(zip(page.axes, sources, labels, strict=True)):
        draw_density(axes, source, place).set_title(label)
    return page.label(x="target", y="prediction")


@_styled
def ladder_figure(style: Style, rungs: Sequence[Rung]) -> Figure:
    """Draw the MAE of baselines and sources as bars, from knowing nothing to perfect."""
    height = len(rungs) * style.font * 2.6 / 72
    width = min(style.width, SINGLE)
    page = Page(style, 1, width=width, height=height, title_lines=0, foot_lines=2.4)
    draw_ladder(page.axes[0], rungs)
    return page.figure


@_styled
def calibration_figure(style: Style, sources: Sequence[Calibration | None]) -> Figure:
    """Draw the coverage of intervals by position, and the PIT histogram where it is known.

    Args:
        style: Name of the style.
        sources: None for those that have neither; each of the others keeps its colour.
    """
    known = [source for source in sources if source is not None]
    draws = [draw_coverage] if any(source.coverage is not None for source in known) else []
    if any(source.pit is not None for source in known):
        draws.append(draw_pit)
    page = Page(
        style,
        len(draws),
        columns=2,
        width=min(style.width, SINGLE) if len(draws) == 1 else style.width,
        foot_lines=2.4,
        handles=[*_handles_of(style, sources), target_handle("as stated")],
    )
    for axes, draw in zip(page.axes, draws, strict=True):
        draw(axes, sources)
    return page.figure


@_styled
def training_figure(style: Style, runs: Sequence[TrainingView | None]) -> Figure:
    """Draw the training loss and the validation skill of runs by epoch.

    Args:
        style: Name of the style.
        runs: None for sources that are no runs; each of the others keeps its colour.
    """
    handles = [*_handles_of(style, runs), counting_handle()]
    page = Page(style, 2, columns=2, foot_lines=2.4, handles=handles)
    draw_loss(page.axes[0], runs)
    draw_skill(page.axes[1], runs)
    return page.figure


def _handles_of(
    style: Style, views: Sequence[Calibration | None] | Sequence[TrainingView | None]
) -> list[Artist]:
    labels = iter(source_labels(style, [view.label for view in views if view is not None]))
    handles = line_handles(["" if view is None else next(labels) for view in views])
    return [handle for handle, view in zip(handles, views, strict=True) if view is not None]


def _curve_handles(style: Style, segments: Sequence[SegmentView]) -> list[Artist]:
    labels = source_labels(style, [curve.label for curve in segments[0].curves])
    handles = [*line_handles(labels), target_handle()]
    if any(segment.counting is not None for segment in segments):
        handles.append(counting_handle())
    if any(curve.lower is not None for segment in segments for curve in segment.curves):
        handles.append(interval_handle())
    return handles
