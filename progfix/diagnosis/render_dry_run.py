"""A dry run as text: what the run would take, and what its recipe alone predicts."""

from __future__ import annotations

import math
from collections.abc import Iterator

from progfix.diagnosis.dry_run import DryRun
from progfix.diagnosis.measured import Interval
from progfix.diagnosis.render import (
    NARROWEST,
    WIDEST,
    WIDTH,
    Line,
    cause_lines,
    unchecked_lines,
    wrapped,
)
from progfix.diagnosis.text import many

__all__ = ["render_dry_run"]

_LABEL = 10


def render_dry_run(result: DryRun, *, width: int = WIDTH) -> Iterator[Line]:
    """Yield the lines of the screen, as `progfix.diagnosis.render.render_lines` does."""
    width = min(max(width, NARROWEST), WIDEST)
    cost = result.cost
    title = (
        f"{result.name} on {_shown(result.data)}: {many(cost.epochs, 'epoch')} of "
        f"{many(cost.steps_per_epoch, 'step')}, on {result.device}. Nothing was trained or written."
    )
    yield from wrapped(width, title, style="verdict")
    yield "", ""
    for name, text in _rows(result):
        yield from wrapped(width, text, first=f"  {name:<{_LABEL}}", hang=_LABEL + 2)
    yield "", ""
    if result.findings:
        yield "What recipe and data alone predict:", ""
    else:
        yield from wrapped(width, "Recipe and data alone predict nothing that would go wrong.")
    for rank, finding in enumerate(result.findings, start=1):
        yield "", ""
        yield from cause_lines(finding, rank, width)
    if result.advised is not None:
        yield "", ""
        yield "To mend it before it starts, the same command with", ""
        yield f"  --solution {result.advised}", "command"
    notes = list(_notes(result))
    if notes or result.not_checked:
        yield "", ""
    for note in notes:
        yield from wrapped(width, note, first="note: ", style="dim")
    yield from unchecked_lines(result.not_checked, width)


def _rows(result: DryRun) -> Iterator[tuple[str, str]]:
    for place, split in enumerate(result.splits):
        background = split.all_frames - split.frames
        yield (
            "" if place else "data",
            f"{split.split + ':':<6} {many(split.videos, 'video')}, "
            f"{many(split.segments, 'segment')} of {many(split.frames, 'frame')}"
            + (f", {background:,} beside them" if background > 0 else ""),
        )
    cost = result.cost
    yield (
        "time",
        f"{_seconds(cost.total.value)} in all ({_span(cost.total)}), "
        f"{_seconds(cost.epoch.value)} an epoch ({_span(cost.epoch)}): measured on "
        f"{many(cost.steps, 'step')}, as busy as the machine was",
    )
    if not math.isnan(cost.memory):
        yield "memory", f"{_bytes(cost.memory)} at the most, the largest batch included"
    if not math.isnan(cost.device_memory):
        yield "", f"{_bytes(cost.device_memory)} of them on {result.device}"
    yield "disk", f"{_bytes(cost.disk)} for the run's folder; {_bytes(cost.disk_free)} are free"


def _notes(result: DryRun) -> Iterator[str]:
    cost = result.cost
    if cost.skipped:
        yield (
            f"{cost.skipped} of {many(cost.steps, 'step')} would be skipped: the total loss was "
            "too large, or no segment long enough"
        )
    if cost.disk > cost.disk_free:
        yield "the run's folder does not fit on the disk: choose another with --out"


def _span(times: Interval) -> str:
    return f"{_seconds(times.low)} to {_seconds(times.high)}"


def _seconds(value: float) -> str:
    """Return "0.42 s", "58 s", "12 min" or "3.4 h"."""
    if value < 9.95:
        return f"{value:.2g} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def _bytes(value: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return (
                f"{value / size:.2g} {unit}" if value < 10 * size else f"{value / size:,.0f} {unit}"
            )
    return f"{value / 1e3:.0f} kB"


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
