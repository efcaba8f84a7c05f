"""The ladder from knowing nothing to perfect: what each step of knowledge is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from progfix.plots.style import Look, bar_fill, look_of, plain_ticks
from progfix.plots.text import axes_width, decimal, figure_text, shorten_to
from progfix.plots.views import Rung

__all__ = ["draw_ladder"]

_BASELINE = Look("#c8c8c8", "-", "", "")


def draw_ladder(axes: Axes, rungs: Sequence[Rung]) -> Axes:
    """Draw one bar of MAE per baseline and source, baselines first, names above the bars.

    Beside each bar stands the MAE and the range that 80 % of the predictions lie in: a low
    MAE with a narrow range is a constant in disguise.

    Args:
        axes: Where to draw.
        rungs: From top to bottom.

    Returns:
        The Axes.
    """
    size = float(rcParams["font.size"])
    longest = max((rung.mae for rung in rungs if math.isfinite(rung.mae)), default=0.25)
    place = 0
    for row, rung in enumerate(rungs):
        look = look_of(place)
        place += not rung.is_baseline
        axes.barh(
            row,
            0.0 if math.isnan(rung.mae) else rung.mae,
            0.42,
            **bar_fill(_BASELINE if rung.is_baseline else look),
        )
        axes.annotate(
            shorten_to(figure_text(rung.label), axes_width(axes) * 0.62),
            (0.0, row - 0.22),
            (size * 0.3, size * 0.25),
            textcoords="offset points",
            va="bottom",
            annotation_clip=False,
        )
        axes.annotate(
            decimal(rung.mae),
            (0.0 if math.isnan(rung.mae) else rung.mae, row),
            (size * 0.4, 0.0),
            textcoords="offset points",
            va="center",
            weight="bold",
        )
        axes.annotate(
            f"{decimal(rung.low, 2)} to {decimal(rung.high, 2)}",
            (1.0, row),
            xycoords=("axes fraction", "data"),
            va="center",
            ha="right",
            color="#444444",
        )
    axes.set_ylim(len(rungs) - 0.6, -0.85)
    axes.set_xlim(0.0, longest * 1.55 or 1.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(True)
    axes.annotate(
        "80 % of predictions",
        (1.0, -0.22),
        (0.0, size * 0.25),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="bottom",
        ha="right",
        color="#444444",
    )
    plain_ticks(axes.xaxis).set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel("MAE (0 is perfect)")
    return axes
