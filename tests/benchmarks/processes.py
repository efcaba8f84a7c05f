"""Commands in processes of their own: time by the clock and the processor, and peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

__all__ = ["Measured", "run"]

_POLL = 0.02


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        wall: Seconds.
        cpu: Seconds of processor time, children included.
        mib: Largest memory of the process and its children together, where what they share
            counts for each.
    """

    wall: float
    cpu: float
    mib: float


def run(command: Sequence[str]) -> tuple[Measured, str]:
    """Run a command in one thread and return what it took, and what it printed.

    Raises:
        SystemExit: If it fails.
    """
    with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=errors,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        peak, each = 0.0, dict[int, float]()
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            family = list(_family(process.pid))
            peak = max(peak, sum(map(_resident, family)))
            each |= {pid: max(each.get(pid, 0.0), _seconds(pid)) for pid in family}
            time.sleep(_POLL)
        wall, used = time.perf_counter() - start, ended[2]
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: {errors.read()}")
        # What children take is known to their parent when it has waited for them, which a
        # server of processes that outlives the command does not see.
        cpu = max(used.ru_utime + used.ru_stime, sum(each.values()))
        taken = Measured(wall, cpu, max(peak, used.ru_maxrss / 1024))
        return taken, out.read()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:  # the thread has ended
            continue
        for child in children:
            yield from _family(int(child))


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) / 256
    except (OSError, IndexError):  # it has ended
        return 0.0


def _seconds(pid: int) -> float:
    """Return the processor time of a process, its children's left out."""
    try:
        columns = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(columns[11]) + int(columns[12])) / os.sysconf("SC_CLK_TCK")
