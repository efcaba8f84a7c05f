"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import secrets
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

    Raises:
        InputError: If the folder cannot be written, or the disk is full.
    """
    if not target.name or target.is_dir():
        raise InputError(
            Problem(str(target), "the name of a file", "a folder", "add a file name to the path")
        )
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
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
    with atomic_path(folder / ".progfix-write-test") as probe:
        probe.write_bytes(b"")
    (folder / ".progfix-write-test").unlink()
