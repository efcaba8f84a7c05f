"""What `progfix eval` shows: one screen of tables on stdout, progress on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from progfix.cli.alignment_view import show_alignment
from progfix.cli.render import Screen, count, interval, number, short, table
from progfix.evaluation import Bin, Comparison, Estimate
from progfix.evaluation.report import EvalReport, Result

__all__ = ["EvalProgress", "show"]

_BASELINE_LABELS = {
    "constant": "constant 0.5",
    "frame_counting": "frame counting",
    "frame_counting_per_action": "counting per action",
}
_PATIENCE = 1.0


class EvalProgress:
    """A line on stderr, if it is a terminal, once evaluating takes longer than a second."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status: Status | None = None
        self._since = time.monotonic()
        self._frames = 0
        self._label = ""

    def __enter__(self) -> EvalProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def observe(self, label: str, frames: int) -> None:
        """Show how many frames of a source have been evaluated."""
        self._frames = self._frames + frames if label == self._label else frames
        self._label = label
        if not sys.stderr.isatty() or time.monotonic() - self._since < _PATIENCE:
            return
        if self._status is None:
            self._status = self._console.status("")
            self._status.start()
        self._status.update(Text(f"{label}: {self._frames:,} frames"))


def show(report: EvalReport, *, positions: bool) -> None:
    """Print a report; notices go to stderr.

    Args:
        report: What was found.
        positions: Whether to show errors by position.
    """
    out = Screen()
    first = report.results[0].evaluation
    sizes = f"{count(len(first.sums.videos), 'video')}, " + ", ".join(
        (count(len(first.sums.segments["video"]), "segment"), count(first["mae"].count, "frame"))
    )
    data = next((r.source.data for r in report.results if r.source.data is not None), None)
    where = "" if data is None else f"{data.origin}, {report.split} split: "
    out.print(Text(f"{where}{sizes}"), soft_wrap=True)
    out.print(Text(f"frame counting fitted on: {first.fitted_on}", style="dim"), soft_wrap=True)
    tables = [_errors(report), _shape(report)]
    if any(result.evaluation["coverage"].count for result in report.results):
        tables.append(_calibration(report))
    if report.comparisons:
        tables.append(_differences(report))
    for part in tables:
        out.print("", part, sep="\n")
    for result in report.results:
        for title, part in _breakdowns(report, result, positions=positions):
            out.print("", Text(title, style="bold"), part, sep="\n")
    show_alignment(out, report.results)
    out.print("")
    for line in _undefined(report):
        out.print(Text(line, style="dim"))
    for suspicion in report.suspicions:
        out.print(Text(f"! {suspicion}", style="bold yellow"))
    notes = Screen(stderr=True)
    for notice in report.notices:
        notes.print(Text(f"note: {notice}", style="dim"), soft_wrap=True)


def _errors(report: EvalReport) -> Table:
    rows = table(
        "source", ("MAE", "95 % interval", "RMSE", "OGPE", "vs 0.5", "vs count", "/action")
    )
    for result in report.results:
        e = result.evaluation
        rows.add_row(
            short(result.label),
            number(e["mae"].value),
            interval(e["mae"]),
            number(e["rmse"].value),
            number(e["ogpe"].value),
            *(number(e[f"skill_{name}"].value, 2, signed=True) for name in _BASELINE_LABELS),
        )
    rows.add_section()
    for name, metrics in report.results[0].evaluation.baselines.items():
        rows.add_row(
            Text(_BASELINE_LABELS[name], style="dim"),
            *(Text(number(metrics["mae"].value), style="dim"), Text(interval(metrics["mae"]))),
            *(Text(number(metrics[n].value), style="dim") for n in ("rmse", "ogpe")),
        )
    rows.caption = "vs: skill, 1 - MAE / MAE of the baseline"
    rows.caption_justify = "left"
    return rows


def _shape(report: EvalReport) -> Table:
    rows = table(
        "source", ("Spearman", "Kendall", "no fall", "first", "last", "5 to 95 %", "spread")
    )
    for result in report.results:
        e = result.evaluation
        rows.add_row(
            short(result.label),
            *(number(e[n].value, 2, signed=True) for n in ("spearman", "kendall")),
            f"{100 * e['monotonicity'].value:.0f} %" if e["monotonicity"].count else "-",
            *(number(e[n].value, 2) for n in ("first_frame_median", "last_frame_median")),
            " to ".join(number(e[n].value, 2) for n in ("prediction_p05", "prediction_p95")),
            number(e["spread"].value, 2),
        )
    rows.caption = "first, last: median prediction there; spread: std of predictions / of targets"
    rows.caption_justify = "left"
    return rows


def _calibration(report: EvalReport) -> Table:
    rows = table("source", ("in interval", "95 % interval", "its width", "CRPS"))
    for result in report.results:
        e = result.evaluation
        rows.add_row(
            short(result.label),
            number(e["coverage"].value),
            interval(e["coverage"]),
            number(e["interval_width"].value),
            number(e["crps"].value),
        )
    return rows


def _differences(report: EvalReport) -> Table:
    reference = report.results[0].label
    rows = table(f"minus {reference}", ("MAE", "95 % interval", "RMSE", "OGPE", "Spearman"))
    rows.caption = "* the paired interval excludes zero"
    rows.caption_justify = "left"
    for result, comparison in zip(report.results[1:], report.comparisons, strict=True):
        rows.add_row(
            short(result.label),
            _starred(comparison, "mae"),
            interval(comparison.differences["mae"], signed=True),
            *(_starred(comparison, name) for name in ("rmse", "ogpe", "spearman")),
        )
    return rows


def _starred(comparison: Comparison, name: str) -> str:
    star = "*" if comparison.certain(name) else " "
    return number(comparison.differences[name].value, signed=True) + star


def _breakdowns(
    report: EvalReport, result: Result, *, positions: bool
) -> Iterable[tuple[str, Table]]:
    evaluation = result.evaluation
    name = f"{result.label}: " if len(report.results) > 1 else ""
    if positions:
        yield f"{name}by position in the action", _bins(evaluation.positions)
    for kind, groups in evaluation.groups.items():
        title = "duration in frames" if kind == "duration" else kind
        yield f"{name}by {title}", _groups(title, groups)


def _bins(bins: Sequence[Bin]) -> Table:
    rows = table("position", ("frames", "MAE", "95 % interval", "bias", "95 % interval"))
    for part in bins:
        rows.add_row(
            f"{part.low:.2f} to {part.high:.2f}",
            f"{part.count:,}",
            number(part.mae.value),
            interval(part.mae),
            number(part.bias.value, signed=True),
            interval(part.bias, signed=True),
        )
    return rows


def _groups(title: str, groups: Mapping[str, Mapping[str, Estimate]]) -> Table:
    rows = table(title, ("frames", "MAE", "95 % interval", "bias", "vs 0.5", "vs count"))
    blank = {"task": "(no task)", "action": "(no action)"}.get(title, "")
    for group, metrics in groups.items():
        rows.add_row(
            short(group or blank),
            f"{metrics['mae'].count:,}",
            number(metrics["mae"].value),
            interval(metrics["mae"]),
            number(metrics["bias"].value, signed=True),
            *(
                number(metrics[f"skill_{name}"].value, 2, signed=True)
                for name in ("constant", "frame_counting")
            ),
        )
    return rows


def _undefined(report: EvalReport) -> Iterable[str]:
    for result in report.results:
        ranks = result.evaluation["spearman"]
        if ranks.undefined:
            segments = ranks.count + ranks.undefined
            yield (
                f"{result.label}: no rank correlation in {ranks.undefined:,} of "
                f"{count(segments, 'segment')} (one frame, or one value throughout)"
            )
