"""What a hostile file is, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from progfix.checkpoints import open_checkpoint
from progfix.data.open import open_dataset, read_data
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.predictions_io import read_predictions
from progfix.runs import read_config
from progfix.training.history import read_history
from progfix.training.state import read_training

Kind = Literal["checkpoint", "config", "data", "history", "predictions", "run"]

CANARY = "canary"
"""A file that the hostile ones would make in the folder where they are."""


@dataclass(frozen=True)
class Case:
    """One file or folder.

    Attributes:
        kind: What it pretends to be.
        name: What is wrong with it.
        make: Makes it in a folder and returns its path.
        valid: Whether it may be taken for what it pretends to be.
    """

    kind: Kind
    name: str
    make: Callable[[Path], Path]
    valid: bool = False

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}".replace(" ", "-")


def read(kind: Kind, path: Path) -> bool:
    """Read a file as the commands do.

    Returns:
        Whether it was valid; anything but a proper refusal is raised.
    """
    try:
        if kind == "checkpoint":
            open_checkpoint(path)
        elif kind == "predictions":
            for _ in read_predictions(path):
                pass
        elif kind == "config":
            read_config(path)
        elif kind == "history":
            read_history(path)
        elif kind == "run":
            return _read_run(path)
        else:
            options = DataOptions(path=str(path))
            read_data(options, thorough=True)
            for video in open_dataset(options):
                if video.features is not None:
                    video.read(0, 1000)
                    video.read(video.num_frames - 1000)
    except InputError as error:
        require_four_parts(error)
        return False
    return True


def _read_run(folder: Path) -> bool:
    parts = (
        lambda: read_config(folder),
        lambda: read_history(folder / "history.csv"),
        lambda: _read_state(folder / "last.pt"),
        lambda: open_checkpoint(folder),
    )
    valid = 0
    for part in parts:
        with suppress(InputError):
            part()
            valid += 1
    return valid == len(parts)


def _read_state(path: Path) -> None:
    try:
        read_training(path)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # These are what resuming takes for a state that does not fit.
        raise InputError(Problem(str(path), "a state", str(error) or "none", "none")) from error


def require_four_parts(error: InputError) -> None:
    """Check that a refusal says all, on one line that a terminal only prints."""
    for problem in error.problems:
        assert all((problem.where, problem.expected, problem.found, problem.fix))
        assert str(problem).isprintable()
        str(problem).encode()
