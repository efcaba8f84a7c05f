"""Whether stated intervals and distributions keep what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes

from progfix.plots.style import TARGET, look_of, plain_ticks, quiet_axes
from progfix.plots.views import Calibration

__all__ = ["draw_coverage", "draw_pit"]


def draw_coverage(axes: Axes, sources: Sequence[Calibration | None]) -> Axes:
    """Draw the share of targets inside the intervals by position, and what was stated.

    Args:
        axes: Where to draw.
        sources: None for those without; each keeps its colour.

    Returns:
        The Axes, the stated coverage first.
    """
    for nominal in sorted({source.nominal for source in sources if source is not None}):
        axes.axhline(nominal, **_reference())
    for place, source in enumerate(sources):
        if source is None or source.coverage is None:
            continue
        look = look_of(place)
        parts = len(source.coverage)
        axes.plot(
            (np.arange(parts) + 0.5) * 100.0 / parts,
            source.coverage,
            color=look.color,
            linestyle=look.linestyle,
            marker=look.marker,
            markeredgecolor="white",
            markeredgewidth=float(rcParams["lines.linewidth"]) * 0.35,
            zorder=3.0 + place,
        )
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 20, 40, 60, 80, 100])
    axes.set_ylim(0.0, 1.03)
    plain_ticks(axes.yaxis).set_ticks([0.0, 0.5, 1.0])
    axes.set_title("coverage at 80 %")
    axes.set_xlabel("position in the action (%)")
    return quiet_axes(axes)


def draw_pit(axes: Axes, sources: Sequence[Calibration | None]) -> Axes:
    """Draw the histogram of the probability integral transform, 1 where calibrated.

    A U says that distributions are too narrow, a hump that they are too wide.

    Args:
        axes: Where to draw.
        sources: None for those without; each keeps its colour.

    Returns:
        The Axes.
    """
    axes.axhline(1.0, **_reference())
    for place, source in enumerate(sources):
        if source is None or source.pit is None:
            continue
        look = look_of(place)
        cells = len(source.pit)
        axes.stairs(
            source.pit * cells / max(int(source.pit.sum()), 1),
            np.linspace(0.0, 1.0, cells + 1),
            baseline=None,
            color=look.color,
            linestyle=look.linestyle,
            linewidth=float(rcParams["lines.linewidth"]),
            zorder=3.0 + place,
        )
    axes.set_xlim(0, 1)
    plain_ticks(axes.xaxis).set_ticks([0.0, 0.5, 1.0])
    plain_ticks(axes.yaxis)
    axes.set_ylim(bottom=0.0)
    axes.set_title("density of the PIT")
    axes.set_xlabel("PIT")
    return quiet_axes(axes)


def _reference() -> dict[str, Any]:
    return {
        "color": TARGET.color,
        "linestyle": TARGET.linestyle,
        "linewidth": float(rcParams["lines.linewidth"]) * 0.7,
        "zorder": 2.0,
    }
