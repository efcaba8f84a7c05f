"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from progfix.errors import InputError, Problem

__all__ = ["atomic_path", "require_writable_folder"]


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
    temporary = place.with_name(f".{place.stem}.{secrets.token_hex(4)}{place.suffix}")
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
