"""What stands in legends: handles that look like what they name, each with its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from progfix.plots.style import BAND_ALPHA, CONSTANT, COUNTING, TARGET, bar_fill, look_of

__all__ = [
    "bar_handles",
    "constant_handle",
    "counting_handle",
    "interval_handle",
    "line_handles",
    "median_handle",
    "range_handle",
    "target_handle",
]


def line_handles(labels: Sequence[str]) -> list[Artist]:
    """Return one line with a marker per source."""
    return [
        Line2D(
            [],
            [],
            label=label,
            color=look_of(place).color,
            linestyle=look_of(place).linestyle,
            marker=look_of(place).marker,
            markeredgecolor="white",
            markeredgewidth=_width(0.35),
        )
        for place, label in enumerate(labels)
    ]


def bar_handles(labels: Sequence[str]) -> list[Artist]:
    """Return one box per source."""
    return [Patch(label=label, **bar_fill(look_of(place))) for place, label in enumerate(labels)]


def target_handle(label: str = "target") -> Artist:
    """Return the line of what should be."""
    return Line2D(
        [], [], label=label, color=TARGET.color, linestyle=TARGET.linestyle, linewidth=_width(0.7)
    )


def constant_handle() -> Artist:
    """Return the line of the constant 0.5."""
    return Line2D(
        [],
        [],
        label="constant .5",
        color=CONSTANT.color,
        linestyle=CONSTANT.linestyle,
        linewidth=_width(0.9),
    )


def counting_handle() -> Artist:
    """Return the line of frame counting."""
    return Line2D([], [], label="frame counting", color=COUNTING.color, linewidth=_width(1.9))


def interval_handle() -> Artist:
    """Return the band of an interval."""
    return Patch(label="80 % interval", color="#555555", alpha=BAND_ALPHA, linewidth=0)


def median_handle() -> Artist:
    """Return a line with markers of no source in particular: the median prediction."""
    return Line2D(
        [],
        [],
        label="median prediction",
        color="#555555",
        marker="o",
        markeredgecolor="white",
        markeredgewidth=_width(0.35),
    )


def range_handle() -> Artist:
    """Return a bar with a dot: the range of most predictions, and their median."""
    bar: dict[str, Any] = {
        "color": "#cccccc",
        "linewidth": _width(3.5),
        "solid_capstyle": "butt",
        "marker": "o",
        "markerfacecolor": "#555555",
        "markeredgecolor": "white",
    }
    return Line2D([], [], label="median, 10 to 90 %", **bar)


def _width(factor: float) -> float:
    return float(rcParams["lines.linewidth"]) * factor
