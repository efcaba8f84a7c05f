"""Numbers as they stand in a sentence."""

from __future__ import annotations

import math

__all__ = ["compared", "many", "number", "percent", "span"]


def number(value: float, digits: int = 3) -> str:
    """Return .246 for 0.246, 1.200 for 1.2, and "unknown" for NaN."""
    if math.isnan(value):
        return "unknown"
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def percent(share: float) -> str:
    """Return "12 %" for 0.12, "under 1 %" for 0.003, and "unknown" for NaN."""
    if math.isnan(share):
        return "unknown"
    return "under 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def span(low: float, high: float) -> str:
    """Return ".48 to .56", or "about .48" where the two are written alike."""
    first, last = number(low, 2), number(high, 2)
    return f"about {first}" if first == last else f"{first} to {last}"


def many(n: int, what: str) -> str:
    """Return "1 frame" or "2,000 frames"."""
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def compared(skill: float, baseline: str, alike: float) -> str:
    """Return "worse than X", "no better than X" or "only 4 % better than X".

    Args:
        skill: 1 - MAE / MAE of the baseline, below `alike`.
        baseline: X.
        alike: Skill up to which, in either direction, the two are about the same.
    """
    if skill >= 0.005:
        return f"only {percent(skill)} better than {baseline}"
    return f"{'worse' if skill < -alike else 'no better'} than {baseline}"
