"""Collecting what is wrong with a file's rows, so that one run reports all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem

__all__ = ["Defects", "RowNames"]

MOST_DEFECTS = 1_000_000
"""Rows at fault after which a file is read no further."""

_ROWS_SHOWN = 8


@dataclass(frozen=True)
class RowNames:
    """How a format's rows are called in messages.

    Attributes:
        word: "line" of a text file, "row" of an array.
        first: Number of the first data row.
    """

    word: str = "row"
    first: int = 0


@dataclass
class _Kind:
    found: str
    fix: str
    rows: list[int] = field(default_factory=list)
    count: int = 0


class Defects:
    """Defects of one file, by what was expected.

    Args:
        where: The file.
        names: How its rows are called.
    """

    def __init__(self, where: str, names: RowNames) -> None:
        self.where = where
        self.names = names
        self._kinds: dict[str, _Kind] = {}
        self._stopped = False

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, expected: str, rows: NDArray[np.int64], found: object, fix: str) -> None:
        """Record a defect.

        Args:
            expected: What would have been right; defects with the same words are one.
            rows: Numbers of the rows at fault, counted from 0; nothing happens without any.
            found: What the first of them holds.
            fix: What to do.
        """
        if len(rows) == 0:
            return
        first = f"{found} in {self.names.word} {rows[0] + self.names.first}"
        kind = self._kinds.setdefault(expected, _Kind(first, fix))
        kind.rows += (rows[: _ROWS_SHOWN - len(kind.rows)] + self.names.first).tolist()
        kind.count += len(rows)

    def raise_many(self) -> None:
        """Raise what was collected if that is so much that the rest of the file is like it.

        Raises:
            InputError: If there are more than `MOST_DEFECTS`.
        """
        if sum(kind.count for kind in self._kinds.values()) > MOST_DEFECTS:
            self._stopped = True
            self.raise_any()

    def problems(self) -> list[Problem]:
        """Return one problem per kind of defect."""
        return [
            Problem(f"{self.where}, {self._rows(kind)}", expected, kind.found, kind.fix)
            for expected, kind in self._kinds.items()
        ]

    def raise_any(self) -> None:
        """Raise what was collected.

        Raises:
            InputError: If there is a defect.
        """
        if self._kinds:
            raise InputError(self.problems())

    def _rows(self, kind: _Kind) -> str:
        shown = ", ".join(map(str, kind.rows))
        more = kind.count - len(kind.rows)
        plural = "" if kind.count == 1 else "s"
        return f"{self.names.word}{plural} {shown}" + (
            f" and {more} more{', where reading stopped' if self._stopped else ''}" if more else ""
        )
