"""Panels on a page: how many beside each other, how high, and where the legend goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from progfix.plots.style import Style
from progfix.plots.text import distinct, figure_text, text_width

__all__ = ["Page", "source_labels"]

_LINE = 1.4
"""Height of a line of text in multiples of its size."""

_HANDLE = 5.2
"""Width of what stands beside a legend's text, in multiples of its size."""


class Page:
    """A figure of equal panels under one legend.

    Args:
        style: Sizes; its context has to be active.
        panels: Number of Axes, at least 1.
        columns: Axes in a row; None takes the style's.
        width: Inches of the page; None takes the style's.
        height: Inches of an Axes itself; None takes the style's.
        title_lines: Lines of text above each Axes.
        foot_lines: Lines of text below each Axes, its tick labels included.
        handles: What the legend shows, each with its label.

    Attributes:
        figure: The figure.
        axes: As many Axes as asked for, row by row; cells left over are empty.
    """

    def __init__(
        self,
        style: Style,
        panels: int,
        *,
        columns: int | None = None,
        width: float | None = None,
        height: float | None = None,
        title_lines: float = 1,
        foot_lines: float = 1.2,
        handles: Sequence[Artist] = (),
    ) -> None:
        across = min(columns or style.columns, panels)
        down = -(-panels // across)
        line = style.font * _LINE / 72
        across_page = width or style.width
        columns_of_legend, lines_of_legend = _legend_shape(style, across_page, handles)
        panel = (height or style.panel_height) + (title_lines + foot_lines + 0.6) * line
        total = down * panel + (lines_of_legend + 1.6) * line
        self.figure = Figure(figsize=(across_page, total))
        # The layout engine replaces these margins when it draws; until then they tell the
        # titles about how much room there is.
        spacing = {"left": 4.5 * style.font / 72 / across_page, "right": 0.99}
        cells = list(self.figure.subplots(down, across, squeeze=False, gridspec_kw=spacing).flat)
        for unused in cells[panels:]:
            unused.set_axis_off()
        self.axes: list[Axes] = cells[:panels]
        if handles:
            self.figure.legend(
                handles=list(handles), loc="outside upper left", ncols=columns_of_legend
            )

    def label(self, *, x: str = "", y: str = "") -> Figure:
        """Label the panels' common axes and return the figure."""
        if x:
            self.figure.supxlabel(x)
        if y:
            self.figure.supylabel(y)
        return self.figure


def _legend_shape(style: Style, width: float, handles: Sequence[Artist]) -> tuple[int, int]:
    """Columns and lines of the widest legend that is not wider than the page."""
    if not handles:
        return 1, 0
    widths = [text_width(str(handle.get_label())) + _HANDLE * style.font for handle in handles]
    columns = max(
        (
            columns
            for columns in range(1, len(handles) + 1)
            if sum(column.max() for column in np.array_split(widths, columns)) <= width * 72
        ),
        default=1,
    )
    return columns, -(-len(handles) // columns)


def source_labels(style: Style, labels: Sequence[str]) -> list[str]:
    """Shorten the sources' names to what a legend has room for, different ones differently."""
    room = 0.56 * min(style.width, 7.0) * 72 - _HANDLE * style.font
    return distinct([figure_text(label) for label in labels], room)
