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
from progfix.hdf5_access.members import (
    HDF5_ERRORS,
    first_line,
    member,
    open_file,
    require_bounded_chunks,
    whole,
)
from progfix.held_signals import held_signals
from progfix.predictions import Category, Predictions
from progfix.predictions_io.coded import NAMES_SUFFIX, decoded
from progfix.predictions_io.columns import FORMAT, require_format
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import BLOCK_ROWS, Block, slices

__all__ = ["Hdf5Table", "Hdf5Writer"]

CHUNK_ROWS = BLOCK_ROWS // 4
"""Rows that are compressed together: at most 128 KiB."""


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
            names = [name for name in file if not _is_group(file, name)]
        require_format(found, str(path))
        self.names: Sequence[str] = [name for name in names if not name.endswith(NAMES_SUFFIX)]

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:  # noqa: ARG002
        """Yield the wanted columns.

        Raises:
            InputError: If a dataset is no column, or they differ in length.
        """
        with self._open() as file:
            coded = [n for w in wanted if (n := w + NAMES_SUFFIX) in file]
            columns = self._columns(file, (*wanted, *coded))
            names = {name: whole(columns[name]) for name in coded}
            known: dict[str, set[tuple[int, ...]]] = {name: set() for name in wanted}
            for part in slices(len(columns[wanted[0]])):
                values = {
                    name: decoded(
                        name,
                        _values(columns[name], part, known[name]),
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
            with open_file(self._path) as file:
                yield file
        except HDF5_ERRORS as error:
            found = first_line(error)
            problem = Problem(str(self._path), "a readable HDF5 file", found, "save it again")
            raise InputError(problem) from error

    def _columns(self, file: h5py.File, names: Sequence[str]) -> dict[str, h5py.Dataset]:
        """Return the data sets of these names, all of which can be columns.

        Raises:
            InputError: If one cannot, or they differ in length.
        """
        columns: dict[str, h5py.Dataset] = {}
        problems: list[Problem] = []
        for name in names:
            where = f"{self._path}, dataset {name!r}"
            try:
                column = columns[name] = member(file, name, h5py.Dataset)
                text = h5py.check_string_dtype(column.dtype) is not None
            except HDF5_ERRORS as error:
                found = first_line(error)
                problems.append(Problem(where, "a column in this file", found, "save it again"))
                continue
            if column.ndim != 1:
                found = f"shape {column.shape}"
                problems.append(Problem(where, "one value per row", found, "save it flattened"))
            if not text and column.dtype.kind not in "biuf":
                found = f"type {column.dtype}"
                problems.append(Problem(where, "numbers or strings", found, "convert it"))
        lengths = {
            name: len(column)
            for name, column in columns.items()
            if column.ndim == 1 and not name.endswith(NAMES_SUFFIX)
        }
        if len(set(lengths.values())) > 1:
            found = listed(f"{name} {rows}" for name, rows in lengths.items())
            problems.append(
                Problem(str(self._path), "columns of one length", found, "save it again")
            )
        if problems:
            raise InputError(problems)
        return columns


class Hdf5Writer:
    """Appends chunks to compressed, checksummed datasets.

    Args:
        path: The file to create.
        columns: The columns to write.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._out = PatientFile(path)
        with held_signals():
            # Since 1.10 HDF5 puts checksums on metadata, too, where it is told to.
            self._file = h5py.File(self._out, "w", libver=("v110", "v110"))
            self._file.attrs["format"] = FORMAT
        self._columns = columns
        self._names: dict[str, dict[str, int]] = {}

    def write(self, chunk: Predictions) -> None:
        """Append the rows of a chunk."""
        with held_signals():
            self._append(chunk)
        self._out.require()

    def _append(self, chunk: Predictions) -> None:
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
                    chunks=(CHUNK_ROWS,),
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                    fletcher32=True,
                )
            column = self._file[name]
            column.resize(len(column) + len(values), axis=0)
            column[len(column) - len(values) :] = values

    def close(self) -> None:
        """Write the names and complete the file."""
        with held_signals():
            self._complete()
        self._out.require()

    def _complete(self) -> None:
        for name, table in self._names.items():
            names = [text.encode() for text in table]
            # Of fixed length: text of variable length lies in a heap that has no checksum.
            kind = h5py.string_dtype("utf-8", max((1, *map(len, names))))
            self._file.create_dataset(
                name + NAMES_SUFFIX, data=np.array(names, kind), fletcher32=bool(names) or None
            )
        self._file.close()
        self._out.close()


def _is_group(file: h5py.File, name: str) -> bool:
    # What a link leads to is not looked at.
    stored = isinstance(file.get(name, getlink=True), h5py.HardLink)
    return stored and not isinstance(file[name], h5py.Dataset)


def _values(column: h5py.Dataset, part: slice, known: set[tuple[int, ...]]) -> NDArray[np.generic]:
    require_bounded_chunks(column, part, known)
    text = h5py.check_string_dtype(column.dtype) is not None
    values: NDArray[np.generic] = column.asstr()[part] if text else column[part]
    return values
