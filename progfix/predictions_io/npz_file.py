"""Predictions as a NumPy archive: one array per column."""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

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


class NpzTable:
    """A NumPy archive; its columns are read one by one, without pickle.

    Args:
        path: The file.

    Raises:
        InputError: If it is no such archive.
    """

    row_names = RowNames("row", 0)

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
        except _UNREADABLE as error:
            raise InputError(self._problem(error)) from error
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
        arrays = self._read(wanted)
        coded = self._read([n for w in wanted if (n := w + NAMES_SUFFIX) in self._members])
        lengths = {name: len(values) for name, values in arrays.items()}
        if len(set(lengths.values())) > 1:
            found = listed(f"{name} {rows}" for name, rows in lengths.items())
            raise InputError(
                Problem(str(self._path), "columns of one length", found, "save it again")
            )
        columns = {
            name: decoded(name, values, coded.get(name + NAMES_SUFFIX), str(self._path))
            for name, values in arrays.items()
        }
        for part in slices(lengths[wanted[0]]):
            yield Block(
                np.arange(part.start, part.stop),
                {
                    name: values.take(part) if isinstance(values, Category) else values[part]
                    for name, values in columns.items()
                },
            )

    def _read(self, names: Sequence[str], *, ndim: int = 1) -> dict[str, NDArray[np.generic]]:
        arrays: dict[str, NDArray[np.generic]] = {}
        problems: list[Problem] = []
        try:
            with zipfile.ZipFile(self._path) as archive:
                for name in names:
                    found = self._read_member(archive, name, ndim)
                    if isinstance(found, Problem):
                        problems.append(found)
                    else:
                        arrays[name] = found
        except _UNREADABLE as error:
            problems.append(self._problem(error))
        if problems:
            raise InputError(problems)
        return arrays

    def _read_member(
        self, archive: zipfile.ZipFile, name: str, ndim: int
    ) -> NDArray[np.generic] | Problem:
        info = archive.getinfo(self._members[name])
        where = f"{self._path}, array {name!r}"
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others are decompressed without regard to how much is asked for.
            found = f"compression of type {info.compress_type}"
            return Problem(where, "an array as numpy.savez writes it", found, "save it again")
        with archive.open(info) as member:
            shape, dtype = _header(member)
            claimed = int(np.prod(shape, dtype=object)) * dtype.itemsize
            held = info.file_size - member.tell()
        if dtype.hasobject:
            return Problem(
                where,
                "numbers or fixed-width strings",
                "pickled Python objects, which are never loaded",
                "convert it with .astype(str) or .astype(float) before saving",
            )
        if len(shape) != ndim:
            return Problem(where, "one value per row", f"shape {shape}", "save it flattened")
        # Deflate cannot shrink anything more than 1032 times.
        if claimed > held or info.file_size > 1032 * info.compress_size + 1024:
            return Problem(
                where,
                f"at most the {held:,} bytes that the file holds",
                f"a claim of {claimed:,} bytes",
                "the file is damaged; save it again",
            )
        with archive.open(info) as member:
            values: NDArray[np.generic] = npy.read_array(member, allow_pickle=False)
        if dtype.kind == "U" and not _is_text(values):
            return Problem(where, "text", "numbers that are no characters", "save it again")
        return values

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
