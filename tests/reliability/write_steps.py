"""Stops a program at a chosen step of its writing: open, write, flush, rename, remove."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from progfix.files import PatientFile

__all__ = ["Killed", "Steps", "disk_refuses"]


class Killed(BaseException):
    """The process is gone: whatever comes after it does nothing to the disk."""


class Steps:
    """Counts the steps at which something is written under a folder, and fails at one.

    Python's own ways to the disk are watched: opening to write, each write of a file that
    PyTorch, HDF5 or Matplotlib is given (`PatientFile`), fsync, rename, link, unlink, mkdir.
    A text that is written by one call is one step; of many writes to one file the 1st, 2nd,
    4th, 8th and so on are.

    Args:
        folder: What happens elsewhere is not counted.
        fail_at: The step, from 0, that fails; None counts only.
        error: What it fails with; `Killed` makes all later steps fail, too.
    """

    def __init__(
        self, folder: Path, fail_at: int | None = None, error: BaseException | None = None
    ) -> None:
        self.taken: list[str] = []
        self._folder, self._fail_at, self._error = str(folder), fail_at, error or Killed()
        self._dead = False

    def step(self, what: str, path: object) -> None:
        """Take a step, or fail."""
        if not str(path).startswith(self._folder):
            return
        self.taken.append(f"{what} {Path(str(path)).name}")
        if self._dead or len(self.taken) - 1 == self._fail_at:
            self._dead = isinstance(self._error, Killed)
            raise self._error

    @contextmanager
    def watch(self) -> Iterator[Steps]:
        """Watch inside the block."""
        patches = [
            mock.patch.object(os, "replace", self._before("rename", os.replace)),
            mock.patch.object(os, "rename", self._before("rename", os.rename)),
            mock.patch.object(os, "unlink", self._before("remove", os.unlink)),
            mock.patch.object(os, "mkdir", self._before("mkdir", os.mkdir)),
            mock.patch.object(os, "fsync", self._flush),
            mock.patch.object(io, "open", self._open(io.open)),
            mock.patch.object(builtins, "open", self._open(builtins.open)),
            mock.patch.object(PatientFile, "__init__", self._made(PatientFile.__init__)),
            mock.patch.object(PatientFile, "write", self._patient(PatientFile.write)),
        ]
        with _all(patches):
            yield self

    def _before(self, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *arguments: Any, **named: Any) -> Any:
            self.step(what, path)
            return call(path, *arguments, **named)

        return watched

    def _flush(self, number: int, call: Callable[[int], None] = os.fsync) -> None:
        self.step("flush", Path(f"/proc/self/fd/{number}").readlink())
        call(number)

    def _open(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if isinstance(file, str | Path) and set(mode) & set("wxa+"):
                self.step("open", file)
            return call(file, mode, *arguments, **named)

        return watched

    def _made(self, call: Callable[..., None]) -> Callable[..., None]:
        def watched(file: PatientFile, path: Path, *arguments: Any) -> None:
            self.step("open", path)
            call(file, path, *arguments)

        return watched

    def _patient(self, call: Callable[..., int]) -> Callable[..., int]:
        written = Counter[object]()

        def watched(file: PatientFile, data: Any, /) -> int:
            written[file.name] += 1
            try:
                if written[file.name].bit_count() == 1 or self._dead:
                    self.step("write", file.name)
            except OSError as error:
                file.refusal = file.refusal or error
            except Killed:  # libhdf5 would not survive it: the next step raises it again
                return memoryview(data).nbytes
            return call(file, data)

        return watched


@contextmanager
def _all(patches: list[Any]) -> Iterator[None]:
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


def disk_refuses(number: int) -> OSError:
    """Return what the system raises: `errno.ENOSPC`, `errno.EDQUOT` and the like."""
    assert number in errno.errorcode
    return OSError(number, os.strerror(number))
