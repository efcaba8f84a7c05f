"""Predictions as HDF5: one dataset per column at the root, strings as codes and names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem, listed
from progfix.files import PatientFile
from progfix.predictions import Category, Predictions
from progfix.predictions_io.coded import NAMES_SUFFIX, decoded
from progfix.predictions_io.columns import FORMAT, require_format
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import BLOCK_ROWS, Block, slices

__all__ = ["Hdf5Table", "Hdf5Writer"]


class Hdf5Table:
    """An HDF5 file, read in blocks of rows.

    Args:
        path: The file.

    Raises:
        InputError: If it is no HDF5 file, or holds something else than predictions.
    """

    row_names = RowNames("row", 0)

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            found = file.attrs.get("format")
            datasets = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        require_format(found, str(path))
        self.names: Sequence[str] = [n for n in datasets if not n.endswith(NAMES_SUFFIX)]

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:  # noqa: ARG002
        """Yield the wanted columns.

        Raises:
            InputError: If a dataset is no column, claims more than the file holds, or the
                datasets differ in length.
        """
        with self._open() as file:
            coded = [n for w in wanted if (n := w + NAMES_SUFFIX) in file]
            problems = [
                p for name in (*wanted, *coded) for p in self._dataset_problems(name, file[name])
            ]
            lengths = {name: len(file[name]) for name in wanted if file[name].ndim == 1}
            if len(set(lengths.values())) > 1:
                found = listed(f"{name} {rows}" for name, rows in lengths.items())
                problems.append(
                    Problem(str(self._path), "columns of one length", found, "save it again")
                )
            if problems:
                raise InputError(problems)
            names = {name: _values(file[name], slice(None)) for name in coded}
            for part in slices(len(file[wanted[0]])):
                values = {
                    name: decoded(
                        name,
                        _values(file[name], part),
                        names.get(name + NAMES_SUFFIX),
                        str(self._path),
                    )
                    for name in wanted
                }
                yield Block(np.arange(part.start, part.stop), values)

    @contextmanager
    def _open(self) -> Iterator[h5py.File]:
        """Open the file; what h5py raises on damaged ones becomes a message."""
        try:
            with h5py.File(self._path, "r") as file:
                yield file
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            problem = Problem(str(self._path), "a readable HDF5 file", str(error), "save it again")
            raise InputError(problem) from error

    def _dataset_problems(self, name: str, column: h5py.Dataset) -> Iterator[Problem]:
        where = f"{self._path}, dataset {name!r}"
        if column.ndim != 1:
            yield Problem(where, "one value per row", f"shape {column.shape}", "save it flattened")
        if column.dtype.kind not in "biufSO" or (
            column.dtype.kind == "O" and h5py.check_string_dtype(column.dtype) is None
        ):
            yield Problem(where, "numbers or strings", f"type {column.dtype}", "convert it")
        if column.is_virtual or column.external:
            yield Problem(where, "rows in this file", "a link to other files", "copy them into it")
        # Deflate cannot shrink anything more than 1032 times.
        claimed = column.size * column.dtype.itemsize
        if claimed > 1032 * column.id.get_storage_size() + 1024:
            yield Problem(
                where,
                f"at most what the {column.id.get_storage_size():,} bytes stored can hold",
                f"a claim of {column.size:,} rows",
                "the file is damaged; save it again",
            )


class Hdf5Writer:
    """Appends chunks to compressed, checksummed datasets.

    Args:
        path: The file to create.
        columns: The columns to write.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._out = PatientFile(path)
        self._file = h5py.File(self._out, "w")
        self._file.attrs["format"] = FORMAT
        self._columns = columns
        self._names: dict[str, dict[str, int]] = {}

    def write(self, chunk: Predictions) -> None:
        """Append the rows of a chunk."""
        for name in self._columns:
            values = getattr(chunk, name)
            if isinstance(values, Category):
                table = self._names.setdefault(name, {})
                mapping = np.array(
                    [table.setdefault(n, len(table)) for n in values.names], dtype=np.int32
                )
                values = mapping[values.codes]
            if name not in self._file:
                self._file.create_dataset(
                    name,
                    shape=(0,),
                    maxshape=(None,),
                    dtype=values.dtype,
                    chunks=(BLOCK_ROWS,),
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                    fletcher32=True,
                )
            column = self._file[name]
            column.resize(len(column) + len(values), axis=0)
            column[len(column) - len(values) :] = values
        self._out.require()

    def close(self) -> None:
        """Write the names and complete the file."""
        for name, table in self._names.items():
            self._file.create_dataset(
                name + NAMES_SUFFIX, data=list(table), dtype=h5py.string_dtype()
            )
        self._file.close()
        self._out.close()
        self._out.require()


def _values(column: h5py.Dataset, part: slice) -> NDArray[np.generic]:
    text = h5py.check_string_dtype(column.dtype) is not None
    values: NDArray[np.generic] = column.asstr()[part] if text else column[part]
    return values
