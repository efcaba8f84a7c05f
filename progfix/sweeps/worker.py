"""A worker process of a sweep: `python -m progfix.sweeps.worker`.

It reads one run per line from stdin, as JSON, trains it, and says on stdout how it goes. The
end of stdin, which comes too when the sweep's own process is killed, tells it to save the
run at hand and end.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import torch
from filelock import FileLock, Timeout

from progfix import runs
from progfix.errors import InputError, TrainingError
from progfix.sweeps.plan import PlannedRun
from progfix.training.history import EpochRow
from progfix.training.loop import EpochDone, Event, StepDone
from progfix.training.run import RunResult, resume_run, start_run

__all__ = ["main"]

_PAUSE = 0.5
"""Seconds between two reports of steps."""

_PATIENCE = 60.0
"""Seconds to wait for the worker of a killed sweep to let go of its run."""

Send = Callable[[dict[str, object]], None]


def main() -> None:
    """Work until stdin ends."""
    # What anything prints goes to stderr; stdout is for reports alone.
    reports = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    signal.signal(signal.SIGTERM, _end)
    jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while (job := jobs.get()) is not None:
        _work(job, lambda message: _report(reports, message))


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listen(jobs: queue.Queue[dict[str, Any] | None]) -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    jobs.put(None)
    # In the middle of a run its own handler saves the state; otherwise `_end` is called.
    os.kill(os.getpid(), signal.SIGTERM)


def _report(stream: TextIO, message: dict[str, object]) -> None:
    with suppress(BrokenPipeError):  # the end of stdin is what counts
        stream.write(json.dumps(message) + "\n")


def _work(job: dict[str, Any], send: Send) -> None:
    run = PlannedRun(job["name"], job["cell"], job["seed"], job["config"])
    folder, device, deadline = Path(job["folder"]), job["device"], job["deadline"]
    try:
        result = _train(run, folder, device, deadline, _observer(send))
    except InputError as error:
        problems = [vars(problem) for problem in error.problems]
        send({"state": "failed", "reason": str(error), "problems": problems})
        return
    except TrainingError as error:
        send({"state": "failed", "reason": str(error)})
        return
    if result.finished:
        send({"state": "done", "share": 1.0, **_best(result.history)})
    else:
        send({"state": "stopped", "by": result.stopped_by})


def _train(
    run: PlannedRun,
    folder: Path,
    device: str,
    deadline: float | None,
    observe: Callable[[Event], None],
) -> RunResult:
    """Start a run, or go on with what an earlier sweep left of it."""
    own = folder / run.name
    if own.is_dir():
        with suppress(Timeout, OSError), FileLock(own / runs.LOCK, timeout=_PATIENCE):
            pass
    if runs.is_run(own):
        return resume_run(own, observe, device=device, deadline=deadline)
    return start_run(run.options(folder, device), observe, deadline=deadline)


def _observer(send: Send) -> Callable[[Event], None]:
    rows: list[EpochRow] = []
    last = 0.0

    def observe(event: Event) -> None:
        nonlocal last
        if isinstance(event, EpochDone):
            rows.append(event.row)
            send({"state": "running", **_best(rows)})
        elif isinstance(event, StepDone) and time.monotonic() - last > _PAUSE:
            last = time.monotonic()
            share = (event.epoch - 1 + event.step / event.steps) / event.epochs
            send({"state": "running", "share": share, "epochs": event.epochs})

    return observe


def _best(rows: list[EpochRow] | tuple[EpochRow, ...]) -> dict[str, object]:
    best = min(rows, key=lambda row: math.inf if math.isnan(row.val_mae) else row.val_mae)
    return {
        "epoch": rows[-1].epoch,
        "val_mae": best.val_mae,
        "val_skill": best.val_skill_frame_counting,
    }


if __name__ == "__main__":
    main()
