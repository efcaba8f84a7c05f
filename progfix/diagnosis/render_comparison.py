"""Two diagnoses as text: what changed from the first to the second."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from progfix.diagnosis.compare import Comparison
from progfix.diagnosis.model import Diagnosis
from progfix.diagnosis.render import NARROWEST, WIDEST, WIDTH, Line
from progfix.diagnosis.text import number

__all__ = ["render_comparison"]

_VALUES = 12


def render_comparison(comparison: Comparison, *, width: int = WIDTH) -> Iterator[Line]:
    """Yield the lines of the screen, as `progfix.diagnosis.render.render_lines` does."""
    width = min(max(width, NARROWEST), WIDEST)
    before, after = comparison.before, comparison.after
    for when, diagnosis in (("before", before), ("after", after)):
        label = "".join(c if c.isprintable() else " " for c in diagnosis.source)
        yield from _wrapped(f"{label}: {diagnosis.verdict}", when, width, "verdict")
    yield "", ""
    yield f"{'':<30}{'before':>{_VALUES}}{'after':>{_VALUES}}", "dim"
    for name, first, second in _rows(before, after):
        yield f"  {name:<28}{first:>{_VALUES}}{second:>{_VALUES}}", ""
    yield "", ""
    for title, ids in (
        ("gone", comparison.gone),
        ("new", comparison.new),
        ("kept", comparison.kept),
    ):
        yield from _wrapped(", ".join(ids) or "nothing", title, width, "")
    if comparison.unseen_before:
        unseen = ", ".join(comparison.unseen_before)
        yield from _wrapped(f"{unseen} (could not be looked for before)", "unseen", width, "")
    if after.fix_command:
        yield "", ""
        yield "To repair the second:", ""
        yield f"  {after.fix_command}", "command"


def _rows(before: Diagnosis, after: Diagnosis) -> Iterator[tuple[str, str, str]]:
    first, second = before.summary, after.summary
    counting = before.skill.frame_counting, after.skill.frame_counting
    for name, digits, values in (
        ("MAE", 3, (first.mae, second.mae)),
        ("skill against counting", 2, counting),
        ("first frame, median", 2, (first.first_frame_median, second.first_frame_median)),
        ("last frame, median", 2, (first.last_frame_median, second.last_frame_median)),
        ("spread of answers", 2, (first.spread, second.spread)),
    ):
        yield name, number(values[0], digits), number(values[1], digits)


def _wrapped(text: str, title: str, width: int, style: str) -> Iterator[Line]:
    first = f"{title}: ".ljust(8)
    for line in textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=" " * 8, break_on_hyphens=False
    ):
        yield line, style
