"""Training in worker processes: who trains what, and what becomes of runs that fail."""

from __future__ import annotations

import os
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from progfix.errors import InputError, Problem
from progfix.files import atomic_path
from progfix.sweeps.plan import PlannedRun
from progfix.sweeps.process import Report, Worker
from progfix.sweeps.states import RunState
from progfix.training.interrupts import TIME_OVER, StopRequest

__all__ = ["Observe", "cores", "train_all"]

_POLL = 0.2
"""Seconds after which a request to stop is looked for."""

Observe = Callable[[RunState], None]


def cores() -> int:
    """Return how many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def train_all(
    runs: Sequence[PlannedRun],
    folder: Path,
    *,
    jobs: int,
    device: str,
    observe: Observe,
    stop: StopRequest,
    deadline: float | None = None,
) -> Mapping[str, RunState]:
    """Train runs in worker processes, or go on with what is there of them.

    Each worker has one PyTorch thread, or as many as OMP_NUM_THREADS says: sums over other
    numbers of threads differ in their last bits, and results would depend on `jobs`. A run
    that fails, or whose worker dies, does not keep the others from going on.

    Args:
        runs: What to train, in this order.
        folder: The sweep's, which gets a folder for each run.
        jobs: Workers, at least 1.
        device: "auto", or a torch device.
        observe: Called whenever a run's state changes.
        stop: Asked all the time; workers then save what they are at, and end.
        deadline: Before which each worker stops in time by itself, as `stop` does.

    Returns:
        The last state of each run, by its name.

    Raises:
        InputError: If the input of a run does not do; the others are stopped.
    """
    pool = _Pool(runs, folder, min(jobs, len(runs)), device, deadline, observe)
    pool.work(stop)
    if pool.problems:
        raise InputError(pool.problems)
    return pool.states


class _Pool:
    """Workers, and what is left to do."""

    def __init__(
        self,
        runs: Sequence[PlannedRun],
        folder: Path,
        jobs: int,
        device: str,
        deadline: float | None,
        observe: Observe,
    ) -> None:
        self.states = {run.name: RunState(run, "waiting") for run in runs}
        self.problems: dict[Problem, None] = {}
        self._waiting = deque(runs)
        self._folder, self._jobs, self._device, self._observe = folder, jobs, device, observe
        self._deadline = deadline
        self._reports: queue.Queue[Report] = queue.Queue()
        self._workers: list[Worker] = []
        self._since: dict[str, float] = {}
        self._stopping = self._time_over = False

    def work(self, stop: StopRequest) -> None:
        """Train everything, or until somebody asks to stop."""
        threads = _threads()
        try:
            while self._waiting or self._workers:
                if self._time_over:
                    stop.signal = stop.signal or TIME_OVER
                if (stop.asked() or self.problems) and not self._stopping:
                    self._stopping = True
                    self._waiting.clear()
                    for worker in self._workers:
                        worker.end()
                while self._waiting and len(self._workers) < self._jobs:
                    self._workers.append(Worker(threads, self._reports))
                    self._give(self._workers[-1])
                with suppress(queue.Empty):
                    self._hear(*self._reports.get(timeout=_POLL))
        finally:
            for worker in self._workers:
                worker.kill()

    def _give(self, worker: Worker) -> None:
        worker.run = None
        if not self._waiting:
            worker.end()
            return
        run = self._waiting.popleft()
        self._since[run.name] = time.monotonic()
        self._change(run, {"state": "running"})
        worker.give(run, self._folder, self._device, self._deadline)

    def _hear(self, worker: Worker, message: Mapping[str, Any] | None) -> None:
        if message is None:
            self._workers.remove(worker)
            if worker.run is not None:
                self._change(worker.run, self._unfinished(worker, worker.run))
            worker.kill()
        elif worker.run is not None:
            run, state = worker.run, message["state"]
            self.problems |= {Problem(**problem): None for problem in message.get("problems", ())}
            if message.get("by") == TIME_OVER:
                self._time_over = True
            elif state == "stopped" and not self._stopping:
                message = {"state": "failed", "reason": "somebody stopped its process"}
            self._change(run, {k: v for k, v in message.items() if k not in ("problems", "by")})
            if state != "running":
                self._give(worker)

    def _unfinished(self, worker: Worker, run: PlannedRun) -> Mapping[str, Any]:
        """Say what becomes of the run of a worker that has ended."""
        if self._stopping:
            return {"state": "stopped"}
        how, text = worker.last_words()
        reason = f"its process ended with {how}"
        if text:
            log = self._folder / f"{run.name}.log"
            with atomic_path(log) as path:
                path.write_text(text + "\n", encoding="utf-8")
            reason += f"; {text.splitlines()[-1]} (all of it in {log})"
        return {"state": "failed", "reason": reason}

    def _change(self, run: PlannedRun, message: Mapping[str, Any]) -> None:
        seconds = time.monotonic() - self._since[run.name]
        self.states[run.name] = replace(self.states[run.name], seconds=seconds, **message)
        self._observe(self.states[run.name])


def _threads() -> int:
    """Return what each worker gets: not a share of the cores, on which results would depend."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) else 1
