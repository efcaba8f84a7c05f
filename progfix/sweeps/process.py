"""A worker process as the sweep sees it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from progfix.files import temporary_file
from progfix.sweeps.plan import PlannedRun

__all__ = ["Report", "Worker"]


class Worker:
    """A process that trains one run after the other (`progfix.sweeps.worker`).

    Args:
        threads: PyTorch threads that it may use.
        reports: Gets what it says, and None in the end.

    Attributes:
        run: What it is at, or None.
    """

    def __init__(self, threads: int, reports: queue.Queue[Report]) -> None:
        self.run: PlannedRun | None = None
        # Closed by `kill`, which every worker comes to.
        self._errors = temporary_file()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "progfix.sweeps.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            text=True,
            encoding="utf-8",
            # Ctrl-C is for the sweep, which then asks its workers to save.
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(reports,), daemon=True)
        self._listener.start()

    def _listen(self, reports: queue.Queue[Report]) -> None:
        for line in cast("Any", self._process.stdout):
            reports.put((self, json.loads(line)))
        reports.put((self, None))

    def give(self, run: PlannedRun, folder: Path, device: str, deadline: float | None) -> None:
        """Let it train a run, in a folder of its name in `folder`, until a deadline."""
        self.run = run
        job = {**vars(run), "folder": str(folder), "device": device, "deadline": deadline}
        stdin = cast("Any", self._process.stdin)
        with suppress(BrokenPipeError):  # a worker that has ended says so in its own way
            stdin.write(json.dumps(job) + "\n")
            stdin.flush()

    def end(self) -> None:
        """Ask it to save what it is at, and end."""
        with suppress(BrokenPipeError):
            cast("Any", self._process.stdin).close()

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._process.kill()
        self._process.wait()
        self._listener.join()  # it reads to the end of what the process said
        self.end()
        cast("Any", self._process.stdout).close()
        self._errors.close()

    def last_words(self) -> tuple[str, str]:
        """Return how it ended, in a few words, and all that it wrote to stderr."""
        status = self._process.wait()
        self._errors.seek(0)
        text = self._errors.read().decode("utf-8", "replace").strip()
        return f"signal {-status}" if status < 0 else f"status {status}", text


Report = tuple[Worker, dict[str, Any] | None]
"""What a worker said; None: it has ended."""
