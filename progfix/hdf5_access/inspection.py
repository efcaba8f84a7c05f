"""Looking at HDF5 files in a child process, before this one opens them.

libhdf5 may crash, hang or take all memory on a damaged or hostile file. One child visits all
files of a process, one after the other, under limits of processor time, address space and
wall-clock time; what it does not survive is refused here. It is started when the first file
is to be opened, ends when it is idle for long, and each state of a file is looked at once.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from queue import Empty, SimpleQueue

from progfix.errors import InputError, Problem

__all__ = ["FileState", "known_harmless", "require_harmless", "trust", "visit_early"]

START_SECONDS = 60.0
"""How long the child may take to start, from a slow file system."""

SILENT_SECONDS = 8.0
"""How long a single object of a file may take, by the clock on the wall."""

BUSY_SECONDS = 5.0
"""Processor time that a small file may take; one with a thousand videos takes half a second."""

BYTES_PER_SECOND = 1 << 20
"""Of file size: a second more for each of these, by either clock."""

FileState = tuple[int, int, int, int]
"""Device, inode, size in bytes and time of the last change, which change with the contents."""

_LOCK = threading.RLock()
_HARMLESS: set[FileState] = set()
_EARLY: dict[FileState, InputError] = {}
_MEMORY = b"memory\n"
_CURRENT: _Child | None = None
_PROGRAM = Path(__file__).with_name("program.py")


def require_harmless(path: Path) -> None:
    """Let a child process visit an HDF5 file, unless one did so in its present state.

    A file that is not there, or is no HDF5 file, is harmless.

    Raises:
        InputError: If the child crashed or ran into a limit, or cannot be started.
    """
    key = _state(path)
    with _LOCK:
        if key is None or key in _HARMLESS:
            return
        if key in _EARLY:
            raise _EARLY.pop(key)
        problem = _visited(path, key[2] / BYTES_PER_SECOND)
        if problem is not None:
            fix = "restore the file from where it came from, or do not use it"
            raise InputError(Problem(str(path), "an intact HDF5 file", problem, fix))
        _HARMLESS.add(key)


def known_harmless() -> frozenset[FileState]:
    """Return the states of files that a child has visited, for another process to `trust`."""
    with _LOCK:
        return frozenset(_HARMLESS)


def trust(states: frozenset[FileState]) -> None:
    """Take files in these states for visited, as the process is that began this one."""
    with _LOCK:
        _HARMLESS.update(states)


def visit_early(path: Path) -> None:
    """Have a thread see to `require_harmless`, while a file is not needed yet.

    What there is to refuse is refused when the file is asked for. Files that do not begin as
    HDF5 does are left alone.
    """

    def visit() -> None:
        key = _state(path)
        if key is None or not _begins_as_hdf5(path):
            return
        with _LOCK:
            try:
                require_harmless(path)
            except InputError as error:
                _EARLY[key] = error

    threading.Thread(target=visit, daemon=True).start()


def _state(path: Path) -> FileState | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


def _begins_as_hdf5(path: Path) -> bool:
    with suppress(OSError):
        if path.is_file():  # a pipe gives its bytes once
            with path.open("rb") as file:
                return file.read(4) == b"\x89HDF"
    return False


def _visited(path: Path, extra: float) -> str | None:
    """Have the child visit a file, and return what happened to the child if that was bad."""
    outcome = _child(path).ask(path, extra)
    if outcome is _Outcome.ENDED:  # it had waited for long, and went as it was asked
        outcome = _child(path).ask(path, extra)
    return _FOUND[outcome]


def _child(path: Path) -> _Child:
    """Return the child that runs, or a new one."""
    global _CURRENT
    if _CURRENT is None or not _CURRENT.running:
        try:
            _CURRENT = _Child()
        except OSError as error:
            raise _not_started(path, error.strerror or str(error)) from error
        if _CURRENT.started is not _Outcome.SURVIVED:
            raise _not_started(path, "one that does not answer")
    return _CURRENT


def _not_started(path: Path, found: str) -> InputError:
    expected = "a Python process that looks at HDF5 files before they are opened"
    fix = "make room for one more process, or check the installation of h5py"
    return InputError(Problem(str(path), expected, found, fix))


class _Outcome(Enum):
    SURVIVED = auto()
    MEMORY = auto()
    SLOW = auto()
    ENDED = auto()
    CRASHED = auto()


_FOUND = {
    _Outcome.SURVIVED: None,
    _Outcome.MEMORY: "contents that take more than 1 GiB of memory to open",
    _Outcome.SLOW: "damage that keeps the HDF5 library busy without end",
    _Outcome.ENDED: "damage that ends the HDF5 library",
    _Outcome.CRASHED: "damage that crashes the HDF5 library",
}


class _Child:
    """A running child process, and the text that arrives from it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        # -P: neither the folder of the program nor the current one is searched for modules.
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._arrived: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._forward, daemon=True).start()
        atexit.register(self._end_at_exit)
        self.started = self._answer(START_SECONDS, START_SECONDS)

    @property
    def running(self) -> bool:
        """Whether it can be asked; a forked process has none of its own."""
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, path: Path, extra: float) -> _Outcome:
        """Return how the child fared with a file, in so many seconds beyond a small one's."""
        request = json.dumps([str(path.absolute()), math.ceil(BUSY_SECONDS + extra)]) + "\n"
        with suppress(BrokenPipeError):  # what became of it is read below
            self._process.stdin.write(request.encode())  # type: ignore[union-attr]  # a pipe
        return self._answer(SILENT_SECONDS, SILENT_SECONDS + extra)

    def end(self) -> None:
        """End it, whatever it is at."""
        atexit.unregister(self._end_at_exit)
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()  # type: ignore[union-attr]  # a pipe

    def _end_at_exit(self) -> None:
        with suppress(KeyboardInterrupt):  # the process is ending, as it asks for
            self.end()

    def _answer(self, silent: float, total: float) -> _Outcome:
        """Take what arrives until a line ends, the child does, or the time is over."""
        latest = time.monotonic() + total
        tail = b""
        while not tail.endswith(b"\n"):
            left = latest - time.monotonic()
            try:
                text = self._arrived.get(timeout=max(0.0, min(silent, left)))
            except Empty:
                self.end()
                return _Outcome.SLOW
            if not text:
                return self._fate()
            tail = (tail + text)[-len(_MEMORY) :]
        if tail == _MEMORY:
            self.end()  # what it took may not have come back
            return _Outcome.MEMORY
        return _Outcome.SURVIVED

    def _fate(self) -> _Outcome:
        """Say how it ended, which it has."""
        status = self._process.wait()
        self.end()
        if status == 0:
            return _Outcome.ENDED
        out_of_time = os.name == "posix" and status == -signal.SIGXCPU
        return _Outcome.SLOW if out_of_time else _Outcome.CRASHED

    def _forward(self) -> None:
        """Put what the child writes where it can be waited for with a limit."""
        with self._process.stdout as pipe:  # type: ignore[union-attr]  # a pipe
            while text := os.read(pipe.fileno(), 1 << 16):
                self._arrived.put(text)
        self._arrived.put(b"")
