"""From blocks of columns to whole videos: cutting, and deriving what a file leaves out.

The target of a frame is elapsed / duration. A file has these, or the target alone (a new
segment starts where it falls), or LeRobot's `frame_index` (one segment a video).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from progfix.predictions import Category
from progfix.predictions_io.columns import COLUMNS, Column, missing_fix, parse
from progfix.predictions_io.defects import Defects
from progfix.predictions_io.table import Block

__all__ = ["Rows", "derive", "off_target", "starts_of", "typed"]

_WANTED = {"string": "text without NUL", "integer": "an integer", "number": "a number"}
_ROUNDING = 1e-3
_TINY = 2.0**-40  # no action has that many frames


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a file with typed columns.

    Attributes:
        rows: Number of each row in the file, counted from 0, int64 `(n,)`.
        columns: By the names of `COLUMNS`.
        read: Which rows could be read; the others are recorded as defects already.
    """

    rows: NDArray[np.int64]
    columns: dict[str, Column]
    read: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def category(self, name: str) -> Category:
        """Return a column of strings."""
        column = self.columns[name]
        if not isinstance(column, Category):
            raise TypeError(f"column {name!r} holds numbers")
        return column

    def array(self, name: str) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return a column of numbers."""
        column = self.columns[name]
        if isinstance(column, Category):
            raise TypeError(f"column {name!r} holds strings")
        return column

    def take(self, chosen: slice | NDArray[np.bool_]) -> Rows:
        """Return the chosen rows."""
        return Rows(
            self.rows[chosen],
            {
                name: column.take(chosen) if isinstance(column, Category) else column[chosen]
                for name, column in self.columns.items()
            },
            self.read[chosen],
        )

    @classmethod
    def concat(cls, parts: list[Rows]) -> Rows:
        """Join rows that have the same columns."""
        if len(parts) == 1:
            return parts[0]
        columns: dict[str, Column] = {}
        for name, kind in COLUMNS.items():
            if name in parts[0].columns:
                columns[name] = (
                    Category.concat([part.category(name) for part in parts])
                    if kind == "string"
                    else np.concatenate([part.array(name) for part in parts])
                )
        rows, read = ([getattr(part, n) for part in parts] for n in ("rows", "read"))
        return cls(np.concatenate(rows), columns, np.concatenate(read))


def typed(block: Block, names: Mapping[str, str], others: Sequence[str], defects: Defects) -> Rows:
    """Bring a block's columns to their types, recording values that are none.

    Args:
        block: Rows as the file has them.
        names: For each column that the file has, its name in the file.
        others: Columns that could be judged instead of the prediction, for advice.
        defects: Gets what cannot be read.
    """
    columns: dict[str, Column] = {}
    read = np.ones(len(block.rows), dtype=np.bool_)
    for column, name in names.items():
        kind = COLUMNS[column]
        values = block.values[name]
        columns[column], bad = parse(kind, values)
        if bad.any():
            read &= ~bad
            first = int(np.flatnonzero(bad)[0])
            if isinstance(values, Category):
                found: object = values.names[values.codes[first]]
            else:
                found = values[first]
            expected = f"{_WANTED[kind]} in column {name!r}"
            fix = "write a point, not a comma" if "," in str(found) else "correct it"
            if str(found) == "":
                fix = missing_fix(column, names, others)
            defects.add(expected, block.rows[bad], repr(str(found)), fix)
    return Rows(block.rows, columns, read)


def starts_of(table: Rows, *columns: str) -> NDArray[np.bool_]:
    """Return where a row differs from the row before in one of the columns; true at row 0."""
    changed = np.ones(len(table), dtype=np.bool_)
    changed[1:] = False
    for name in columns:
        if name in table.columns:
            column = table.columns[name]
            key = column.codes if isinstance(column, Category) else column
            changed[1:] |= key[1:] != key[:-1]
    return changed


def derive(table: Rows, defects: Defects) -> Rows:
    """Add segment, elapsed, duration and target where they are missing.

    Args:
        table: Whole videos, sound in the columns they have.
        defects: Gets rows from which the rest cannot be derived.

    Returns:
        The rows with all eight columns; those recorded as defects count as not read.
    """
    columns = dict(table.columns)
    table = replace(table, columns=columns)
    if "frame_index" in columns:
        columns["elapsed"] = table.array("frame_index").astype(np.int64) + 1
        columns["segment"] = np.zeros(len(table), dtype=np.int64)
    unfit = np.zeros(len(table), dtype=np.bool_)
    if "segment" not in columns:
        columns["segment"] = _segments(table)
    starts = np.flatnonzero(starts_of(table, "task", "video", "segment"))
    lengths = np.diff(np.append(starts, len(table)))
    ranks = np.arange(len(table)) - np.repeat(starts, lengths) + 1
    if "frame_index" in columns:
        expected = "frame_index 0, 1, 2, ... in every episode"
        fix = "where rows are left out, add a column 'duration', the frames of the whole episode"
        if "duration" in columns:
            expected, fix = "frame_index from 0 to duration - 1", "give the episode's frames"
            unfit = (table.array("elapsed") < 1) | (
                table.array("elapsed") > table.array("duration")
            )
        else:
            unfit = table.array("elapsed") != ranks
            columns["duration"] = np.repeat(lengths, lengths)
        found = table.array("frame_index")[unfit][0] if unfit.any() else ""
        defects.add(expected, table.rows[unfit], found, fix)
    elif not {"elapsed", "duration"} <= columns.keys():
        elapsed, duration, unfit = _from_targets(table, starts, lengths, ranks)
        defects.add(
            "targets (i + 1) / L for the frames i = 0 .. L - 1 of an action",
            table.rows[unfit],
            table.array("target")[unfit][0] if unfit.any() else "",
            "give the columns segment, elapsed and duration",
        )
        columns["elapsed"], columns["duration"] = elapsed, duration
    columns["target"] = table.array("elapsed") / table.array("duration")
    return replace(table, read=table.read & ~unfit)


def _segments(table: Rows) -> NDArray[np.int64]:
    new_video = starts_of(table, "task", "video")
    new = new_video | starts_of(table, "action", "duration")
    position = table.array("elapsed" if "elapsed" in table.columns else "target")
    # One-frame actions in a row are 1, 1 either way; any other repetition is a defect.
    again = (position[1:] == position[:-1]) & (position[1:] == 1)
    new[1:] |= (position[1:] < position[:-1]) | again
    running = np.cumsum(new, dtype=np.int64)
    before: NDArray[np.int64] = running[new_video][np.cumsum(new_video) - 1]
    return running - before


def _from_targets(
    table: Rows,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    ranks: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return elapsed, duration, and where they do not explain the target."""
    target = table.array("target")
    if "duration" in table.columns:
        duration = table.array("duration").astype(np.int64)
        elapsed = np.rint(target * duration).astype(np.int64)
        return elapsed, duration, _off(target, elapsed, duration, quarter=True)
    if "elapsed" in table.columns:
        elapsed = table.array("elapsed").astype(np.int64)
        last = starts + lengths - 1
        length = np.rint(elapsed[last] / np.maximum(target[last], _TINY)).astype(np.int64)
        duration = np.repeat(length, lengths)
        return elapsed, duration, _off(target, elapsed, duration, quarter=True)
    whole = np.repeat(lengths, lengths)
    gaps = np.repeat(np.logical_or.reduceat(off_target(target, ranks, whole), starts), lengths)
    # Of a segment with gaps the smallest step between its targets is taken for one frame.
    step = np.full(len(target), np.inf)
    step[1:] = np.where(ranks[1:] > 1, np.diff(target), np.inf)
    step[step <= 0] = np.inf
    smallest = np.repeat(np.maximum(np.minimum.reduceat(step, starts), _TINY), lengths)
    guess = np.maximum(1, np.rint(1 / smallest)).astype(np.int64)
    duration = np.where(gaps, guess, whole)
    elapsed = np.where(gaps, np.rint(target * duration).astype(np.int64), ranks)
    return elapsed, duration, gaps & _off(target, elapsed, duration, quarter=True)


def off_target(
    target: NDArray[np.float64] | NDArray[np.int64],
    elapsed: NDArray[np.int64] | NDArray[np.float64],
    duration: NDArray[np.int64] | NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return where a target, perhaps rounded to three decimals, is not elapsed / duration."""
    return _off(target, elapsed, duration, quarter=False)


def _off(
    target: NDArray[np.float64] | NDArray[np.int64],
    elapsed: NDArray[np.int64] | NDArray[np.float64],
    duration: NDArray[np.int64] | NDArray[np.float64],
    *,
    quarter: bool,
) -> NDArray[np.bool_]:
    # Where the target decides which frame it is, it must do so to a quarter of a frame.
    allowed = np.minimum(_ROUNDING, 0.25 / duration) if quarter else _ROUNDING
    wrong: NDArray[np.bool_] = (np.abs(target - elapsed / duration) > allowed) | (elapsed < 1)
    return wrong
