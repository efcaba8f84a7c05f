"""What `progfix eval` shows: one screen of tables on stdout, progress on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.status import Status
from rich.text import Text

from progfix.cli.alignment_view import show_alignment
from progfix.cli.eval_breakdowns import breakdowns
from progfix.cli.render import Rows, Screen, count, interval, number
from progfix.evaluation import Comparison
from progfix.evaluation.notices import fitted_on, place
from progfix.evaluation.report import EvalReport, Group, Result

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
        self._console = Screen(stderr=True)
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
        if not self._console.live or time.monotonic() - self._since < _PATIENCE:
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
    for number_of, group in enumerate(report.groups):
        if number_of:
            other = report.groups[0].results[0].label
            out.print("", Text(f"no video in common with {other}, so not compared:"), sep="\n")
        _show_group(out, report, group)
    for result in report.results:
        for title, part in breakdowns(report, result, positions=positions):
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


def _show_group(out: Screen, report: EvalReport, group: Group) -> None:
    """Print what sources were evaluated on and their tables."""
    first = group.results[0]
    where = place(first, report.split)
    out.print(Text(f"{where}{': ' if where else ''}{_sizes(first)}"), soft_wrap=True)
    counted = f"frame counting fitted on: {fitted_on(first, report.split)}"
    out.print(Text(counted, style="dim"), soft_wrap=True)
    for result in group.results[1:]:
        if _sizes(result) != _sizes(first):
            out.print(Text(f"{result.label}: {_sizes(result)}", style="dim"), soft_wrap=True)
    tables = [_errors(group.results), _shape(group.results)]
    if any(result.evaluation["coverage"].count for result in group.results):
        tables.append(_calibration(group.results))
    if group.comparisons:
        tables.append(_differences(group))
    for part in tables:
        out.print("", part, sep="\n")


def _sizes(result: Result) -> str:
    evaluation = result.evaluation
    return ", ".join(
        (
            count(len(evaluation.sums.videos), "video"),
            count(len(evaluation.sums.segments["video"]), "segment"),
            count(evaluation["mae"].count, "frame"),
        )
    )


def _errors(results: Sequence[Result]) -> Rows:
    rows = Rows(
        "source",
        ("MAE", "95 % interval", "RMSE", "OGPE", "vs 0.5", "vs count", "/action"),
        caption="vs: skill, 1 - MAE / MAE of the baseline",
    )
    for result in results:
        e = result.evaluation
        rows.add(
            result.label,
            number(e["mae"].value),
            interval(e["mae"]),
            number(e["rmse"].value),
            number(e["ogpe"].value),
            *(number(e[f"skill_{name}"].value, 2, signed=True) for name in _BASELINE_LABELS),
        )
    rows.add_gap()
    for name, metrics in results[0].evaluation.baselines.items():
        rows.add(
            _BASELINE_LABELS[name],
            number(metrics["mae"].value),
            interval(metrics["mae"]),
            *(number(metrics[n].value) for n in ("rmse", "ogpe")),
            style="dim",
        )
    return rows


def _shape(results: Sequence[Result]) -> Rows:
    rows = Rows(
        "source",
        ("Spearman", "Kendall", "no fall", "first", "last", "5 to 95 %", "spread"),
        caption="first, last: median prediction there; spread: std of predictions / of targets",
    )
    for result in results:
        e = result.evaluation
        rows.add(
            result.label,
            *(number(e[n].value, 2, signed=True) for n in ("spearman", "kendall")),
            f"{100 * e['monotonicity'].value:.0f} %" if e["monotonicity"].count else "-",
            *(number(e[n].value, 2) for n in ("first_frame_median", "last_frame_median")),
            " to ".join(number(e[n].value, 2) for n in ("prediction_p05", "prediction_p95")),
            number(e["spread"].value, 2),
        )
    return rows


def _calibration(results: Sequence[Result]) -> Rows:
    columns = ("in 50 %", "in 80 %", "95 % interval", "in 95 %", "80 % wide", "CRPS")
    rows = Rows("source", columns, caption="in: share of targets inside the head's intervals")
    for result in results:
        e = result.evaluation
        rows.add(
            result.label,
            number(e["coverage_50"].value),
            number(e["coverage"].value),
            interval(e["coverage"]),
            number(e["coverage_95"].value),
            number(e["interval_width"].value),
            number(e["crps"].value),
        )
    return rows


def _differences(group: Group) -> Rows:
    rows = Rows(
        f"minus {group.results[0].label}",
        ("MAE", "95 % interval", "RMSE", "OGPE", "Spearman"),
        caption="* the paired interval excludes zero",
    )
    for result, comparison in zip(group.results[1:], group.comparisons, strict=True):
        rows.add(
            result.label,
            _starred(comparison, "mae"),
            interval(comparison.differences["mae"], signed=True),
            *(_starred(comparison, name) for name in ("rmse", "ogpe", "spearman")),
        )
    return rows


def _starred(comparison: Comparison, name: str) -> str:
    star = "*" if comparison.certain(name) else " "
    return number(comparison.differences[name].value, signed=True) + star


def _undefined(report: EvalReport) -> Iterable[str]:
    counted: dict[tuple[int, int], list[str]] = {}
    for result in report.results:
        ranks = result.evaluation["spearman"]
        if ranks.undefined:
            counted.setdefault((ranks.undefined, ranks.count + ranks.undefined), []).append(
                result.label
            )
    for (undefined, segments), labels in counted.items():
        yield (
            f"{', '.join(labels)}: no rank correlation in {undefined:,} of "
            f"{count(segments, 'segment')} (one frame, or one value throughout)"
        )
