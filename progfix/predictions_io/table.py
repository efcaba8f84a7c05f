"""What a format has to offer to be read: names of columns, and blocks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from progfix.predictions_io.columns import Values
from progfix.predictions_io.defects import Defects, RowNames

__all__ = ["BLOCK_ROWS", "Block", "Table", "slices"]

BLOCK_ROWS = 65_536
"""Rows that are read at once."""


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows of a file.

    Attributes:
        rows: Number of each row in the file, counted from 0, int64 `(n,)`.
        values: The wanted columns by their name in the file, each `(n,)`.
    """

    rows: NDArray[np.int64]
    values: dict[str, Values]


class Table(Protocol):
    """An open predictions file."""

    @property
    def names(self) -> Sequence[str]:
        """The columns' names in the file."""
        ...

    @property
    def row_names(self) -> RowNames:
        """How rows are called in messages."""
        ...

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:
        """Yield the wanted columns in blocks of about `BLOCK_ROWS` rows."""
        ...


def slices(rows: int) -> Iterator[slice]:
    """Yield consecutive slices of `BLOCK_ROWS` that cover `rows`."""
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(rows, start + BLOCK_ROWS))
