"""Prediction against target over one segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea, VPacker
from matplotlib.ticker import MaxNLocator

from progfix.plots.style import (
    BAND_ALPHA,
    COUNTING,
    TARGET,
    Look,
    look_of,
    progress_axis,
    quiet_axes,
)
from progfix.plots.text import (
    axes_width,
    count,
    decimal,
    figure_text,
    readable,
    shorten_to,
    text_width,
)
from progfix.plots.views import Curve, SegmentView

__all__ = ["draw_curve", "draw_segment", "ink", "marker_step", "set_range", "title_lines"]

LIMITS = (-0.5, 1.5)
"""How far an axis of progress follows any prediction outside [0, 1]."""


def draw_segment(axes: Axes, view: SegmentView) -> Axes:
    """Draw target, frame counting and every source of one segment, with a title above.

    The title says action, task, duration and each source's MAE. A segment of one frame is
    drawn as points.

    Args:
        axes: Where to draw.
        view: The segment.

    Returns:
        The Axes.
    """
    first = view.curves[0]
    if view.counting is not None:
        _plot(axes, first.elapsed, view.counting, COUNTING, zorder=2.0, linewidth=_width(1.9))
    _plot(axes, first.elapsed, first.target, TARGET, zorder=2.1, linewidth=_width(0.7))
    for place, curve in enumerate(view.curves):
        draw_curve(axes, curve, place, of=len(view.curves))
    pad = 0.5 if view.duration == 1 else 0.03 * (view.duration - 1)
    axes.set_xlim(1 - pad, view.duration + pad)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
    set_range(axes, view.curves)
    _title(axes, view)
    return quiet_axes(axes)


def draw_curve(
    axes: Axes, curve: Curve, place: int, *, of: int = 1, start: int = 0, markers: int = 6
) -> Axes:
    """Draw one source's predictions and, where there are any, its intervals.

    Args:
        axes: Where to draw.
        curve: The predictions.
        place: Which source it is, from 0: it decides colour, line style and marker.
        of: Number of sources, so that their markers do not fall on each other.
        start: Frame before the segment's first one, 0 to count from 1 within the segment.
        markers: About how many markers to put on a long curve.

    Returns:
        The Axes.
    """
    look = look_of(place)
    frames = curve.elapsed + start
    if curve.lower is not None and curve.upper is not None:
        single = len(frames) == 1
        axes.fill_between(
            [frames[0] - 0.08, frames[0] + 0.08] if single else frames,
            np.repeat(curve.lower, 2) if single else curve.lower,
            np.repeat(curve.upper, 2) if single else curve.upper,
            color=look.color,
            alpha=BAND_ALPHA,
            linewidth=0,
            zorder=1.5,
        )
    step = marker_step(len(frames), markers)
    _plot(
        axes,
        frames,
        curve.prediction,
        look,
        marker=look.marker,
        markevery=((place * step + step // 2) // of % len(frames), step),
        zorder=3.0 + place,
    )
    return axes


def _plot(axes: Axes, x: Any, y: Any, look: Look, **settings: Any) -> None:
    marker = look.marker if len(x) == 1 else settings.pop("marker", "")
    settings.pop("marker", None)
    axes.plot(
        x,
        y,
        color=look.color,
        linestyle=look.linestyle,
        marker=marker,
        markeredgecolor="white" if marker not in "x*" else look.color,
        markeredgewidth=_width(0.35) if marker not in "x*" else _width(0.8),
        clip_on=len(x) > 1,
        **settings,
    )


def _width(factor: float) -> float:
    return float(rcParams["lines.linewidth"]) * factor


def marker_step(frames: int, markers: int = 6) -> int:
    """Return every how many frames a marker stands: at each of few, else `markers` of them."""
    return -(-frames // markers) if frames > markers * 4 // 3 else 1


def set_range(axes: Axes, curves: Sequence[Curve]) -> Axes:
    """Set the axis of progress: [0, 1], and further where predictions are.

    Few predictions far outside do not flatten the others: beyond `LIMITS` the axis goes only
    where more than a quarter of them do, as in percent.
    """
    values = np.concatenate([curve.prediction for curve in curves])
    values = values[np.isfinite(values)]
    low = min(0.0, float(values.min(initial=0.0)))
    high = max(1.0, float(values.max(initial=1.0)))
    if np.count_nonzero(values < LIMITS[0]) * 4 <= len(values):
        low = max(low, LIMITS[0])
    if np.count_nonzero(values > LIMITS[1]) * 4 <= len(values):
        high = min(high, LIMITS[1])
    return progress_axis(axes, low, high)


def _title(axes: Axes, view: SegmentView) -> None:
    size = float(rcParams["font.size"])
    room = axes_width(axes)
    action, video = figure_text(readable(view.action)), figure_text(view.video)
    name = action or f"{video} #{view.segment}"
    frames = count(view.duration, "frame")
    place = video if action else figure_text(readable(view.task))
    where = f"{shorten_to(place, room - text_width(', ' + frames), size)}, " if place else ""
    rows: list[Artist] = [
        TextArea(shorten_to(name, room, size, "bold"), textprops={"weight": "bold"}),
        TextArea(where + frames, textprops={"color": "#444444"}),
        *(
            HPacker(children=row, align="baseline", pad=0, sep=size * 0.6)
            for row in _error_rows(view.curves, room)
        ),
    ]
    box = VPacker(children=rows, align="left", pad=0, sep=size * 0.15)
    axes.add_artist(
        AnchoredOffsetbox(
            "lower left",
            child=box,
            frameon=False,
            pad=0.0,
            borderpad=0.0,
            bbox_to_anchor=(0.0, 1.04),
            bbox_transform=axes.transAxes,
        )
    )


def title_lines(curves: Sequence[Curve], room: float) -> int:
    """Return how many lines `draw_segment` writes above Axes of `room` points."""
    return 2 + len(_error_rows(curves, room))


def _error_rows(curves: Sequence[Curve], room: float) -> list[list[Artist]]:
    """One entry per source, marked like its curve, as many in a row as there is room for."""
    size = float(rcParams["font.size"])
    rows: list[list[Artist]] = [[TextArea("MAE")]]
    used = text_width("MAE")
    for place, curve in enumerate(curves):
        look = look_of(place)
        text = f"{look.glyph} {decimal(curve.mae)}"
        width = text_width(text) + size * 0.6
        if used + width > room and len(rows[-1]) > 1:
            rows.append([])
            used = 0.0
        rows[-1].append(TextArea(text, textprops={"color": ink(look)}))
        used += width
    return rows


def ink(look: Look) -> str:
    """The colour of small text: the curve's, darkened where it is too light to read."""
    red, green, blue = to_rgb(look.color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    factor = min(1.0, 0.40 / luminance)
    return to_hex((red * factor, green * factor, blue * factor))
