"""A whole video: progress over time, action after action, their names below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from progfix.plots.curves import draw_curve, ink, set_range
from progfix.plots.style import COUNTING, TARGET, look_of, quiet_axes
from progfix.plots.text import axes_width, decimal, figure_text, readable, shorten_to, text_width
from progfix.plots.views import SegmentView, VideoView, mean_absolute_error

__all__ = ["draw_timeline", "name_lines", "placed_names"]

LONGEST_NAME = 10.0
"""Length to which names are shortened, in multiples of the font size."""

_STRIP = 0.07
_SHADES = ("#d9d9d9", "#b3b3b3")


def draw_timeline(axes: Axes, view: VideoView) -> Axes:
    """Draw a video's target, frame counting and sources, with a strip of its actions below.

    The names stand under their actions: of those that would run into each other the longer
    actions keep theirs.

    Args:
        axes: Where to draw.
        view: The video.

    Returns:
        The Axes.
    """
    width = float(rcParams["lines.linewidth"])
    for segment, start in zip(view.segments, view.starts, strict=True):
        frames = segment.curves[0].elapsed + start
        point: dict[str, Any] = {"marker": "_"} if len(frames) == 1 else {}
        if segment.counting is not None:
            axes.plot(
                frames, segment.counting, color=COUNTING.color, linewidth=width * 1.6, **point
            )
        axes.plot(
            frames,
            segment.curves[0].target,
            color=TARGET.color,
            linestyle=TARGET.linestyle,
            linewidth=width * 0.7,
            zorder=2.1,
            **point,
        )
        for place, curve in enumerate(segment.curves):
            draw_curve(axes, curve, place, of=len(segment.curves), start=start, markers=1)
    set_range(axes, [curve for segment in view.segments for curve in segment.curves])
    axes.set_xlim(0.5, view.num_frames + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axes.xaxis.tick_top()
    axes.spines["bottom"].set_visible(False)
    _strip(axes, view)
    _title(axes, view)
    return quiet_axes(axes)


def _strip(axes: Axes, view: VideoView) -> None:
    """Boxes of the actions in two greys, just below the axis, and their names."""
    for row, (segment, start) in enumerate(zip(view.segments, view.starts, strict=True)):
        axes.add_patch(
            Rectangle(
                (start + 0.5, -_STRIP - 0.02),
                segment.duration,
                _STRIP,
                transform=axes.get_xaxis_transform(),
                facecolor=_SHADES[row % 2],
                linewidth=0,
                clip_on=False,
            )
        )
    size = float(rcParams["font.size"]) * 0.9
    for middle, name in placed_names(view, axes_width(axes), size):
        axes.annotate(
            name,
            (middle, -_STRIP - 0.02),
            (0.0, -size * 0.4),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="top",
            fontsize=size,
            annotation_clip=False,
        )


def placed_names(view: VideoView, width: float, size: float) -> list[tuple[float, str]]:
    """Return which names are written, and at which frame each one's middle is.

    Args:
        view: The video.
        width: Of the Axes, in points.
        size: Of the font, in points.

    Returns:
        Middle and shortened name, in order of time, no two closer than a line of text.
    """
    points = width / max(view.num_frames, 1)
    order = sorted(range(len(view.segments)), key=lambda row: (-view.segments[row].duration, row))
    taken: dict[int, float] = {}
    for row in order:
        middle = view.starts[row] + 0.5 + view.segments[row].duration / 2
        if all(abs(middle - other) * points >= size * 1.15 for other in taken.values()):
            taken[row] = middle
    room = size * LONGEST_NAME
    return [
        (taken[row], shorten_to(_name(view.segments[row]), room, size)) for row in sorted(taken)
    ]


def name_lines(views: Sequence[VideoView]) -> float:
    """Return how high the names below these videos are, in multiples of the font size."""
    names = {_name(segment) for view in views for segment in view.segments}
    return min(LONGEST_NAME, max(text_width(name, 1.0) for name in names)) + 1.5


def _name(segment: SegmentView) -> str:
    return figure_text(readable(segment.action)) or f"#{segment.segment}"


def _title(axes: Axes, view: VideoView) -> None:
    first = view.segments[0]
    name = ", ".join(
        part for part in (figure_text(readable(first.task)), figure_text(first.video)) if part
    )
    errors = [
        mean_absolute_error([segment.curves[place] for segment in view.segments])
        for place in range(len(first.curves))
    ]
    values = [f"{look_of(place).glyph} {decimal(value)}" for place, value in enumerate(errors)]
    tail = text_width("   MAE" + "".join(f"  {value}" for value in values))
    written = axes.set_title(shorten_to(name, axes_width(axes) - tail) + "   MAE")
    # Each error stands behind the text before it, in the colour of its curve.
    for place, value in enumerate(values):
        written = axes.annotate(
            f"  {value}",
            (1.0, 0.0),
            xycoords=written,
            va="bottom",
            color=ink(look_of(place)),
            annotation_clip=False,
        )
