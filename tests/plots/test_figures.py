"""Whole figures: they fit together, look alike, and survive print."""

from __future__ import annotations

import itertools
import sys
import warnings
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox

from progfix.plots import figures
from progfix.plots.style import COUNTING, STYLES, StyleName, look_of, style_context
from progfix.plots.views import Rung
from tests.plots.made import segment_view

LABELS = ("baseline-1", "ab-1", "a/rather/long/path/of/a/run/fgs-12", "h-1")


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Titles, Axes and legend of a figure in pixels: left, bottom, right, top."""
    figure.draw_without_rendering()
    found = []
    for axes in figure.axes:
        if axes.axison:
            found.append(axes.get_window_extent())
            titles = axes.findobj(AnchoredOffsetbox)
            found += [title.get_window_extent() for title in titles]
    found += [legend.get_window_extent() for legend in figure.legends]
    return [(box.x0, box.y0, box.x1, box.y1) for box in found]


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize(("segments", "sources"), [(1, 1), (5, 2), (12, 4)])
def test_panels_titles_and_legend_do_not_overlap_and_stay_on_the_page(
    style: StyleName, segments: int, sources: int
) -> None:
    name = "align_and_screw_the_red_angled_perforated_bar_with_the_partial_model"
    views = [segment_view(n * 7 + 1, LABELS[:sources], action=name) for n in range(segments)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figures.curves_figure(style, views)
        found = boxes(figure)
    assert sum(axes.axison for axes in figure.axes) == segments
    width, height = figure.bbox.size
    for left, bottom, right, top in found:
        assert left >= 0
        assert bottom >= 0
        assert right <= width + 1
        assert top <= height + 1
    for a, b in itertools.combinations(found, 2):
        across = min(a[2], b[2]) - max(a[0], b[0])
        along = min(a[3], b[3]) - max(a[1], b[1])
        assert across <= 1 or along <= 1, (a, b)


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize("segments", [5, 60])
def test_the_legend_stands_clear_of_the_titles(style: StyleName, segments: int) -> None:
    figure = figures.curves_figure(style, [segment_view(9, LABELS[:2])] * segments)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    titles = [
        title.get_window_extent().y1
        for axes in figure.axes
        for title in axes.findobj(AnchoredOffsetbox)
    ]
    line = STYLES[style].font / 72 * figure.dpi
    assert legend.get_window_extent().y0 - max(titles) > 0.6 * line


@pytest.mark.parametrize("style", ["screen", "paper"])
def test_panels_are_high_enough_to_read(style: StyleName) -> None:
    figure = figures.curves_figure(style, [segment_view(9, LABELS)] * 6)
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_window_extent().height / figure.dpi > 0.6


def test_paper_is_as_wide_as_a_column() -> None:
    for count in (1, 5):
        figure = figures.curves_figure("paper", [segment_view()] * count)
        assert figure.get_figwidth() == 3.3


def test_figures_are_in_no_window_and_leave_settings_alone() -> None:
    before = dict(mpl.rcParams)
    figures.ladder_figure("paper", [Rung("x", 0.2, 0.1, 0.9, is_baseline=True)])
    assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_names_are_not_read_as_mathematics() -> None:
    view = segment_view(5, ("$x^{$",), action="cost_$5_^{6$")
    out = BytesIO()
    figures.curves_figure("screen", [view]).savefig(out)
    assert out.getvalue()[:4] == b"\x89PNG"


def test_legend_names_every_source_in_order() -> None:
    figure = figures.curves_figure("screen", [segment_view(5, ("b", "a"))])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "b",
        "a",
        "target",
        "frame counting",
    ]
    with style_context(STYLES["screen"]):
        colors = [line.get_color() for line in legend.get_lines()]
    assert colors[:2] == [look_of(0).color, look_of(1).color]


def lightness(color: str) -> float:
    """CIE L* of an sRGB colour, which is what a grey printer keeps."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116.0 * float(np.cbrt(y)) - 16.0


def test_sources_are_told_apart_without_colour() -> None:
    looks = [look_of(place) for place in range(6)]
    assert len({look.marker for look in looks}) == 6
    assert len({look.glyph for look in looks}) == 6
    assert len({str(look.linestyle) for look in looks}) == 6
    assert len({look.hatch for look in looks}) == 6
    # Before and after, the usual pair, and the grey of frame counting are far apart.
    assert lightness(looks[1].color) - lightness(looks[0].color) > 20
    assert lightness(COUNTING.color) - lightness(looks[1].color) > 10
