"""An evaluation as text for papers and spreadsheets: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from progfix.evaluation.estimates import Bin, Estimate
from progfix.evaluation.notices import fitted_on, place
from progfix.evaluation.report import EvalReport, Group, Result

__all__ = [
    "BASELINE_LABELS",
    "csv_text",
    "interval",
    "latex",
    "latex_table",
    "markdown",
    "markdown_table",
    "number",
]

BASELINE_LABELS = {
    "constant": "constant 0.5",
    "frame_counting": "frame counting",
    "frame_counting_per_action": "frame counting per action",
}

_COLUMNS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "ogpe": "OGPE",
    "skill_constant": "skill vs constant",
    "skill_frame_counting": "skill vs counting",
    "spearman": "Spearman",
    "kendall": "Kendall",
}
_CSV_HEADER = (
    "source", "kind", "group", "metric", "value", "low", "high", "count", "undefined"
)  # fmt: skip


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return a number as text, a dash where it is undefined."""
    if math.isnan(value):
        return "-"
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def interval(value: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    """Return "low to high", empty where there is no interval."""
    if math.isnan(value.low):
        return ""
    low, high = (number(end, digits, signed=signed) for end in (value.low, value.high))
    return f"{low} to {high}"


def markdown(report: EvalReport) -> str:
    """Return a table of sources and baselines, `*` marking differences from the first source.

    Sources that have no video in common stand in tables of their own.
    """
    return "\n".join(
        markdown_table(*_table(group), _caption(report, group)) for group in report.groups
    )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return a table with a line about it below."""
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + f"\n\n{caption}\n"


def latex(report: EvalReport) -> str:
    """Return the same tables for LaTeX with the package booktabs."""
    return "\n".join(
        latex_table(*_table(group), _caption(report, group)) for group in report.groups
    )


def latex_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return a table for LaTeX with the package booktabs, a line about it as a comment."""
    lines = [
        f"% {caption}",
        r"\begin{tabular}{l" + "r" * (len(header) - 1) + "}",
        r"\toprule",
        " & ".join(map(_escaped, header)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_escaped, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def csv_text(report: EvalReport) -> str:
    """Return every number, one per line, with its interval and counts."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEADER)
    for result in report.results:
        for kind, group, metrics in _all(result):
            for name, e in metrics.items():
                numbers = ("" if math.isnan(x) else repr(x) for x in (e.value, e.low, e.high))
                writer.writerow([result.label, kind, group, name, *numbers, e.count, e.undefined])
    for part in report.groups:
        for result, comparison in zip(part.results[1:], part.comparisons, strict=True):
            reference = part.results[0].label
            for name, e in comparison.differences.items():
                numbers = ("" if math.isnan(x) else repr(x) for x in (e.value, e.low, e.high))
                row = [result.label, "difference", reference, name, *numbers, e.count, e.undefined]
                writer.writerow(row)
    return text.getvalue()


def _all(result: Result) -> Iterator[tuple[str, str, Mapping[str, Estimate]]]:
    evaluation = result.evaluation
    yield "metric", "", evaluation.metrics
    for name, metrics in evaluation.baselines.items():
        yield "baseline", name, metrics
    for kind, bins in (("position", evaluation.positions), ("value", evaluation.values)):
        for part in bins:
            yield kind, _edges(part), {"mae": part.mae, "bias": part.bias}
    for breakdown, groups in evaluation.groups.items():
        for name, metrics in groups.items():
            yield breakdown, name, metrics
    if result.alignment is not None:
        yield (
            "alignment",
            result.alignment.variant,
            {
                name: Estimate(
                    score.value, *result.alignment.intervals[name], score.count, score.undefined
                )
                for name, score in result.alignment.scores.items()
            },
        )


def _edges(part: Bin) -> str:
    return f"{part.low:g}-{part.high:g}"


def _table(group: Group) -> tuple[list[str], list[list[str]]]:
    rows = []
    for row, result in enumerate(group.results):
        cells = [result.label]
        for name in _COLUMNS:
            e = result.evaluation[name]
            star = row > 0 and group.comparisons[row - 1].certain(name)
            between = f" [{number(e.low)}, {number(e.high)}]" if not math.isnan(e.low) else ""
            cells.append(number(e.value) + between + ("*" if star else ""))
        rows.append(cells)
    for name, metrics in group.results[0].evaluation.baselines.items():
        cells = [number(metrics[n].value) if n in metrics else "" for n in _COLUMNS]
        rows.append([BASELINE_LABELS[name], *cells])
    return ["source", *_COLUMNS.values()], rows


def _caption(report: EvalReport, group: Group) -> str:
    lead = group.results[0]
    first, where = lead.evaluation, place(lead, report.split)
    text = (
        f"{f'{where}: ' if where else ''}{first['mae'].count} frames of "
        f"{len(first.sums.videos)} videos; frame counting fitted on "
        f"{fitted_on(lead, report.split)}"
    )
    if first.resamples:
        text += f"; 95 % intervals from {first.resamples} resamples of the videos"
    if len(group.results) > 1:
        text += f"; * differs from {lead.label} (paired interval excludes zero)"
    return text + "."


def _escaped(text: str) -> str:
    table = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    table |= {character: "\\" + character for character in "&%$#_{}"}
    return "".join(table.get(character, character) for character in text)
