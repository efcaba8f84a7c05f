"""Predictions as Parquet, by pyarrow (`pip install 'progfix[parquet]'`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from progfix.errors import InputError, Problem
from progfix.predictions import Category, Predictions
from progfix.predictions_io.columns import FORMAT, Values, require_format
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import BLOCK_ROWS, Block

__all__ = ["ParquetTable", "ParquetWriter"]


class ParquetTable:
    """A Parquet file, read in batches of rows.

    Args:
        path: The file.

    Raises:
        InputError: If it is no Parquet file, or pyarrow is not installed.
    """

    row_names = RowNames("row", 0)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrow, self._parquet = _pyarrow(path)
        try:
            with self._parquet.ParquetFile(path) as file:
                schema = file.schema_arrow
                self.names: Sequence[str] = list(schema.names)
                metadata = schema.metadata or {}
                # Text stays codes and names: a name that a million rows share is there once.
                self._texts = [field.name for field in schema if self._is_text(field.type)]
        except (OSError, ValueError, self._arrow.ArrowException) as error:
            raise InputError(self._problem(error)) from error
        require_format(metadata.get(b"format"), str(path))

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:
        """Yield the wanted columns; empty texts become defects.

        Raises:
            InputError: If a column is nested, or the file is damaged.
        """
        first = 0
        try:
            with self._parquet.ParquetFile(self._path, read_dictionary=self._texts) as file:
                for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=list(wanted)):
                    rows = np.arange(first, first + batch.num_rows)
                    first += batch.num_rows
                    values = {}
                    for name in wanted:
                        column = batch.column(name)
                        values[name] = self._values(column)
                        if isinstance(values[name], Category):  # a number would be NaN
                            empty = column.is_null().to_numpy(zero_copy_only=False)
                            expected = f"a value of {name!r} in every row"
                            defects.add(expected, rows[empty], "none", "fill it")
                    yield Block(rows, values)
        except (OSError, ValueError, self._arrow.ArrowException) as error:
            raise InputError(self._problem(error)) from error

    def _values(self, column: Any) -> Values:
        kind = column.type
        if self._arrow.types.is_dictionary(kind) and self._is_text(kind.value_type):
            return self._category(column)
        if self._is_text(kind):
            return self._category(column.dictionary_encode())
        if self._arrow.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
        values: Values = column.to_numpy(zero_copy_only=False)
        if isinstance(values, np.ndarray) and values.dtype.kind not in "biufU":
            raise InputError(
                Problem(
                    str(self._path), "columns of numbers or strings", f"type {kind}", "convert it"
                )
            )
        return values

    def _category(self, column: Any) -> Category:
        """Return text that is stored as codes; where there is none, any name stands."""
        codes = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
        names = Category.of(column.dictionary.fill_null("").to_pylist() or [""])
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise ValueError(f"codes from {codes.min()} to {codes.max()} of {len(names)} names")
        return Category(names.codes[codes], names.names)

    def _is_text(self, kind: Any) -> bool:
        types = self._arrow.types
        return bool(types.is_string(kind) or types.is_large_string(kind))

    def _problem(self, error: Exception) -> Problem:
        return Problem(str(self._path), "a readable Parquet file", str(error), "save it again")


class ParquetWriter:
    """Appends chunks as row groups.

    Args:
        path: The file to create.
        columns: The columns to write.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._arrow, parquet = _pyarrow(path)
        self._columns = columns
        self._path = path
        self._open = parquet.ParquetWriter
        self._writer: Any = None

    def write(self, chunk: Predictions) -> None:
        """Append the rows of a chunk."""
        arrays = []
        for name in self._columns:
            values = getattr(chunk, name)
            if isinstance(values, Category):
                names = self._arrow.array(values.names, self._arrow.string())
                arrays.append(self._arrow.DictionaryArray.from_arrays(values.codes, names))
            else:
                arrays.append(self._arrow.array(values))
        table = self._arrow.table(arrays, names=list(self._columns))
        if self._writer is None:
            schema = table.schema.with_metadata({"format": FORMAT})
            self._writer = self._open(self._path, schema)
        self._writer.write_table(table.replace_schema_metadata({"format": FORMAT}))

    def close(self) -> None:
        """Complete the file."""
        if self._writer is not None:
            self._writer.close()


def _pyarrow(path: Path) -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            Problem(
                str(path),
                "pyarrow, which reads and writes Parquet",
                "no such package",
                "pip install 'progfix[parquet]', or use .csv, .npz or .h5",
            )
        ) from error
    return pa, parquet
