"""What `progfix train` shows: a progress bar on stderr, the result on stdout."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from progfix import runs
from progfix.cli.render import Screen, count
from progfix.cli.terminal import voice
from progfix.training.interrupts import TIME_OVER
from progfix.training.loop import EpochDone, Event
from progfix.training.loop_state import LoopState
from progfix.training.run import RunResult

__all__ = ["TrainingView"]


class TrainingView:
    """A progress bar while a run goes on, where stderr is a terminal; notes in any case.

    A terminal that is to be sent no escape codes gets a line per epoch, as does `--verbose`.

    Args:
        name: What is being trained.
        notes: What the user should know before it starts.
        quiet: Show nothing: another process of the run does.
    """

    def __init__(self, name: str, notes: Sequence[str] = (), *, quiet: bool = False) -> None:
        self._console = Screen(stderr=True)
        self._console.quiet = quiet or self._console.quiet
        self._name, self._notes = name, notes
        self._progress = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("{task.fields[losses]}"),
            TextColumn("val MAE {task.fields[mae]}, skill {task.fields[skill]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.live,
        )
        self._task: TaskID | None = None
        self._epoch = LoopState()

    def __enter__(self) -> TrainingView:
        for note in self._notes:
            self._console.print(f"note: {note}", soft_wrap=True, markup=False)
        if not self._progress.disable:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._progress.disable:  # Rich before 15 ends any bar with a line
            self._progress.stop()

    def observe(self, event: Event) -> None:
        """Show a step or an epoch."""
        if isinstance(event, EpochDone):
            row = event.row
            if self._task is not None:
                self._progress.update(
                    self._task,
                    mae=f"{row.val_mae:.3f}",
                    skill=f"{row.val_skill_frame_counting:+.2f}",
                )
            self._epoch = LoopState()
            if voice() == "verbose" or (self._console.is_terminal and not self._console.live):
                self._console.print(
                    f"epoch {row.epoch}: loss {row.train_loss:.4f}, val MAE {row.val_mae:.3f}, "
                    f"skill {row.val_skill_frame_counting:+.2f}"
                )
            return
        total = event.steps * event.epochs
        if self._task is None:
            self._task = self._progress.add_task(
                self._name,
                total=total,
                epoch=1,
                epochs=event.epochs,
                losses="-",
                mae="-",
                skill="-",
            )
        self._epoch.count(event.report)
        self._progress.update(
            self._task,
            total=total,
            completed=(event.epoch - 1) * event.steps + event.step,
            epoch=event.epoch,
            losses=self._losses(),
        )

    def _losses(self) -> str:
        """Say the means of the epoch so far: both losses, and what the head gets."""
        epoch = self._epoch
        if not epoch.taken:
            return "loss too large, skipped"
        progress = f"{epoch.loss / epoch.taken:.4f}"
        if epoch.alignment is None:
            return f"loss {progress}"
        return (
            f"progress {progress}, alignment {epoch.alignment / epoch.taken:.3g}, "
            f"head {epoch.head_share / epoch.taken:.1g} of the gradient"
        )

    def report(self, result: RunResult) -> None:
        """Print where the run is, how good it got, and what to do next."""
        if not result.finished:
            reason = " before the time limit" if result.stopped_by == TIME_OVER else ""
            short = "" if result.advanced else "; there was no time for a step, give it more"
            self._console.print(
                f"stopped{reason} after epoch {len(result.history)}; the state is saved, go on "
                f"with `progfix train --resume --out {_quoted(result.folder)}`{short}",
                soft_wrap=True,
                markup=False,
            )
            return
        skipped = sum(row.skipped for row in result.history)
        if skipped:
            self._console.print(
                f"note: {count(skipped, 'group')} skipped, as {runs.HISTORY} has it by epoch: the "
                "total loss was too large, or no segment long enough. A few do no harm; where most "
                "are, s takes segments of any length, g trains the head whatever the total loss",
                soft_wrap=True,
                markup=False,
            )
        out = Screen()
        out.quiet = self._console.quiet
        best = min((row for row in result.history if row.best), key=lambda row: row.val_mae)
        lines = [
            f"  best epoch {best.epoch}: validation MAE {best.val_mae:.4f}",
            f"  skill {best.val_skill_constant:+.3f} against a constant, "
            f"{best.val_skill_frame_counting:+.3f} against counting frames",
        ]
        for kind, path in (("checkpoint", runs.BEST), ("test predictions", runs.PREDICTIONS)):
            if (result.folder / path).exists():
                lines.append(f"  {kind}: {result.folder / path}")
        lines.append(f"next: progfix diagnose {_quoted(result.folder)}")
        epochs = count(len(result.history), "epoch")
        head = Text.assemble((str(result.folder), "bold"), f": {epochs}")
        # Paths and commands are not wrapped, so that they can be copied.
        out.print(head, *lines, sep="\n", soft_wrap=True, markup=False)


def _quoted(folder: Path) -> str:
    return shlex.quote(str(folder))
