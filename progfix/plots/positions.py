"""Error by position in the action: where in it a head is right, and where it only looks so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes

from progfix.plots.style import (
    CONSTANT,
    COUNTING,
    TARGET,
    bar_fill,
    look_of,
    plain_ticks,
    progress_axis,
    quiet_axes,
)
from progfix.plots.views import Array, PositionErrors

__all__ = ["draw_bias", "draw_mae", "draw_spread"]

_GROUP = 0.8
"""Share of a part's width that its bars take together."""


def draw_mae(
    axes: Axes, sources: Sequence[PositionErrors], baselines: Sequence[PositionErrors] = ()
) -> Axes:
    """Draw the MAE of each part of the action: a bar per source, a step line per baseline.

    Args:
        axes: Where to draw.
        sources: All with the same number of parts.
        baselines: Constant first, then frame counting.

    Returns:
        The Axes.
    """
    _bars(axes, [source.mae for source in sources])
    _steps(axes, [baseline.mae for baseline in baselines])
    axes.set_ylim(bottom=0.0)
    return _label(axes, "MAE")


def draw_bias(
    axes: Axes, sources: Sequence[PositionErrors], baselines: Sequence[PositionErrors] = ()
) -> Axes:
    """Draw the mean of prediction - target of each part, as `draw_mae` does the MAE."""
    _bars(axes, [source.bias for source in sources])
    _steps(axes, [baseline.bias for baseline in baselines])
    axes.axhline(0.0, color="black", linewidth=float(rcParams["axes.linewidth"]), zorder=2.5)
    return _label(axes, "bias")


def draw_spread(axes: Axes, sources: Sequence[PositionErrors]) -> Axes:
    """Draw where the predictions of each part lie: the 10 to 90 % range and the median.

    A head that answers the same everywhere shows as bars at one height, whatever its MAE.

    Args:
        axes: Where to draw.
        sources: All with the same number of parts.

    Returns:
        The Axes.
    """
    axes.plot(
        [0, 100],
        [0, 1],
        color=TARGET.color,
        linestyle=TARGET.linestyle,
        linewidth=float(rcParams["lines.linewidth"]) * 0.7,
        zorder=2.0,
    )
    for place, source in enumerate(sources):
        look = look_of(place)
        x, width = _places(len(source.middle), place, len(sources))
        axes.bar(
            x,
            source.high - source.low,
            width,
            source.low,
            color=look.color,
            alpha=0.35,
            linewidth=0,
            zorder=1.5,
        )
        axes.plot(
            x,
            source.middle,
            color=look.color,
            linestyle="none",
            marker=look.marker,
            markeredgecolor="white",
            markeredgewidth=float(rcParams["lines.linewidth"]) * 0.25,
            zorder=3.0,
        )
    low = float(np.nanmin(np.concatenate([[0.0], *(source.low for source in sources)])))
    high = float(np.nanmax(np.concatenate([[1.0], *(source.high for source in sources)])))
    return _label(progress_axis(axes, low, high), "predictions")


def _places(parts: int, place: int, of: int) -> tuple[Array, float]:
    """Centres, in percent of the action, and width of one source's bars."""
    part = 100.0 / parts
    width = part * _GROUP / of
    centres = np.linspace(0.0, 100.0, parts, endpoint=False) + part / 2
    return centres + (place - (of - 1) / 2) * width, width


def _bars(axes: Axes, series: Sequence[Array]) -> None:
    for place, values in enumerate(series):
        look = look_of(place)
        x, width = _places(len(values), place, len(series))
        axes.bar(x, values, width, zorder=2.0, **bar_fill(look))


def _steps(axes: Axes, series: Sequence[Array]) -> None:
    looks = (CONSTANT, COUNTING)
    for values, look, factor in zip(series, looks, (0.9, 1.9), strict=False):
        edges = np.linspace(0.0, 100.0, len(values) + 1)
        axes.stairs(
            values,
            edges,
            baseline=None,
            color=look.color,
            linestyle=look.linestyle,
            linewidth=float(rcParams["lines.linewidth"]) * factor,
            zorder=2.6,
        )


def _label(axes: Axes, title: str) -> Axes:
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 20, 40, 60, 80, 100])
    axes.set_title(title)
    plain_ticks(axes.yaxis)
    return quiet_axes(axes)
