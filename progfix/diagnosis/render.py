"""A diagnosis as text: the verdict, its numbers, a histogram, findings, and what to do.

Lines carry a style name, so that a terminal can colour them; without colour they say the
same.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from progfix.diagnosis.measured import Probes
from progfix.diagnosis.model import Diagnosis, Finding, NotChecked, Position
from progfix.diagnosis.text import many, number, percent, span
from progfix.solutions import SOLUTIONS

__all__ = [
    "NARROWEST",
    "WIDEST",
    "WIDTH",
    "Line",
    "by_reason",
    "cause_lines",
    "render_lines",
    "render_text",
    "unchecked_lines",
    "wrapped",
]

WIDTH = 79
"""Columns where nobody says how wide the screen is."""
NARROWEST, WIDEST = 60, 100

Line = tuple[str, str]
"""A line and its style: "verdict", "error", "warning", "info", "dim", "command" or ""."""

_BLOCKS = " ▏▎▍▌▋▊▉█"
_FULL_BAR = 0.5
_BESIDE_BAR = 35
"""Columns of a line of the histogram that the bar cannot have."""

_NAMED = 6
"""Findings that are named where they could not be looked for, for one reason; of more, how many."""


def render_text(diagnosis: Diagnosis, *, ascii_only: bool = False, width: int = WIDTH) -> str:
    """Return the diagnosis as plain text; only commands are wider than `width`."""
    lines = render_lines(diagnosis, ascii_only=ascii_only, width=width)
    return "\n".join(text for text, _ in lines)


def render_lines(
    diagnosis: Diagnosis, *, ascii_only: bool = False, width: int = WIDTH
) -> Iterator[Line]:
    """Yield the lines of the screen.

    Args:
        diagnosis: What to show.
        ascii_only: Draw bars with "#".
        width: Columns of a line, commands aside; taken for `NARROWEST` to `WIDEST`.
    """
    width = min(max(width, NARROWEST), WIDEST)
    d, s = diagnosis, diagnosis.summary
    yield from wrapped(width, d.verdict, style="verdict")
    if d.fault.words and d.fault.place != "nowhere":
        yield from wrapped(width, d.fault.words)
    yield "", ""
    counts = (
        f": {many(s.videos, 'video')}, {many(s.segments, 'segment')}, {many(s.frames, 'frame')}"
        if s.frames
        else ""
    )
    label = "".join(c if c.isprintable() else " " for c in d.source)
    yield from wrapped(width, label + counts, style="dim")
    if s.frames:
        yield "", ""
        yield from _numbers(d, width)
    if d.positions:
        yield "", ""
        yield from _histogram(d.positions, width, ascii_only=ascii_only)
    causes = [finding for finding in d.findings if finding.role == "cause"]
    for rank, finding in enumerate(causes, start=1):
        yield "", ""
        yield from cause_lines(finding, rank, width)
    symptoms = [f for f in d.findings if f.role == "symptom"]
    if symptoms:
        yield "", ""
        yield f"What goes with {'it' if len(causes) == 1 else 'them'}:", ""
        for finding in symptoms:
            head = f"  {finding.severity:<7}  {finding.id}: "
            yield from wrapped(width, finding.title, first=head, style=finding.severity)
    if d.probes.inputs:
        yield "", ""
        yield from _probes(d.probes, width)
    if d.fix_command:
        yield "", ""
        yield "To repair it:", ""
        yield f"  {d.fix_command}", "command"
    yield from _small_print(d, width)


def _numbers(d: Diagnosis, width: int) -> Iterator[Line]:
    s, skill = d.summary, d.skill
    constant, counting = s.mae_constant, s.mae_frame_counting
    given_action = s.mae_frame_counting_per_action
    rows = [
        ("MAE", number(s.mae), "this source"),
        ("", number(constant), f"answering 0.5 every time{_against(s.mae, constant)}"),
        ("", number(counting), f"counting frames{_against(s.mae, counting)}"),
        ("", number(given_action), f"... knowing the action{_against(s.mae, given_action)}"),
        *(
            ("", number(rung.mae), rung.label)
            for rung in d.ladder
            if rung.name == "embedding_probe" or (rung.name == "repaired" and rung.mae < s.mae)
        ),
        ("answers", span(s.prediction_low, s.prediction_high), ""),
        ("truth", span(s.target_low, s.target_high), "(5 to 95 % quantiles)"),
        (
            "first frame",
            number(s.first_frame_median, 2),
            f"truth {number(s.first_frame_target, 2)}",
        ),
        ("last frame", number(s.last_frame_median, 2), "truth 1.00 (medians over segments)"),
    ]
    for name, value, rest in rows:
        if value == number(math.nan):
            continue
        # A value that is as wide as its column keeps its distance.
        value = value.ljust(11)
        yield from wrapped(width, rest, first=f"  {name:<13}{value} ", hang=27)
    if skill.fitted_on and not math.isnan(counting):
        first = "  counting learnt durations from: "
        yield from wrapped(width, skill.fitted_on, first=first, style="dim")


def _against(mae: float, baseline: float) -> str:
    skill = 1 - mae / baseline if baseline > 0 else math.nan
    if math.isnan(skill):
        return ""
    if abs(skill) < 0.005:
        return ": the same"
    if skill < -1:
        return f": this errs {mae / baseline:.1f} times as much"
    return f": this is {percent(abs(skill))} {'better' if skill > 0 else 'worse'}"


def _histogram(positions: tuple[Position, ...], width: int, *, ascii_only: bool) -> Iterator[Line]:
    heading = "error by position in the action (answering 0.5: .45 at the ends, .05 amid)"
    yield from wrapped(width, heading, first="  ")
    yield "  position      MAE    bias", "dim"
    full = max([_FULL_BAR, *(p.mae for p in positions if p.count)])
    for p in positions:
        where = f"{p.low * 100:3.0f}-{p.high * 100:3.0f} %"
        if p.count:
            bias = f"{'+' if p.bias >= 0 else '-'}{number(abs(p.bias))}"
            bar = _bar(p.mae / full, width - _BESIDE_BAR, ascii_only=ascii_only)
            yield f"  {where}  {number(p.mae):>6}  {bias:>6}  {bar}".rstrip(), ""
        else:
            yield f"  {where}       -       -", "dim"


def _bar(share: float, columns: int, *, ascii_only: bool) -> str:
    eighths = round(share * columns * 8)
    if ascii_only:
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()


def cause_lines(finding: Finding, rank: int, width: int) -> Iterator[Line]:
    """Yield a finding: what, why, what repairing it is worth, and what to do."""
    yield f"{rank}. {finding.severity}: {finding.id}", finding.severity
    yield from wrapped(width, finding.title + ".", first="   ")
    yield from wrapped(width, finding.why, first="   ", style="dim")
    fix = ", ".join(f"{letter} ({SOLUTIONS[letter].name})" for letter in finding.fix)
    worth = ""
    if not math.isnan(finding.gain):
        saved = f"{number(finding.gain)} of the MAE" if finding.gain >= 0.0005 else "nothing"
        worth = f"{finding.repair} would save {saved}. "
    if fix or worth:
        yield from wrapped(width, f"{worth}{f'Fix: {fix}.' if fix else ''}".strip(), first="   ")
    if finding.advice:
        yield from wrapped(width, finding.advice, first="   ")


def _probes(probes: Probes, width: int) -> Iterator[Line]:
    frames = max(probe.frames for probe in probes.inputs)
    videos = max(probe.videos for probe in probes.inputs)
    heading = f"Other inputs in place of the recorded ones ({many(frames, 'frame')} of "
    yield from wrapped(width, f"{heading}{many(videos, 'video')}):")
    yield "  answers move   MAE changes", "dim"
    for probe in probes.inputs:
        change, mae = number(probe.change.value), probe.mae_change.value
        sign = "-" if mae < 0 and number(mae) != number(0.0) else "+"
        first = f"  {change:>12}   {sign + number(abs(mae)):>11}  "
        yield from wrapped(width, probe.what, first=first, hang=30)


def _small_print(d: Diagnosis, width: int) -> Iterator[Line]:
    if d.notices or d.not_checked:
        yield "", ""
    for notice in d.notices:
        yield from wrapped(width, notice, first="note: ", style="dim")
    yield from unchecked_lines(d.not_checked, width)


def unchecked_lines(not_checked: Sequence[NotChecked], width: int) -> Iterator[Line]:
    """Yield what could not be looked for, by its reason; of many, how many (JSON has them all)."""
    for told, reason in by_reason(not_checked):
        yield from wrapped(width, f"{told} ({reason})", first="Not checked: ", style="dim")


def by_reason(not_checked: Sequence[NotChecked]) -> Iterator[tuple[str, str]]:
    """Yield what could not be looked for, in words, and why; one pair for each reason."""
    ordered = sorted(not_checked, key=lambda n: n.reason)
    for reason, group in groupby(ordered, key=lambda n: n.reason):
        names = [n.id for n in group]
        yield ", ".join(names) if len(names) <= _NAMED else f"{len(names)} findings", reason


def wrapped(
    width: int, text: str, *, first: str = "", style: str = "", hang: int = 4
) -> Iterator[Line]:
    """Yield a text as lines of `width` columns, the first behind `first`."""
    hanging = " " * min(len(first), hang)
    for line in textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=hanging,
        break_on_hyphens=False,
    ):
        yield line, style
    if not text:
        yield first.rstrip(), style
