"""What `progfix train` shows: a progress bar on stderr, the result on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from progfix import runs
from progfix.cli.render import Screen, count
from progfix.training.loop import EpochDone, Event
from progfix.training.run import RunResult

__all__ = ["TrainingView"]


class TrainingView:
    """A progress bar while a run goes on, where stderr is a terminal; notes in any case.

    Args:
        name: What is being trained.
        notes: What the user should know before it starts.
    """

    def __init__(self, name: str, notes: Sequence[str] = ()) -> None:
        self._console = Screen(stderr=True)
        self._notes = notes
        self._progress = Progress(
            TextColumn(f"[bold]{name}[/bold]"),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("val MAE {task.fields[mae]}, skill {task.fields[skill]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None
        self._sum, self._count = 0.0, 0

    def __enter__(self) -> TrainingView:
        for note in self._notes:
            self._console.print(f"note: {note}", soft_wrap=True)
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
            self._sum, self._count = 0.0, 0
            return
        total = event.steps * event.epochs
        if self._task is None:
            self._task = self._progress.add_task(
                "", total=total, epoch=1, epochs=event.epochs, loss="-", mae="-", skill="-"
            )
        self._sum += event.loss
        self._count += 1
        self._progress.update(
            self._task,
            total=total,
            completed=(event.epoch - 1) * event.steps + event.step,
            epoch=event.epoch,
            loss=f"{self._sum / self._count:.4f}",
        )

    def report(self, result: RunResult) -> None:
        """Print where the run is, how good it got, and what to do next."""
        out = Screen()
        if result.stopped_by is not None and not result.finished:
            self._console.print(
                f"stopped after epoch {len(result.history)}; the state is saved, go on with "
                f"`progfix train --resume --out {result.folder}`",
                soft_wrap=True,
            )
            return
        best = min((row for row in result.history if row.best), key=lambda row: row.val_mae)
        out.print(f"[bold]{result.folder}[/bold]: {count(len(result.history), 'epoch')}")
        out.print(
            f"  best epoch {best.epoch}: validation MAE {best.val_mae:.4f}\n"
            f"  skill {best.val_skill_constant:+.3f} against a constant, "
            f"{best.val_skill_frame_counting:+.3f} against counting frames"
        )
        for kind, path in (("checkpoint", runs.BEST), ("test predictions", runs.PREDICTIONS)):
            if (result.folder / path).exists():
                out.print(f"  {kind}: {result.folder / path}")
        out.print(f"next: progfix diagnose {result.folder}")
