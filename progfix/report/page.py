"""A diagnosis as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import progfix
from progfix.diagnosis.compare import Comparison
from progfix.diagnosis.model import Diagnosis, Finding
from progfix.diagnosis.render import by_reason
from progfix.diagnosis.text import number
from progfix.plots.views import SegmentView
from progfix.report.markup import Markup, command, element, figure, section, table
from progfix.report.pictures import Pictures
from progfix.report.probes import embeddings, inputs, step
from progfix.report.style import STYLE
from progfix.report.svg import draw_curves, draw_density, draw_ladder, draw_positions
from progfix.solutions import SOLUTIONS

__all__ = ["render_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(
    diagnosis: Diagnosis,
    pictures: Pictures | None = None,
    comparison: Comparison | None = None,
) -> str:
    """Return the page: HTML with its styles and drawings, and nothing to fetch.

    Args:
        diagnosis: What it is about; where two are compared, the later one.
        pictures: Density and curves, where there are predictions.
        comparison: With an earlier diagnosis, told first.
    """
    sections = [*_sections(diagnosis, pictures, comparison)]
    links = element(
        "nav",
        element("ul", *(element("li", element("a", t, href=f"#{n}")) for n, t, _ in sections)),
        aria_label="Parts of the report",
    )
    header = element(
        "header",
        element("h1", f"progfix diagnosis of {_printable(diagnosis.source)}"),
        element("p", diagnosis.verdict, class_="verdict"),
        element("p", diagnosis.fault.words) if diagnosis.fault.words else "",
        element("p", _counts(diagnosis), class_="quiet"),
        links,
    )
    skip = element("a", "Skip to the report", href="#report", class_="skip")
    content = element("main", *(section(*parts) for parts in sections), id="report")
    footer = element("footer", f"Made by progfix {progfix.__version__}; it loads nothing.")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        f"<title>{escape(_printable(diagnosis.source))}: progfix diagnosis</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n{skip}{header}\n{content}\n{footer}\n"
        "</body>\n</html>\n"
    )


def _sections(
    d: Diagnosis, pictures: Pictures | None, comparison: Comparison | None
) -> Iterator[tuple[str, str, Markup]]:
    if comparison is not None:
        yield "change", "What changed", _change(comparison)
    if d.ladder:
        numbers = table("MAE", ("rung", "MAE"), ((r.label, number(r.mae)) for r in d.ladder))
        caption = "Mean absolute error, from knowing nothing to being right. Shorter is better."
        yield "ladder", "Where it stands", figure(draw_ladder(d.ladder), caption, numbers)
    yield "findings", "Findings", _findings(d)
    if d.fix_command:
        yield "repair", "To repair it", command(d.fix_command)
    if d.positions:
        yield "positions", "Where in the action it errs", _positions(d)
    if pictures is not None:
        caption = (
            "How often a target meets an answer; the stronger the colour, the more frames. The "
            "dotted line is right; a flat band is an answer that does not move."
        )
        drawing = element("div", figure(draw_density(pictures.density), caption), class_="small")
        yield "density", "Answers against the truth", drawing
        yield "curves", "Typical and worst segments", _curves(pictures)
    if d.probes.inputs:
        yield "inputs", "Other inputs", inputs(d)
    if d.probes.embeddings is not None:
        yield "embeddings", "What the embeddings carry", embeddings(d)
    if d.probes.step is not None:
        yield "step", "One training step", step(d)
    if d.not_checked or d.notices:
        yield "unchecked", "What was not checked, and doubts", _unchecked(d)


def _printable(label: str) -> str:
    return "".join(c if c.isprintable() else " " for c in label)


def _counts(d: Diagnosis) -> str:
    s = d.summary
    if not s.frames:
        return "No predictions."
    learnt = f" Counting learnt durations from: {d.skill.fitted_on}." if d.skill.fitted_on else ""
    return f"{s.videos:,} videos, {s.segments:,} segments, {s.frames:,} frames.{learnt}"


def _findings(d: Diagnosis) -> Markup:
    if not d.findings:
        return element("p", "None.")
    causes = [_cause(f) for f in d.findings if f.role == "cause"]
    beside = [f for f in d.findings if f.role == "symptom"]
    if not beside:
        return Markup("".join(causes))
    listed = element(
        "ul",
        *(element("li", element("strong", f.id), f" ({f.severity}): {f.title}.") for f in beside),
    )
    return Markup("".join([*causes, element("h3", "What goes with it"), listed]))


def _cause(f: Finding) -> Markup:
    fix = ", ".join(f"{letter} ({SOLUTIONS[letter].name})" for letter in f.fix)
    worth = f"{f.repair} would save {number(f.gain)} of the MAE. " if f.gain == f.gain else ""
    numbers = ((name, _plain(value)) for name, value in f.evidence.items())
    return element(
        "article",
        element("p", f"{f.severity}: {f.id}", class_="tag"),
        element("h3", f"{f.title}."),
        element("p", f.why),
        element("p", f"{worth}{f'Fix: {fix}. ' if fix else ''}{f.advice}")
        if fix or f.advice
        else "",
        element(
            "details",
            element("summary", "Evidence"),
            table(f"Numbers behind {f.id}", ("number", "value"), numbers),
        ),
        class_=f.severity,
    )


def _plain(value: object) -> str:
    return (
        f"{value:.4g}" if isinstance(value, float) else "unknown" if value is None else str(value)
    )


def _positions(d: Diagnosis) -> Markup:
    cells = (
        (f"{p.low:.0%} to {p.high:.0%}", number(p.mae), number(p.bias), f"{p.count:,}")
        for p in d.positions
    )
    caption = (
        "Mean absolute error by position in the action; in grey, that of answering 0.5 every "
        "time. A valley in the middle is the mark of answers near 0.5."
    )
    numbers = table("Error by position", ("position", "MAE", "bias", "frames"), cells)
    return figure(draw_positions(d.positions), caption, numbers)


def _curves(pictures: Pictures) -> Markup:
    def group(title: str, segments: Sequence[SegmentView]) -> Markup:
        drawn = [figure(draw_curves(s), _segment_caption(s)) for s in segments]
        return Markup(element("h3", title) + element("div", *drawn, class_="grid"))

    key = element(
        "p",
        "Solid: the answers. Dotted: the truth. Dashed: counting frames. Where two sources are "
        "shown, the second is the other colour.",
        class_="quiet",
    )
    typical = group("From the best to the worst", pictures.typical)
    return Markup(key + typical + group("The worst", pictures.worst))


def _segment_caption(segment: SegmentView) -> str:
    errors = ", ".join(f"{_printable(c.label)} {number(c.mae)}" for c in segment.curves)
    where = f"{segment.video} #{segment.segment}"
    return f"{f'{segment.action}, ' if segment.action else ''}{where}: MAE {errors}"


def _unchecked(d: Diagnosis) -> Markup:
    doubts = [element("li", notice) for notice in d.notices]
    missing = [element("li", f"{told}: {reason}.") for told, reason in by_reason(d.not_checked)]
    return element("ul", *doubts, *missing)


def _change(comparison: Comparison) -> Markup:
    before, after = comparison.before, comparison.after
    cells = [
        ("MAE", number(before.summary.mae), number(after.summary.mae)),
        (
            "skill against counting frames",
            number(before.skill.frame_counting, 2),
            number(after.skill.frame_counting, 2),
        ),
        (
            "first frame, median",
            number(before.summary.first_frame_median, 2),
            number(after.summary.first_frame_median, 2),
        ),
        (
            "last frame, median",
            number(before.summary.last_frame_median, 2),
            number(after.summary.last_frame_median, 2),
        ),
    ]
    heads = ("", _printable(before.source), _printable(after.source))
    listed = [
        element("p", element("strong", f"{title}: "), ", ".join(ids) or "none")
        for title, ids in (
            ("Gone", comparison.gone),
            ("New", comparison.new),
            ("Could not be looked for before", comparison.unseen_before),
            ("Still there", comparison.kept),
        )
    ]
    return Markup(table("Before and after", heads, cells) + "".join(listed))
