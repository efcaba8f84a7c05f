"""Run folders: where a training run keeps what it makes, and which is the newest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from progfix.errors import InputError, Problem, listed
from progfix.files import atomic_path, leftovers, require_no_stream, require_writable_folder

__all__ = [
    "BEST",
    "CHECKPOINT_SUFFIXES",
    "CONFIG",
    "HISTORY",
    "LAST",
    "LOCK",
    "PREDICTIONS",
    "RUNS",
    "RUN_FORMAT",
    "is_run",
    "locked",
    "new_run",
    "newest_run",
    "read_config",
    "require_new",
    "write_config",
]

RUNS = Path("runs")
CONFIG = "config.json"
BEST = "checkpoint.pt"
LAST = "last.pt"
HISTORY = "history.csv"
PREDICTIONS = "predictions.h5"
LOCK = ".lock"
"""File in the folder of a run, or of a sweep, that is locked while a process works on it."""
RUN_FORMAT = "progfix-run/1"

CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt", ".tar")
"""Endings that checkpoints of PyTorch have; others are read as such too."""

_NAME_A_RUN = "give a run folder or the config.json in it"


def is_run(folder: Path) -> bool:
    """Whether a folder is a run of ours: its config.json says so."""
    try:
        return _says_so(_json(folder / CONFIG))
    except (OSError, InputError):
        return False


def new_run(folder: Path | None, solution: str) -> Path:
    """Create the folder of a new run.

    Args:
        folder: Where the user wants it; None takes the first free `runs/<solution>-<n>`.
        solution: The letters, for the name; empty is "baseline".

    Raises:
        InputError: If the folder holds something already, or cannot be created.
    """
    if folder is not None:
        require_new(folder)
        require_writable_folder(folder)
        return folder
    require_writable_folder(RUNS)
    number = 1
    while True:
        candidate = RUNS / f"{solution or 'baseline'}-{number}"
        try:
            candidate.mkdir()
        except FileExistsError:  # also of a run that another process has just begun
            number += 1
        else:
            return candidate


def require_new(folder: Path) -> None:
    """Check that a folder holds nothing, but what a process left that was killed at its start.

    Raises:
        InputError: If it is there and holds something, which is said.
    """
    fix = "name another folder with --out"
    if not folder.exists():
        return
    if not folder.is_dir():
        found = "a file"
    elif is_run(folder):
        found = "a run that is already there"
        fix += ", or go on with this run with --resume"
    elif names := sorted(path.name for path in folder.iterdir() if not _of_no_run(path)):
        found = f"one that holds {listed(names)}"
    else:
        return
    raise InputError(Problem(str(folder), "a new or empty folder for the run", found, fix))


def _of_no_run(path: Path) -> bool:
    """Whether a file is all that there is of a run, or a sweep, before its first file."""
    return path.name == LOCK or any(
        path in leftovers(path.with_name(name)) for name in (CONFIG, "sweep.json")
    )


@contextmanager
def locked(folder: Path, kind: str = "run") -> Iterator[None]:
    """Keep other processes from working on a run's or a sweep's folder inside the block.

    Args:
        folder: The folder.
        kind: "run" or "sweep".

    Raises:
        InputError: If another process works on it, or its file system refuses the lock.
    """
    from filelock import FileLock, Timeout

    fix = "wait for it, or name another folder with --out"
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        expected, found = f"a {kind} that no other process works on", "one that is going on now"
        raise InputError(Problem(str(folder), expected, found, fix)) from error
    except (OSError, NotImplementedError) as error:
        found = getattr(error, "strerror", None) or str(error)
        fix = "free space there, mend its permissions, or name another folder with --out"
        expected = "a folder that can be written and locked"
        raise InputError(Problem(str(folder), expected, found, fix)) from error
    try:
        yield
    finally:
        lock.release()


def write_config(folder: Path, config: Mapping[str, object]) -> None:
    """Write config.json with the format and the start time beside the given entries.

    Raises:
        InputError: If it cannot be written.
    """
    started = datetime.now(UTC).isoformat(timespec="microseconds")
    with atomic_path(folder / CONFIG) as path:
        path.write_text(
            json.dumps({"format": RUN_FORMAT, "started": started, **config}, indent=2) + "\n"
        )


def read_config(path: Path) -> dict[str, object]:
    """Read the config.json of a run, or one that a user points at.

    Args:
        path: The file, or a run folder.

    Raises:
        InputError: If it is missing, damaged, or no configuration of a run.
    """
    file = path / CONFIG if path.is_dir() else path
    expected = f"the config.json of a run ({RUN_FORMAT})"
    fix = _NAME_A_RUN
    try:
        config = _json(file)
    except OSError as error:
        found = "no such file" if not file.exists() else error.strerror or str(error)
        raise InputError(Problem(str(file), expected, found, fix)) from error
    if not _says_so(config):
        raise InputError(Problem(str(file), expected, "JSON of another format", fix))
    return config


def newest_run(root: Path = RUNS) -> Path | None:
    """Return the run with the latest recorded start directly under `root`, or None.

    Raises:
        InputError: If the file that may say when a run started is damaged.
    """
    found: list[tuple[str, Path]] = []
    for file in root.glob(f"*/{CONFIG}"):
        config: dict[str, object] = {}
        with suppress(OSError):  # a folder of this name, or one of somebody else's
            config = _json(file)
        if _says_so(config) and not config.get("cell"):
            found.append((str(config.get("started", "")), file.parent))
    return max(found, default=("", None))[1]


def _says_so(config: dict[str, object]) -> bool:
    return config.get("format") == RUN_FORMAT


def _json(file: Path) -> dict[str, object]:
    """Return the object in a JSON file, empty where it holds something else.

    Raises:
        OSError: If it cannot be read.
        InputError: If it is no JSON.
    """
    try:
        require_no_stream(file)
        config = json.loads(file.read_bytes())
    except json.JSONDecodeError as error:
        found = f"damage in line {error.lineno}, column {error.colno} ({error.msg})"
        raise _damaged(file, found) from error
    except UnicodeDecodeError as error:
        raise _damaged(file, f"bytes that are no UTF-8 text, the first at {error.start}") from error
    except (RecursionError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    return config if isinstance(config, dict) else {}


def _damaged(file: Path, found: str) -> InputError:
    found = found if file.stat().st_size else "an empty file"
    if file.name != CONFIG:
        return InputError(
            Problem(str(file), f"the config.json of a run ({RUN_FORMAT})", found, _NAME_A_RUN)
        )
    return InputError(
        Problem(
            str(file),
            "the JSON that `progfix train` wrote",
            found,
            "mend it there or restore it; a checkpoint.pt beside it can be used without it",
        )
    )
