"""Predictions as separated text with a header line, UTF-8; commas are written, tabs in .tsv."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from progfix.errors import InputError, Problem
from progfix.predictions import Category, Predictions
from progfix.predictions_io.columns import Values
from progfix.predictions_io.defects import Defects, RowNames
from progfix.predictions_io.table import Block

__all__ = ["CsvTable", "CsvWriter", "TsvTable", "TsvWriter"]


_SEPARATORS = ",;\t"
"""Read where a header has none of its own: spreadsheets of other countries, exported tables."""

_RECORDS = 2048
# Records read at once: few enough for their strings to stay in the processor's cache until
# they are numbers, which makes reading more than twice as fast as with ten thousands.


class CsvTable:
    """A CSV file, read in blocks of lines.

    Args:
        path: The file.

    Raises:
        InputError: If it has no header, or is no text.
    """

    row_names = RowNames("line", 2)
    separator = ","

    def __init__(self, path: Path) -> None:
        self._path = path
        header = self._header(self.separator)
        # What has none of its own at all is separated by something else.
        others = [mark for mark in _SEPARATORS if mark in header[0]] if len(header) == 1 else []
        self._separator = others[0] if len(others) == 1 else self.separator
        if others:
            header = self._header(self._separator)
        self.names: Sequence[str] = [name.strip() for name in header]

    def _header(self, separator: str) -> list[str]:
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            header = _records(csv.reader(file, delimiter=separator), 1, self._path)
        if not header or not header[0]:
            raise InputError(
                Problem(
                    str(self._path),
                    "a header line with column names",
                    "an empty line",
                    "begin with a line such as video,target,prediction",
                )
            )
        return header[0]

    def blocks(self, wanted: Sequence[str], defects: Defects) -> Iterator[Block]:
        """Yield the wanted columns as text; lines of another width become defects.

        Raises:
            InputError: If the file turns out to be no text.
        """
        width = len(self.names)
        places = {name: self.names.index(name) for name in wanted}
        first = 0
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self._separator)
            next(reader)
            while records := _records(reader, _RECORDS, self._path):
                numbers: Sequence[int] = range(first, first + len(records))
                first += len(records)
                if set(map(len, records)) != {width}:
                    numbers, records = self._even(numbers, records, defects)
                if records:
                    columns = list(zip(*records, strict=True))
                    values: dict[str, Values] = {n: columns[i] for n, i in places.items()}
                    yield Block(np.array(numbers), values)

    def _even(
        self, numbers: Sequence[int], records: list[list[str]], defects: Defects
    ) -> tuple[list[int], list[list[str]]]:
        """Return the records that have the header's width; blank lines are no records."""
        width = len(self.names)
        for number, record in zip(numbers, records, strict=True):
            if record and len(record) != width:
                defects.add(
                    f"{width} fields, as in the header",
                    np.array([number]),
                    f"{len(record)} fields",
                    "quote text that holds commas, and complete cut lines",
                )
        kept = [pair for pair in zip(numbers, records, strict=True) if len(pair[1]) == width]
        return [number for number, _ in kept], [record for _, record in kept]


class TsvTable(CsvTable):
    """The same with tabs, as the ending .tsv says."""

    separator = "\t"


class CsvWriter:
    """Writes chunks as lines; floats as the shortest text that reads back to the same bits.

    Args:
        path: The file to create.
        columns: The columns to write, in order.
    """

    separator = ","

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        self._columns = columns
        self._writer.writerow(columns)

    def write(self, chunk: Predictions) -> None:
        """Append the rows of a chunk."""
        columns = [getattr(chunk, name) for name in self._columns]
        self._writer.writerows(
            zip(
                *(c.decode() if isinstance(c, Category) else c.tolist() for c in columns),
                strict=True,
            )
        )

    def close(self) -> None:
        """Complete the file."""
        self._file.close()


class TsvWriter(CsvWriter):
    """The same with tabs."""

    separator = "\t"


def _records(reader: Iterator[list[str]], count: int, path: Path) -> list[list[str]]:
    try:
        return list(islice(reader, count))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            Problem(str(path), "separated UTF-8 text", str(error), "save it as UTF-8 CSV")
        ) from error
