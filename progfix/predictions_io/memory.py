"""Predictions as a table in memory: a data frame, an Arrow table, a dictionary of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem, listed
from progfix.predictions import Category
from progfix.predictions_io.columns import Values
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import Block, slices

__all__ = ["Columns", "MemoryTable", "is_columns"]

WHERE = "the table"
"""What it is called in messages."""


class Frame(Protocol):
    """What pandas, polars and Arrow have in common; NumPy reads the columns."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""
        ...

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column by its name."""
        ...


Columns: TypeAlias = Frame | Mapping[str, Any]
"""A pandas or polars data frame, an Arrow table, or arrays by name."""


def is_columns(given: object) -> bool:
    """Tell whether something is a table in memory."""
    return isinstance(given, Mapping) or hasattr(given, "columns")


class MemoryTable:
    """A table in memory, read in blocks of rows.

    Args:
        given: The table.
    """

    row_names = RowNames("row", 0)

    def __init__(self, given: Columns) -> None:
        self._given = given
        if isinstance(given, Mapping):
            self._labels: list[Any] = list(given)
        else:  # Arrow calls its columns' names column_names, and its columns columns
            self._labels = list(getattr(given, "column_names", None) or given.columns)
        self.names: Sequence[str] = [str(label) for label in self._labels]

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:
        """Yield the wanted columns; empty texts become defects.

        Raises:
            InputError: If a column is nested, or they differ in length.
        """
        columns = {name: self._column(name) for name in wanted}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            found = listed(f"{name} {length}" for name, length in lengths.items())
            raise InputError(Problem(WHERE, "columns of one length", found, "cut or fill them"))
        for part in slices(lengths[wanted[0]]):
            rows = np.arange(part.start, part.stop)
            values: dict[str, Values] = {}
            for name, column in columns.items():
                values[name] = column[part]
                if column.dtype == object:
                    values[name], empty = _texts(column[part])
                    defects.add(f"a value of {name!r} in every row", rows[empty], "none", "fill it")
            yield Block(rows, values)

    def _column(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = np.asarray(self._given[self._labels[self.names.index(name)]])
        if column.dtype.kind == "T":  # NumPy's own text of any length
            column = column.astype(object)
        if column.ndim != 1 or column.dtype.kind not in "biufUSO":
            found = f"{name!r} of type {column.dtype} and shape {column.shape}"
            expected = "columns of numbers or strings"
            raise InputError(Problem(WHERE, expected, found, "convert it"))
        return column


def _texts(column: NDArray[np.object_]) -> tuple[Values, NDArray[np.bool_]]:
    """Return objects as text, and where a column of text has none."""
    is_text = any(isinstance(value, str | bytes) for value in column)
    texts = [_text(value) for value in column]
    empty = np.array([text is None for text in texts], dtype=np.bool_)
    filled = ["" if text is None else text for text in texts]
    return (Category.of(filled), empty) if is_text else (filled, np.zeros_like(empty))


def _text(value: object) -> str | None:
    if isinstance(value, str | bytes):
        return value if isinstance(value, str) else value.decode(errors="replace")
    text = str(value)
    return None if text in _EMPTY else text


_EMPTY = ("None", "nan", "<NA>", "NaT")
"""How Python, NumPy and pandas write what is missing."""
