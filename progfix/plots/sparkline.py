"""Curves as one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

__all__ = ["BLOCKS", "PLAIN", "Sparkline", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=*%#@"
"""The same eight levels for terminals without block characters."""


@dataclass(frozen=True)
class Sparkline:
    """One curve of a figure.

    Attributes:
        subject: What the curve is about, such as a segment.
        label: Name of the source.
        values: The curve; NaN where it is undefined.
        low: What the lowest block stands for.
        high: What the highest block stands for.
        value: The number to print beside it, such as the MAE.
    """

    subject: str
    label: str
    values: tuple[float, ...]
    low: float = 0.0
    high: float = 1.0
    value: float | None = None


def sparkline(
    values: Sequence[float],
    *,
    low: float = 0.0,
    high: float = 1.0,
    width: int = 20,
    blocks: str = BLOCKS,
) -> str:
    """Return a curve as a line of blocks.

    Args:
        values: The curve; NaN gives a space.
        low: What the lowest block stands for; below it is drawn as it.
        high: What the highest block stands for; above it is drawn as it.
        width: Characters at most; a longer curve is thinned out, its ends kept.
        blocks: Characters from low to high.
    """
    count = len(values)
    if count > width:
        values = [values[round(place * (count - 1) / (width - 1))] for place in range(width)]
    span = (high - low) or 1.0
    levels = len(blocks)
    return "".join(
        blocks[min(levels - 1, max(0, int((value - low) / span * levels)))]
        if isfinite(value)
        else " "
        for value in values
    )
