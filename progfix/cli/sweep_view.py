"""What `progfix sweep` shows: a live table on stderr, what was found on stdout."""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from progfix.cli.render import Rows, Screen, count, interval, number
from progfix.sweeps import tables
from progfix.sweeps.contract import to_json
from progfix.sweeps.result import CellResult, SweepResult
from progfix.sweeps.start import SweepOutcome
from progfix.sweeps.states import RunState
from progfix.sweeps.words import sentences
from progfix.training.interrupts import TIME_OVER

__all__ = ["SweepView"]

_MARKS = {"waiting": ".", "running": "", "done": "+", "kept": "+", "stopped": "-", "failed": "!"}
_STYLES = {"done": "green", "kept": "green", "failed": "bold red", "waiting": "dim"}


class SweepView:
    """A table of cells while they are trained, or a line per run where nothing can be redrawn.

    Args:
        notes: What the user should know before it starts.
    """

    def __init__(self, notes: Sequence[str] = ()) -> None:
        self._console = Screen(stderr=True)
        self._states: dict[str, RunState] = {}
        self._said = ""
        self._since = time.monotonic()
        self._live: Live | None = None
        for note in notes:
            self._console.print(Text(f"note: {note}"), soft_wrap=True)
        if self._console.live:
            self._live = Live(console=self._console, get_renderable=self._table, transient=True)

    def __enter__(self) -> SweepView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def observe(self, state: RunState) -> None:
        """Show where a run stands."""
        self._states[state.run.name] = state
        if self._live is None and state.state in ("done", "stopped", "failed"):
            self._console.print(Text(self._line(state)), soft_wrap=True)

    def say(self, text: str) -> None:
        """Show what is done after training."""
        self._said = text

    def report(self, outcome: SweepOutcome, form: str | None) -> None:
        """Print what was found; what went wrong goes to stderr.

        Args:
            outcome: How the sweep ended.
            form: "json", "markdown" or "latex" for that alone on stdout; None for a screen.
        """
        again = f"progfix sweep --resume --out {shlex.quote(str(outcome.folder))}"
        for name, reason in outcome.failed.items():
            self._console.print(Text(f"failed: {name}: {reason}", style="red"), soft_wrap=True)
        if outcome.failed:
            self._console.print(f"`{again}` tries what failed again", soft_wrap=True)
        if outcome.result is None:
            if outcome.stopped_by is not None:
                reason = " before the time limit" if outcome.stopped_by == TIME_OVER else ""
                text = f"stopped{reason}; every state is saved, go on with `{again}`"
                self._console.print(text, soft_wrap=True)
            return
        out = Screen()
        if form == "json":
            text = json.dumps(to_json(outcome.plan, outcome.result), indent=2, allow_nan=False)
            out.out(text, highlight=False)
        elif form is not None:
            table = tables.markdown if form == "markdown" else tables.latex
            out.out(table(outcome.result).rstrip(), highlight=False)
        else:
            _show(out, outcome.result)

    def _line(self, state: RunState) -> str:
        ended = sum(s.state not in ("waiting", "running") for s in self._states.values())
        text = f"[{ended}/{len(self._states)}] {state.run.name}: "
        if state.state == "failed":
            return text + f"failed: {state.reason}"
        if state.state == "stopped":
            return text + "stopped, state saved"
        skill = number(state.val_skill, 2, signed=True)
        return text + (
            f"validation MAE {number(state.val_mae)}, skill {skill} against counting frames "
            f"({state.seconds:.0f} s)"
        )

    def _table(self) -> Group:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        table.add_column("cell", overflow="fold")
        table.add_column("seeds")
        for column in ("val MAE", "skill"):
            table.add_column(column, justify="right")
        cells: dict[str, list[RunState]] = {}
        for state in self._states.values():
            cells.setdefault(state.run.cell, []).append(state)
        for cell, states in cells.items():
            seeds = Text(" ").join(_mark(state) for state in states)
            mae = _mean(state.val_mae for state in states)
            skill = _mean(state.val_skill for state in states)
            table.add_row(Text(cell), seeds, number(mae), number(skill, 2, signed=True))
        return Group(table, Text(self._said or self._forecast(), style="dim"))

    def _forecast(self) -> str:
        states = self._states.values()
        kept = [s for s in states if s.state == "kept"]
        share = sum(1.0 if s.state in ("done", "failed") else s.share for s in states)
        share -= sum(s.share for s in kept)
        total = len(states) - len(kept)
        done = sum(s.state in ("done", "kept") for s in states)
        text = f"{done} of {len(states)} runs done (+ done, . waiting, ! failed)"
        if share > 0.02 * total:
            seconds = (time.monotonic() - self._since) * (total - share) / share
            text += f", about {_duration(seconds)} left"
        return text


def _mark(state: RunState) -> Text:
    running = f"{100 * state.share:2.0f}%" if state.state == "running" else ""
    return Text(running or _MARKS[state.state], style=_STYLES.get(state.state, ""))


def _mean(values: Iterable[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(out: Screen, result: SweepResult) -> None:
    what = "each with its own split" if result.fresh_splits else "test split"
    out.print(Text(f"{result.data}; {count(len(result.seeds), 'seed')}, {what}"), soft_wrap=True)
    out.print(Text(f"frame counting fitted on: {result.fitted_on}", style="dim"), soft_wrap=True)
    rows = Rows(
        "cell",
        ("MAE", "+-", "95 % interval", "vs count", "/action", "first", "last", "in 80 %"),
        caption="+-: standard deviation between seeds; vs: skill, 1 - MAE / MAE of the baseline; "
        "first, last: median prediction there",
    )
    for cell in result.cells:
        style = "dim" if cell.is_baseline else ""
        rows.add(tables.label(cell, result), *_numbers(cell), style=style)
    out.print("", rows, *_encoders(result), "", sep="\n")
    for sentence in sentences(result):
        out.print(Text(f"- {sentence}"), soft_wrap=True)
    out.print("")
    best = next(iter(result.trained[0].runs.values()))
    out.print(Text(f"next: progfix diagnose {shlex.quote(best)}"), soft_wrap=True)


def _encoders(result: SweepResult) -> list[str | Rows]:
    """Return a table of how well trained encoders align, after an empty line, if there are any."""
    scored = [c for c in result.cells if any(n in c.scores for n in tables.ALIGNMENT_COLUMNS)]
    if not scored:
        return []
    columns = [part for name in tables.ALIGNMENT_COLUMNS.values() for part in (name, "+-")]
    rows = Rows("its encoder", columns)
    for cell in scored:
        scores = [cell.scores[name] for name in tables.ALIGNMENT_COLUMNS]
        rows.add(tables.label(cell, result), *(number(v) for s in scores for v in (s.mean, s.std)))
    return ["", rows]


def _numbers(cell: CellResult) -> list[str]:
    if not cell.scores:
        return []
    mae = cell.scores["mae"]
    texts = [number(mae.pooled.value), number(mae.std), interval(mae.pooled)]
    if cell.is_baseline:
        return texts
    for name in ("skill_frame_counting", "skill_frame_counting_per_action"):
        texts.append(number(cell.scores[name].pooled.value, 2, signed=True))
    for name in ("first_frame_median", "last_frame_median", "coverage"):
        texts.append(number(cell.scores[name].pooled.value, 2))
    return texts
