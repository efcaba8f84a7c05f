"""What a run records about each epoch: `history.csv`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from progfix.errors import InputError, Problem
from progfix.files import atomic_path, require_no_stream

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
        skipped: Batches of this epoch that moved nothing, or with own gradients nothing but
            the head: the loss was too large, or no segment long enough.
        head_gradient: Mean norm of the head's gradient as it leaves the loss.
        head_applied: Mean norm of what clipping left of it for the optimiser.
        val_mae: Frame-pooled mean absolute error on the validation videos.
        val_skill_constant: 1 - MAE / MAE of the constant 0.5.
        val_skill_frame_counting: 1 - MAE / MAE of frame counting on training durations.
        best: Whether this epoch has the smallest `val_mae` so far.
        seconds: Wall-clock time of the epoch, validation included.
        alignment_loss: Mean alignment loss over the same batches; None (empty in the file)
            without a method.
        head_share: Mean of what the head's gradient is of the norm of all gradients before
            clipping, in [0, 1]; None in files from before it was recorded.
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
    alignment_loss: float | None = None
    head_share: float | None = None


_READ: dict[str, Callable[[str], object]] = {
    "int": int,
    "float": float,
    "bool": lambda text: bool(int(text)),
    "float | None": lambda text: float(text) if text else None,
}


def write_history(path: Path, rows: Sequence[EpochRow]) -> None:
    """Write all epochs, atomically; floats with all digits.

    Raises:
        InputError: If the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in fields(EpochRow)])
        for row in rows:
            writer.writerow([_written(value) for value in asdict(row).values()])


def read_history(path: Path) -> list[EpochRow]:
    """Read what `write_history` wrote.

    Raises:
        InputError: If the file is missing or is no history.
    """
    names = [column.name for column in fields(EpochRow)]
    try:
        require_no_stream(path)
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = [*csv.reader(file)] or [[]]
        return [_row(dict(zip(header, values, strict=True))) for values in rows]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError(
            Problem(
                str(path),
                f"a history with the columns {', '.join(names)}",
                f"{type(error).__name__}: {error}",
                "give a run folder that `progfix train` wrote",
            )
        ) from error


def _written(value: float | bool | None) -> str:
    if value is None:
        return ""
    return repr(int(value) if isinstance(value, bool) else value)


def _row(columns: Mapping[str, str]) -> EpochRow:
    values: dict[str, Any] = {
        column.name: _READ[str(column.type)](columns[column.name])
        for column in fields(EpochRow)
        if column.default is MISSING or column.name in columns
    }
    return EpochRow(**values)
