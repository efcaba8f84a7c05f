"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from progfix.errors import InputError, Problem
from progfix.held_signals import HeldSignals, held_signals

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "PatientFile",
    "atomic_path",
    "leftovers",
    "patient_file",
    "remove_leftovers",
    "require_no_stream",
    "require_writable_folder",
    "temporary_file",
    "temporary_folder",
]

_TOKEN_BYTES = 4


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it to `target` when the block succeeds.

    The data is flushed to the disk before the rename, so that after a crash the file is
    either the old or the new one. The temporary name keeps the target's ending.

    Where the target is a link, the file that it leads to is replaced, not the link.

    Raises:
        InputError: If the target is no regular file, the folder cannot be written, or the
            disk is full.
    """
    if not target.name or (target.exists() and not target.is_file()):
        folder = not target.name or target.is_dir()
        found = "a folder" if folder else "a device, or something else that would be replaced"
        fix = "add a file name to the path" if folder else "choose another path"
        raise InputError(Problem(str(target), "the name of a file", found, fix))
    place = target.resolve() if target.is_symlink() else target
    temporary = place.with_name(f".{place.stem}.{secrets.token_hex(_TOKEN_BYTES)}{place.suffix}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(place)
    except OSError as error:
        raise InputError(
            Problem(
                str(target),
                "a place that can be written",
                error.strerror or str(error),
                "free space there or choose another path",
            )
        ) from error
    finally:
        with suppress(OSError):  # where the folder is none, the error above is what matters
            temporary.unlink(missing_ok=True)


def leftovers(target: Path) -> list[Path]:
    """Return the temporary files of `target` that processes left which were killed."""
    token = f"[0-9a-f]{{{2 * _TOKEN_BYTES}}}"
    name = re.compile(rf"\.{re.escape(target.stem)}\.{token}{re.escape(target.suffix)}")
    try:
        return [path for path in target.parent.iterdir() if name.fullmatch(path.name)]
    except FileNotFoundError:
        return []


def remove_leftovers(target: Path) -> None:
    """Remove what `leftovers` finds; only where no other process can be writing `target`."""
    for path in leftovers(target):
        path.unlink(missing_ok=True)


class PatientFile(io.FileIO):
    """A file that never refuses a write, and tells at the end what the disk refused.

    For libraries that do not survive a write that fails: libhdf5 keeps what it could not
    write and crashes the process when it is freed, torch.save and Matplotlib's PDF writer
    put an error of their own in the place of the disk's.

    Args:
        path: The file, made anew.
        held: What `require` lets in.

    Attributes:
        refusal: The first error of the disk. What comes after it is kept in memory, since
            libhdf5 reads again what it wrote: call `require` from time to time.
    """

    def __init__(self, path: Path, held: HeldSignals | None = None) -> None:
        self.refusal: OSError | None = None
        self._held = held
        self._refused: list[tuple[int, bytes]] = []
        self._end = 0
        super().__init__(path, "w+")

    def write(self, data: Buffer, /) -> int:
        """Write all of `data`, to the disk or else to memory."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self.refusal is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.refusal = error
        if left:
            self._refused.append((self.tell(), bytes(left)))
            super().seek(len(left), os.SEEK_CUR)
        self._end = max(self._end, self.tell())
        return size

    def readinto(self, buffer: Buffer, /) -> int:
        """Read what was written, also what was refused."""
        if self.refusal is None:
            return super().readinto(buffer) or 0
        at, view = self.tell(), memoryview(buffer).cast("B")
        super().readinto(view)
        for start, data in self._refused:
            low, high = max(start, at), min(start + len(data), at + len(view))
            if low < high:
                view[low - at : high - at] = data[low - start : high - start]
        return super().seek(at + len(view)) - at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place; the end is that of all that was written."""
        if whence == os.SEEK_END and self.refusal is not None:
            return super().seek(self._end + offset)
        return super().seek(offset, whence)

    def truncate(self, size: int | None = None, /) -> int:
        """Set the file's size."""
        self._end = self.tell() if size is None else size
        try:
            return super().truncate(size)
        except OSError as error:
            self.refusal = self.refusal or error
            return self._end

    def require(self) -> None:
        """Raise what the disk refused, if it did, and let in the signals that came.

        Raises:
            OSError: The first refusal.
            KeyboardInterrupt: On Ctrl-C, if its handler is Python's.
        """
        if self.refusal is not None:
            raise self.refusal
        if self._held is not None:
            self._held.deliver()


@contextmanager
def patient_file(path: Path) -> Iterator[PatientFile]:
    """Yield a new file; what the disk refused meanwhile is raised when the block has ended.

    Signals, whose exceptions such a library does not survive either, wait until then, too,
    or for the next call of the file's `require`.

    Raises:
        OSError: If the file cannot be made, or something could not be written.
        KeyboardInterrupt: On Ctrl-C, if its handler is Python's.
    """
    with held_signals() as held, PatientFile(path, held) as file:
        yield file
        file.require()


def require_no_stream(path: Path) -> None:
    """Refuse what would be waited for, or read without end: pipes, devices, sockets.

    Raises:
        OSError: If it is one; a folder, and nothing at all, are left to the opening.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "a device or a pipe, no regular file", str(path))


def require_writable_folder(folder: Path) -> None:
    """Create a folder if need be and prove that files can be written in it.

    Raises:
        InputError: If it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            Problem(
                str(folder),
                "a folder that can be written",
                "a file" if folder.is_file() else error.strerror or str(error),
                "choose another path",
            )
        ) from error


def temporary_file() -> IO[bytes]:
    """Open a file without a name, in the place for temporary files (`TMPDIR`).

    Raises:
        InputError: If there is no such place, or it is full.
    """
    with _temporary_place():
        return tempfile.TemporaryFile()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, in the place for temporary files (`TMPDIR`).

    Raises:
        InputError: If there is no such place, or it is full.
    """
    with _temporary_place():
        folder = tempfile.TemporaryDirectory(prefix="progfix-")
    with folder as path:
        yield Path(path)


@contextmanager
def _temporary_place() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            Problem(
                "temporary files",
                "a folder with space that can be written: TMPDIR, /tmp or the like",
                error.strerror or str(error),
                "free space there, or set TMPDIR to a folder that has some",
            )
        ) from error
