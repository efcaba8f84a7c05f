"""Strings that a file stores once: integer codes beside a list of names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem
from progfix.predictions import Category
from progfix.predictions_io.columns import Values, parse

__all__ = ["NAMES_SUFFIX", "decoded"]

NAMES_SUFFIX = "_names"
"""The names of column `video`, if it holds codes, are in `video_names`."""


def decoded(
    column: str, values: NDArray[np.generic], names: NDArray[np.generic] | None, where: str
) -> Values:
    """Return a column with its names, if it has any.

    Args:
        column: Its name in the file.
        values: The column.
        names: What its codes stand for, or None.
        where: The file, for errors.

    Raises:
        InputError: If a code stands for nothing.
    """
    if names is None:
        return values
    codes, bad = parse("integer", values)
    table, _ = parse("string", names)
    if not isinstance(codes, np.ndarray) or not isinstance(table, Category):
        raise TypeError("codes are numbers and names are strings")
    outside = bad | (codes < 0) | (codes >= len(table))
    if outside.any():
        raise InputError(
            Problem(
                f"{where}, column {column!r}",
                f"codes from 0 to {len(table) - 1}, as many as {column + NAMES_SUFFIX!r} names",
                f"{values[outside][0]} in row {int(np.flatnonzero(outside)[0])}",
                "save it again",
            )
        )
    return Category(table.codes[codes], table.names)
