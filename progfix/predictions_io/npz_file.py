"""Predictions as a NumPy archive: one array per column."""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from progfix.data.npy import HEADER_ERRORS
from progfix.errors import InputError, Problem, listed
from progfix.predictions import Category, Predictions
from progfix.predictions_io.coded import NAMES_SUFFIX, decoded
from progfix.predictions_io.columns import FORMAT, require_format
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import Block, slices

__all__ = ["NpzTable", "NpzWriter"]

_UNREADABLE = (
    *HEADER_ERRORS,
    EOFError,
    OSError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and NumPy raise on damaged archives."""


WIDEST = 1 << 13
"""Bytes of a value: a name of 2,048 characters."""

LARGEST_WHOLE = 1 << 28
"""Bytes of the names that codes stand for, which are read at once."""


class _Kind(NamedTuple):
    """What the header of an array says, and the bytes that it claims."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    size: int


class NpzTable:
    """A NumPy archive, read in blocks of rows, without pickle.

    Args:
        path: The file.

    Raises:
        InputError: If it is no such archive.
    """

    row_names = RowNames("row", 0)

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._archive() as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
        self._members = {name.removesuffix(".npy"): name for name in members}
        self.names: Sequence[str] = [
            name for name in self._members if name != "format" and not name.endswith(NAMES_SUFFIX)
        ]
        if "format" in self._members:
            require_format(self._read(["format"], ndim=0)["format"], str(path))

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:  # noqa: ARG002
        """Yield the wanted columns.

        Raises:
            InputError: If an array holds Python objects, is not one-dimensional, claims
                more than the file holds, or the arrays differ in length.
        """
        coded = self._read([n for w in wanted if (n := w + NAMES_SUFFIX) in self._members])
        with self._archive() as archive, ExitStack() as opened:
            kinds = self._checked(archive, wanted, ndim=1)
            rows = {name: kind.shape[0] for name, kind in kinds.items()}
            if len(set(rows.values())) > 1:
                found = listed(f"{name} {count}" for name, count in rows.items())
                raise InputError(
                    Problem(str(self._path), "columns of one length", found, "save it again")
                )
            columns = {
                name: opened.enter_context(archive.open(self._members[name])) for name in wanted
            }
            for column in columns.values():
                _header(column)
            for part in slices(rows[wanted[0]]):
                values = {
                    name: decoded(
                        name,
                        self._next(name, column, kinds[name].dtype, part.stop - part.start),
                        coded.get(name + NAMES_SUFFIX),
                        str(self._path),
                    )
                    for name, column in columns.items()
                }
                yield Block(np.arange(part.start, part.stop), values)
            for column in columns.values():
                column.read(1)  # the end, where the checksum is compared

    def _next(
        self, name: str, column: IO[bytes], dtype: np.dtype[np.generic], rows: int
    ) -> NDArray[np.generic]:
        """Return the next rows of an open column."""
        data = column.read(rows * dtype.itemsize)
        values: NDArray[np.generic] = np.frombuffer(data, dtype)
        if len(values) < rows:
            raise EOFError(f"array {name!r} ends {rows - len(values)} rows early")
        self._require_text(name, values)
        return values

    def _read(self, names: Sequence[str], *, ndim: int = 1) -> dict[str, NDArray[np.generic]]:
        """Return small arrays as a whole."""
        arrays: dict[str, NDArray[np.generic]] = {}
        with self._archive() as archive:
            for name, kind in self._checked(archive, names, ndim=ndim).items():
                if kind.size > LARGEST_WHOLE:
                    found = f"{kind.size:,} bytes"
                    expected = f"names of at most {LARGEST_WHOLE:,} bytes"
                    where = f"{self._path}, array {name!r}"
                    raise InputError(Problem(where, expected, found, "save it again"))
                with archive.open(self._members[name]) as member:
                    arrays[name] = npy.read_array(member, allow_pickle=False)
                self._require_text(name, arrays[name])
        return arrays

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        """Open the file; what is raised at damage becomes a message."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                yield archive
        except _UNREADABLE as error:
            raise InputError(self._problem(error)) from error

    def _checked(
        self, archive: zipfile.ZipFile, names: Sequence[str], *, ndim: int
    ) -> dict[str, _Kind]:
        """Return what the arrays are, by their headers.

        Raises:
            InputError: With what is wrong with any of them.
        """
        found = {name: self._checked_member(archive, name, ndim) for name in names}
        problems = [kind for kind in found.values() if isinstance(kind, Problem)]
        if problems:
            raise InputError(problems)
        return {name: kind for name, kind in found.items() if isinstance(kind, _Kind)}

    def _checked_member(self, archive: zipfile.ZipFile, name: str, ndim: int) -> _Kind | Problem:
        info = archive.getinfo(self._members[name])
        where = f"{self._path}, array {name!r}"
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others are decompressed without regard to how much is asked for.
            found = f"compression of type {info.compress_type}"
            return Problem(where, "an array as numpy.savez writes it", found, "save it again")
        with archive.open(info) as member:
            shape, dtype = _header(member)
            held = info.file_size - member.tell()
        kind = _Kind(shape, dtype, int(np.prod(shape, dtype=object)) * dtype.itemsize)
        if dtype.hasobject:
            return Problem(
                where,
                "numbers or fixed-width strings",
                "pickled Python objects, which are never loaded",
                "convert it with .astype(str) or .astype(float) before saving",
            )
        if len(shape) != ndim:
            return Problem(where, "one value per row", f"shape {shape}", "save it flattened")
        if not 0 < dtype.itemsize <= WIDEST:
            found = f"values of {dtype.itemsize:,} bytes"
            return Problem(where, f"values of 1 to {WIDEST:,} bytes", found, "shorten the names")
        # Deflate cannot shrink anything more than 1032 times.
        if kind.size > held or info.file_size > 1032 * info.compress_size + 1024:
            return Problem(
                where,
                f"at most the {held:,} bytes that the file holds",
                f"a claim of {kind.size:,} bytes",
                "the file is damaged; save it again",
            )
        return kind

    def _require_text(self, name: str, values: NDArray[np.generic]) -> None:
        if values.dtype.kind == "U" and not _is_text(values):
            where = f"{self._path}, array {name!r}"
            found = "numbers that are no characters"
            raise InputError(Problem(where, "text", found, "save it again"))

    def _problem(self, error: Exception) -> Problem:
        return Problem(str(self._path), "a NumPy .npz archive", str(error), "save it again")


class NpzWriter:
    """Collects all rows and writes them when closed: the format cannot be appended to.

    Args:
        path: The file to create.
        columns: The columns to write.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = columns
        self._chunks: list[Predictions] = []

    def write(self, chunk: Predictions) -> None:
        """Keep the rows of a chunk."""
        self._chunks.append(chunk)

    def close(self) -> None:
        """Write the file."""
        table = Predictions.concat(self._chunks)
        arrays: dict[str, NDArray[np.generic]] = {"format": np.array(FORMAT)}
        for name in self._columns:
            values = getattr(table, name)
            arrays[name] = (
                np.array(values.names)[values.codes] if isinstance(values, Category) else values
            )
        np.savez_compressed(self._path, allow_pickle=False, **arrays)


def _is_text(values: NDArray[np.generic]) -> bool:
    """Whether an array of type U holds characters; NumPy takes its 32 bits for what they say."""
    codes = values.reshape(-1).view(np.dtype("u4").newbyteorder(values.dtype.byteorder))
    return not ((codes > sys.maxunicode) | ((codes >= 0xD800) & (codes < 0xE000))).any()


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = npy.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(member)
    else:
        shape, _, dtype = npy.read_array_header_2_0(member)
    return shape, dtype
