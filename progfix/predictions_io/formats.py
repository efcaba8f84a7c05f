"""File ending -> how to read and write it. Each format's library is imported when used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from progfix.errors import InputError, Problem
from progfix.predictions import Predictions
from progfix.predictions_io.table import Table

__all__ = ["FORMATS", "FileFormat", "TableWriter", "format_of"]


class TableWriter(Protocol):
    """Writes chunks to one file."""

    def write(self, chunk: Predictions) -> None:
        """Append the rows of a chunk."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...


@dataclass(frozen=True)
class FileFormat:
    """A way to store predictions.

    Attributes:
        module: Where its classes are.
        prefix: What their names start with: `PrefixTable` reads, `PrefixWriter` writes.
    """

    module: str
    prefix: str

    def table(self, path: Path) -> Table:
        """Open a file for reading."""
        return cast("Callable[[Path], Table]", self._load("Table"))(path)

    def writer(self, path: Path, columns: Sequence[str]) -> TableWriter:
        """Create a file."""
        make = cast("Callable[[Path, Sequence[str]], TableWriter]", self._load("Writer"))
        return make(path, columns)

    def _load(self, what: str) -> object:
        return getattr(import_module(f"progfix.predictions_io.{self.module}"), self.prefix + what)


_HDF5 = FileFormat("hdf5_file", "Hdf5")
FORMATS: Mapping[str, FileFormat] = {
    ".csv": FileFormat("csv_file", "Csv"),
    ".tsv": FileFormat("csv_file", "Tsv"),
    ".npz": FileFormat("npz_file", "Npz"),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".parquet": FileFormat("parquet_file", "Parquet"),
}
"""By file ending, lower case."""


def format_of(path: Path) -> FileFormat:
    """Return the format that a path's ending names.

    Raises:
        InputError: If it names none.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(
            Problem(
                str(path),
                f"a name that ends in {', '.join(FORMATS)}",
                f"ending {path.suffix!r}",
                "rename it, or convert it",
            )
        )
    return found
