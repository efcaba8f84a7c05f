"""The picture of a sweep draws what it is given, where it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from progfix.plots.style import StyleName
from progfix.plots.sweep import CellDots, sweep_figure

CELLS = (
    CellDots("fghs+feature-noise=1+time-warp=0.4+average=0.99", (0.09, 0.1), 0.095, 0.08, 0.11),
    CellDots("fgs", (0.12,), 0.12, math.nan, math.nan),
)
BASELINES = {"constant": 0.25, "frame_counting": 0.16, "frame_counting_per_action": 0.11}


def draw(style: StyleName = "screen") -> Figure:
    return sweep_figure(style, CELLS, BASELINES)


def test_dots_intervals_and_baselines_stand_at_their_errors() -> None:
    (axes,) = draw().axes
    lines = [
        (np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), line)
        for line in axes.lines
    ]
    dots = [list(x) for x, _, line in lines if line.get_marker() == "o"]
    assert dots == [[0.09, 0.1], [0.12]]
    pooled = [(x.item(), y.item()) for x, y, line in lines if line.get_marker() == "D"]
    assert pooled == [(0.095, 0.0), (0.12, 1.0)]
    assert [list(x) for x, y, _ in lines if list(y) == [0, 0] and len(x) == 2] == [[0.08, 0.11]]
    upright = {x[0] for x, y, _ in lines if list(x) == [x[0], x[0]] and list(y) == [0, 1]}
    assert upright == set(BASELINES.values())


@pytest.mark.parametrize("style", ["screen", "paper"])
def test_names_and_legend_are_whole_and_inside(style: StyleName) -> None:
    figure = draw(style)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == [cell.label for cell in CELLS]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "one seed",
        "all seeds, 95 % interval",
        "constant .5",
        "frame counting",
        "counting per action",
    ]
    for artist in (*axes.texts, legend):
        box = artist.get_window_extent()
        assert figure.bbox.x0 - 1 <= box.x0 < box.x1 <= figure.bbox.x1 + 1
