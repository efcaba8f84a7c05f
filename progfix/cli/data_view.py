"""What the `progfix data` commands show: tables and findings on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from progfix.cli.render import Rows, Screen

if TYPE_CHECKING:
    from progfix.data.checks import DataCheck
    from progfix.data.dataset import Video
    from progfix.data.findings import DataFinding
    from progfix.data.summary import DataSummary

__all__ = ["show_check", "show_notices", "show_summary", "video_progress"]

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_INDENT = 9
_TASKS_SHOWN = 40


@contextmanager
def video_progress(label: str, total: int | None = None) -> Iterator[Callable[[Video], None]]:
    """Show a bar over videos where stderr is a terminal; yield what advances it."""
    console = Screen(stderr=True)
    bar = Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("videos"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("", total=total)
    with bar if console.live else nullcontext():  # Rich before 15 ends any bar with a line
        yield lambda _video: bar.advance(task)


def show_notices(notices: Sequence[str]) -> None:
    """Write notices to stderr."""
    console = Screen(stderr=True)
    for notice in notices:
        console.print(f"note: {escape(notice)}", soft_wrap=True)


def show_summary(summary: DataSummary) -> None:
    """Print a data set in numbers."""
    console = Screen()
    console.print(Text(summary.path, style="bold"), soft_wrap=True)
    console.print(Text(summary.description))
    console.print()
    console.print(_split_table(summary))
    console.print()
    console.print(_task_table(summary))
    left = len(summary.tasks) - _TASKS_SHOWN
    if left > 0:
        console.print(Text(f"... and {left} more tasks; --json has them all.", style="dim"))
    for notice in summary.notices:
        console.print()
        console.print(_hanging("note", "cyan", notice))


def _split_table(summary: DataSummary) -> Rows:
    rate = f" at {summary.fps:g} fps" if summary.fps else ""
    rows = Rows(
        "split",
        ("videos", "actions", "frames", "in action", "10%", "median", "90%", "max"),
        caption=f"10% to max: durations of actions, in frames{rate}",
    )
    for row in summary.splits:
        spread = [f"{row.durations[i]:.0f}" for i in (1, 3, 5, 6)] if row.durations else ["-"] * 4
        rows.add(
            row.split or "none",
            f"{row.videos:,}",
            f"{row.segments:,}",
            f"{row.frames:,}",
            f"{row.action_frames / row.frames:.0%}",
            *spread,
            style="bold" if row.split == "all" else "",
        )
    return rows


def _task_table(summary: DataSummary) -> Rows:
    rows = Rows("task", ("train", "val", "test", "kinds", "actions", "median"))
    for task in summary.tasks[:_TASKS_SHOWN]:
        rows.add(
            task.task or "(no task)",
            *(f"{count:,}" for count in task.videos.values()),
            f"{task.actions:,}",
            f"{task.segments:,}",
            f"{task.median_duration:.0f}" if task.segments else "-",
        )
    return rows


def show_check(check: DataCheck) -> None:
    """Print what was found, errors first, each with examples, reason and remedy."""
    console = Screen()
    console.print(Text(check.path, style="bold"), soft_wrap=True)
    console.print(Text(check.description))
    for finding in check.findings:
        console.print()
        _show_finding(console, finding)
    if check.not_checked:
        console.print()
        reasons: dict[str, list[str]] = {}
        for name, reason in check.not_checked:
            reasons.setdefault(reason, []).append(name)
        text = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
        console.print(_hanging("skipped", "dim", text))
    console.print()
    console.print(_verdict(check))


def _show_finding(console: Screen, finding: DataFinding) -> None:
    style = _STYLES[finding.severity]
    console.print(_hanging(finding.severity, style, f"{finding.title}  [{finding.id}]"))
    for example in finding.examples:
        console.print(_detail("-", example))
    count = finding.evidence.get("count")
    if isinstance(count, int) and finding.examples and count > len(finding.examples):
        console.print(_detail("-", "..."))
    console.print(_detail("why", finding.text.why))
    for remedy in finding.remedies:
        console.print(_detail("fix", remedy))


def _hanging(label: str, style: str, text: str) -> Table:
    """Lay out a label and wrapped text beside it."""
    table = Table.grid(padding=0)
    table.add_column(width=_INDENT, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(label, style=style), Text(text))
    return table


def _detail(label: str, text: str) -> Padding:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=3, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(label, style="dim"), Text(text, style="dim"))
    return Padding(table, (0, 0, 0, _INDENT))


def _verdict(check: DataCheck) -> Text:
    counts = {name: sum(f.severity == name for f in check.findings) for name in _STYLES}
    if not check.findings:
        return Text("nothing to complain about", style="green")
    named = {"error": "error", "warning": "warning", "info": "notice"}
    parts = [
        f"{number} {named[name]}{'' if number == 1 else 's'}"
        for name, number in counts.items()
        if number
    ]
    worst = next(name for name, number in counts.items() if number)
    return Text(", ".join(parts), style=_STYLES[worst])
