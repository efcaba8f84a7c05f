"""The course of training: loss, and what it was worth on the validation videos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from progfix.plots.curves import marker_step
from progfix.plots.style import COUNTING, look_of, plain_ticks, quiet_axes
from progfix.plots.views import Array, TrainingView

__all__ = ["draw_loss", "draw_skill"]


def draw_loss(axes: Axes, runs: Sequence[TrainingView | None]) -> Axes:
    """Draw the training loss of each run; logarithmic where it spans more than a decade.

    The losses of different recipes have different units, so that several runs are drawn as
    multiples of their first epochs.

    Args:
        axes: Where to draw.
        runs: None for sources that are no runs; each of the others keeps its colour.

    Returns:
        The Axes.
    """
    relative = sum(run is not None for run in runs) > 1
    losses = [
        None if run is None else run.loss / run.loss[0] if relative else run.loss for run in runs
    ]
    _lines(
        axes,
        [
            None if run is None or loss is None else (run.epoch, loss)
            for run, loss in zip(runs, losses, strict=True)
        ],
    )
    values = np.concatenate([loss[np.isfinite(loss)] for loss in losses if loss is not None])
    if len(values) and values.min() > 0 and values.max() > 10 * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    plain_ticks(axes.yaxis)
    axes.set_title("loss, first epoch = 1" if relative else "training loss")
    return quiet_axes(axes)


def draw_skill(axes: Axes, runs: Sequence[TrainingView | None]) -> Axes:
    """Draw the validation skill over frame counting, 0 at counting and 1 at perfect.

    The best epoch, whose checkpoint a run keeps, is ringed.

    Args:
        axes: Where to draw.
        runs: None for sources that are no runs; each of the others keeps its colour.

    Returns:
        The Axes.
    """
    axes.axhline(
        0.0,
        color=COUNTING.color,
        linewidth=float(rcParams["lines.linewidth"]) * 1.9,
        zorder=1.5,
    )
    _lines(axes, [None if run is None else (run.epoch, run.skill) for run in runs])
    for place, run in enumerate(runs):
        if run is not None and np.isfinite(run.skill).any():
            best = int(np.nanargmax(run.skill))
            axes.plot(
                run.epoch[best],
                run.skill[best],
                linestyle="none",
                marker="o",
                markersize=float(rcParams["lines.markersize"]) * 2.0,
                markerfacecolor="none",
                markeredgecolor=look_of(place).color,
                zorder=4.0,
            )
    axes.margins(y=0.12)
    plain_ticks(axes.yaxis)
    axes.set_title("validation skill")
    return quiet_axes(axes)


def _lines(axes: Axes, series: Sequence[tuple[Array, Array] | None]) -> None:
    for place, points in enumerate(series):
        if points is None:
            continue
        x, y = points
        look = look_of(place)
        step = marker_step(len(x))
        axes.plot(
            x,
            y,
            color=look.color,
            linestyle=look.linestyle,
            marker=look.marker,
            markevery=((place * step + step // 2) // len(series) % max(len(x), 1), step),
            markeredgecolor="white",
            markeredgewidth=float(rcParams["lines.linewidth"]) * 0.35,
            zorder=3.0 + place,
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")
