"""Names and numbers as they stand in a figure: cleaned, shortened to the room there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

__all__ = [
    "axes_width",
    "clean",
    "count",
    "decimal",
    "distinct",
    "figure_text",
    "readable",
    "shorten",
    "shorten_to",
    "text_width",
]

ELLIPSIS = "…"
MISSING = "▯"


def clean(name: str) -> str:
    """Return a name on one line, each run of white space as one space.

    Control characters are dropped, so that a name can break neither a figure nor a terminal.
    """
    kept = (letter for letter in name if letter.isprintable() or letter.isspace())
    return " ".join("".join(kept).split())


def readable(name: str) -> str:
    """Return the name of an action or task as words: underscores are spaces."""
    return clean(name.replace("_", " "))


def figure_text(name: str) -> str:
    """Return a cleaned name in which characters that no font here has are boxes."""
    known = _characters(_family())
    return "".join(letter if ord(letter) in known else MISSING for letter in clean(name))


def shorten(text: str, length: int) -> str:
    """Return the text with its middle left out where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    if length <= 1:
        return ELLIPSIS[:length]
    head = (length - 1 + 1) // 2
    tail = length - 1 - head
    return text[:head].rstrip() + ELLIPSIS + (text[-tail:].lstrip() if tail else "")


@lru_cache(maxsize=4096)
def _extent(text: str, family: tuple[str, ...], weight: str) -> float:
    properties = FontProperties(family=list(family), size=100, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, properties, ismath=False)
    return float(width) / 100.0


def text_width(text: str, size: float | None = None, weight: str = "normal") -> float:
    """Return how wide a text is drawn in the current font, in points."""
    points = float(rcParams["font.size"]) if size is None else size
    return points * _extent(text, _family(), weight)


def _family() -> tuple[str, ...]:
    family = rcParams["font.family"]
    return (family,) if isinstance(family, str) else tuple(family)


@lru_cache(maxsize=8)
def _characters(family: tuple[str, ...]) -> frozenset[int]:
    """Code points that the fonts of a family, in order of preference, can draw."""
    found: set[int] = set()
    for name in family:
        found.update(get_font(findfont(FontProperties(family=[name]))).get_charmap())
    return frozenset(found)


def shorten_to(text: str, width: float, size: float | None = None, weight: str = "normal") -> str:
    """Return the text, shortened in its middle to at most `width` points."""
    if text_width(text, size, weight) <= width:
        return text
    low, high = 0, len(text)
    while low < high - 1:
        middle = (low + high) // 2
        fits = text_width(shorten(text, middle), size, weight) <= width
        low, high = (middle, high) if fits else (low, middle)
    return shorten(text, low)


def distinct(labels: Sequence[str], width: float) -> list[str]:
    """Shorten labels to at most `width` points such that different ones stay different.

    Labels that look alike once shortened get their number, from 1, in front.
    """
    short = [shorten_to(label, width) for label in labels]
    return [
        shorten_to(f"{place}: {label}", width) if short.count(text) > 1 else text
        for place, (label, text) in enumerate(zip(labels, short, strict=True), start=1)
    ]


def count(amount: int, word: str) -> str:
    """Return "1 frame" or "2,000 frames"."""
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"


def decimal(value: float, digits: int = 3) -> str:
    """Return an error as text: .075; an undefined one is "n/a"."""
    if math.isnan(value):
        return "n/a"
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def axes_width(axes: Axes) -> float:
    """Return the width of an Axes in points, as far as its layout is known."""
    return float(axes.get_window_extent().width) * 72.0 / float(axes.figure.dpi)
