"""One look for every figure: sizes, colours, line styles and fonts.

The colours are told apart by people with any common colour blindness and differ in
lightness, so that they survive a grey printer (source: Paul Tol's "high contrast" scheme,
technical note SRON/EPS/TN/09-002, and the teal of his "muted" scheme); line styles and
markers say the same once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FuncFormatter, MaxNLocator

__all__ = [
    "BAND_ALPHA",
    "CONSTANT",
    "COUNTING",
    "STYLES",
    "TARGET",
    "Look",
    "Style",
    "StyleName",
    "bar_fill",
    "look_of",
    "plain_ticks",
    "progress_axis",
    "quiet_axes",
    "style_context",
    "tick",
]

StyleName = Literal["screen", "paper"]
LineStyle = Literal["-"] | tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Style:
    """Sizes of a figure.

    Attributes:
        width: Inches; "paper" is the column of a two-column page.
        panel_height: Inches, of one panel without its titles.
        columns: Panels in a row, at most.
        font: Points.
        line: Line width in points.
        marker: Marker size in points.
        dpi: Dots per inch of PNG files.
    """

    width: float
    panel_height: float
    columns: int
    font: float
    line: float
    marker: float
    dpi: int


STYLES: dict[StyleName, Style] = {
    "screen": Style(10.0, 1.7, 3, 10.0, 1.8, 5.0, 130),
    "paper": Style(3.3, 0.72, 2, 7.0, 1.1, 3.2, 300),
}


@dataclass(frozen=True)
class Look:
    """How one curve is drawn: three ways to recognise it, of which two survive in grey.

    Attributes:
        color: Hex colour.
        linestyle: Matplotlib line style.
        marker: Matplotlib marker.
        glyph: The marker as a character, for texts.
        hatch: Matplotlib hatch of bars.
    """

    color: str
    linestyle: LineStyle
    marker: str
    glyph: str = ""
    hatch: str = ""


TARGET = Look("#000000", (0.0, (4.0, 2.0)), "x")
CONSTANT = Look("#000000", (0.0, (1.0, 1.5)), "_")
COUNTING = Look("#a6a6a6", "-", "d")

BAND_ALPHA = 0.18
"""Opacity of interval bands."""

_LOOKS = (
    Look("#004488", "-", "o", "●"),
    Look("#d1632f", (0.0, (6.0, 1.2)), "s", "■", "////"),
    Look("#ddaa33", (0.0, (6.0, 1.2, 1.2, 1.2)), "^", "▲", "...."),
    Look("#44aa99", (0.0, (2.0, 1.0)), "v", "▼", "xxxx"),
    Look("#882255", (0.0, (8.0, 1.2, 1.2, 1.2, 1.2, 1.2)), "P", "✚", "\\\\\\\\"),
    Look("#332288", (0.0, (1.0, 1.0)), "*", "★", "oooo"),
)


def look_of(index: int) -> Look:
    """Return how the source at this place is drawn; the seventh looks like the first."""
    return _LOOKS[index % len(_LOOKS)]


@contextmanager
def style_context(style: Style) -> Iterator[None]:
    """Draw and save in this style; Matplotlib's own settings come back afterwards.

    Fonts are embedded as TrueType in PDF and as outlines in SVG, so that a figure looks the
    same everywhere and passes the font checks of publishers; names are never read as
    mathematics.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_settings(style))
        yield


def _settings(style: Style) -> Any:
    return {
        "font.family": _families(),
        "font.size": style.font,
        "axes.titlesize": style.font,
        "axes.labelsize": style.font,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "figure.labelsize": style.font,
        "axes.axisbelow": True,
        "axes.unicode_minus": False,
        "axes.labelpad": style.font * 0.3,
        "xtick.labelsize": style.font * 0.9,
        "ytick.labelsize": style.font * 0.9,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": style.font * 0.3,
        "ytick.major.size": style.font * 0.3,
        "legend.fontsize": style.font,
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "legend.columnspacing": 1.4,
        "legend.borderaxespad": 0.3,
        "legend.borderpad": 0.0,
        "lines.linewidth": style.line,
        "lines.markersize": style.marker,
        "hatch.linewidth": style.line * 0.35,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.6,
        "figure.dpi": 100,
        "savefig.dpi": style.dpi,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": style.font / 72 * 0.3,
        "figure.constrained_layout.h_pad": style.font / 72 * 0.55,
        "figure.constrained_layout.wspace": 0.0,
        "figure.constrained_layout.hspace": 0.0,
        "figure.subplot.wspace": 0.15,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "progfix",
        "text.parse_math": False,
        "text.usetex": False,
    }


def _families() -> list[str]:
    """Matplotlib's own font first, then what the system has for other scripts.

    TrueType files only: others cannot be embedded in PDF as such.
    """
    wanted = ("Noto Sans", "Noto Sans JP", "Arial Unicode MS", "Droid Sans Fallback", "Symbola")
    installed = {font.name for font in fontManager.ttflist if font.fname.endswith(".ttf")}
    return ["DejaVu Sans", *(name for name in wanted if name in installed)]


def quiet_axes(axes: Axes) -> Axes:
    """Give the Axes a light horizontal grid."""
    axes.grid(visible=True, axis="y")
    axes.grid(visible=False, axis="x")
    return axes


def progress_axis(axes: Axes, low: float, high: float) -> Axes:
    """Let the vertical axis of progress reach from `low` to `high`, with quiet ticks."""
    margin = 0.03 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    if high - low <= 2:
        axes.set_yticks([0.0, 0.5, 1.0])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=2))
    plain_ticks(axes.yaxis)
    return axes


def plain_ticks(axis: Axis) -> Axis:
    """Write an axis' numbers as everywhere in a figure, .25 instead of 0.25."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    return axis


def tick(value: float) -> str:
    """Return a number without its leading zero: .25, -.5, 1, 0."""
    text = f"{value:.6g}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def bar_fill(look: Look) -> dict[str, Any]:
    """Return how a source's bars are filled: its colour, and a hatch for grey printers."""
    return {
        "facecolor": look.color,
        "edgecolor": "white",
        "linewidth": float(mpl.rcParams["lines.linewidth"]) * 0.25,
        "hatch": look.hatch,
    }
