"""The picture of a sweep: a dot per seed, the cell's own value, baselines as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from progfix.plots.layout import Page
from progfix.plots.style import (
    CONSTANT,
    COUNTING,
    STYLES,
    Look,
    StyleName,
    look_of,
    plain_ticks,
    style_context,
)
from progfix.plots.text import axes_width, distinct, figure_text

__all__ = ["CellDots", "draw_sweep", "sweep_figure"]

_LOOKS = {
    "constant": CONSTANT,
    "frame_counting": COUNTING,
    "frame_counting_per_action": Look("#777777", (0.0, (5.0, 1.5)), "d"),
}
_NAMES = {
    "constant": "constant .5",
    "frame_counting": "frame counting",
    "frame_counting_per_action": "counting per action",
}
_WIDTH = 6.5
_BELOW = 0.24
"""How far below a cell's own value its seeds are drawn, in rows."""

_SEED = look_of(1)
_POOLED = look_of(0)


@dataclass(frozen=True)
class CellDots:
    """One row.

    Attributes:
        label: The cell's name.
        seeds: MAE of each seed.
        mae: Of all seeds together.
        low: Lower end of its 95 % interval over videos; NaN where there is none.
        high: Its upper end.
    """

    label: str
    seeds: Sequence[float]
    mae: float
    low: float
    high: float


def sweep_figure(
    style: StyleName, cells: Sequence[CellDots], baselines: dict[str, float]
) -> Figure:
    """Draw the cells of a sweep below each other, in the order given.

    Args:
        style: Name of the style.
        cells: At least one.
        baselines: MAE by name: "constant", "frame_counting", "frame_counting_per_action".
    """
    chosen = STYLES[style]
    with style_context(chosen):
        page = Page(
            chosen,
            1,
            width=min(chosen.width, _WIDTH),
            height=(len(cells) + 0.3) * chosen.font * 3.2 / 72,
            title_lines=0,
            foot_lines=2.4,
            handles=_handles(baselines),
        )
        draw_sweep(page.axes[0], cells, baselines)
        return page.figure


def draw_sweep(axes: Axes, cells: Sequence[CellDots], baselines: dict[str, float]) -> Axes:
    """Draw one row per cell and one vertical line per baseline.

    Args:
        axes: Where to draw.
        cells: From top to bottom.
        baselines: MAE by name.

    Returns:
        The Axes.
    """
    line, marker = float(rcParams["lines.linewidth"]), float(rcParams["lines.markersize"])
    for name, mae in baselines.items():
        axes.axvline(mae, **_line(name), zorder=1.5)
    for row, cell in enumerate(cells):
        if not math.isnan(cell.low):
            axes.plot(
                [cell.low, cell.high],
                [row, row],
                color=_POOLED.color,
                linewidth=line * 0.9,
                zorder=2.5,
            )
        axes.plot(cell.mae, row, **_pooled(), markersize=marker * 1.5, zorder=3.0)
        seeds = [row + _BELOW] * len(cell.seeds)
        axes.plot(list(cell.seeds), seeds, **_seed(), markersize=marker, zorder=3.5)
        if row:
            axes.axhline(row - 0.6, color=str(rcParams["grid.color"]), linewidth=line * 0.35)
    axes.set_ylim(len(cells) - 0.5, -0.7)
    axes.set_yticks([])
    _names(axes, cells)
    plain_ticks(axes.xaxis).set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel("MAE (0 is perfect)")
    return axes


def _names(axes: Axes, cells: Sequence[CellDots]) -> None:
    """Write each cell's name above its row, on white where a line crosses it."""
    size = float(rcParams["font.size"])
    names = distinct([figure_text(cell.label) for cell in cells], axes_width(axes) * 0.95)
    for row, name in enumerate(names):
        axes.annotate(
            name,
            (0.0, row),
            (size * 0.4, size * 0.45),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            zorder=2.0,
        )


def _handles(baselines: dict[str, float]) -> list[Artist]:
    marker = float(rcParams["lines.markersize"])
    return [
        Line2D([], [], label="one seed", **_seed(), markersize=marker),
        Line2D(
            [],
            [],
            label="all seeds, 95 % interval",
            **{**_pooled(), "linestyle": "-"},
            linewidth=float(rcParams["lines.linewidth"]) * 0.9,
            markersize=marker * 1.5,
        ),
        *(Line2D([], [], label=_NAMES[name], **_line(name)) for name in baselines),
    ]


def _line(name: str) -> dict[str, Any]:
    look, line = _LOOKS[name], float(rcParams["lines.linewidth"])
    wide = 1.9 if name == "frame_counting" else 1.0
    return {"color": look.color, "linestyle": look.linestyle, "linewidth": line * wide}


def _pooled() -> dict[str, Any]:
    return {
        "color": _POOLED.color,
        "marker": "D",
        "linestyle": "none",
        "markeredgecolor": "white",
        "markeredgewidth": float(rcParams["lines.linewidth"]) * 0.35,
    }


def _seed() -> dict[str, Any]:
    return {
        "color": _SEED.color,
        "marker": "o",
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgewidth": float(rcParams["lines.linewidth"]) * 0.6,
    }
