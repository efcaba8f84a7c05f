"""What a run records about each epoch: `history.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from progfix.errors import InputError, Problem
from progfix.files import atomic_path

__all__ = ["WALL_CLOCK_COLUMNS", "EpochRow", "read_history", "write_history"]

WALL_CLOCK_COLUMNS = ("seconds",)
"""Columns that differ between two runs of the same recipe, data and seed."""


@dataclass(frozen=True)
class EpochRow:
    """One epoch.

    Attributes:
        epoch: 1 for the first.
        steps: Optimisation steps taken so far, skipped batches not counted.
        train_loss: Mean progress loss over the epoch's batches, in the objective's units.
        skipped: Batches of this epoch that were skipped because their loss was too large.
        head_gradient: Mean norm of the head's gradient as it leaves the loss.
        head_applied: Mean norm of what clipping left of it for the optimiser.
        val_mae: Frame-pooled mean absolute error on the validation videos.
        val_skill_constant: 1 - MAE / MAE of the constant 0.5.
        val_skill_frame_counting: 1 - MAE / MAE of frame counting on training durations.
        best: Whether this epoch has the smallest `val_mae` so far.
        seconds: Wall-clock time of the epoch, validation included.
    """

    epoch: int
    steps: int
    train_loss: float
    skipped: int
    head_gradient: float
    head_applied: float
    val_mae: float
    val_skill_constant: float
    val_skill_frame_counting: float
    best: bool
    seconds: float


_TYPES: dict[str, type] = {"int": int, "float": float}


def write_history(path: Path, rows: Sequence[EpochRow]) -> None:
    """Write all epochs, atomically; floats with all digits.

    Raises:
        InputError: If the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in fields(EpochRow)])
        for row in rows:
            values = asdict(row).values()
            writer.writerow([int(v) if isinstance(v, bool) else repr(v) for v in values])


def read_history(path: Path) -> list[EpochRow]:
    """Read what `write_history` wrote.

    Raises:
        InputError: If the file is missing or is no history.
    """
    names = [column.name for column in fields(EpochRow)]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = [*csv.reader(file)] or [[]]
        return [_row(names, dict(zip(header, values, strict=True))) for values in rows]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError(
            Problem(
                str(path),
                f"a history with the columns {', '.join(names)}",
                f"{type(error).__name__}: {error}",
                "give a run folder that `progfix train` wrote",
            )
        ) from error


def _row(names: Sequence[str], values: Mapping[str, str]) -> EpochRow:
    kinds = {column.name: column.type for column in fields(EpochRow)}
    parsed = {
        name: bool(int(values[name]))
        if kinds[name] == "bool"
        else _TYPES[str(kinds[name])](values[name])
        for name in names
    }
    return EpochRow(**parsed)
