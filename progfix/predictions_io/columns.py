"""Which columns a predictions file has, what they may be called, and their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem, listed
from progfix.predictions import Category

__all__ = [
    "ALIASES",
    "COLUMNS",
    "FORMAT",
    "INTERVALS",
    "Column",
    "Kind",
    "Values",
    "missing_fix",
    "parse",
    "require_format",
    "resolve",
    "rivals",
]

FORMAT = "progfix-predictions/1"
"""Written into every file that has a place for it."""

Kind = Literal["string", "integer", "number"]
Column: TypeAlias = Category | NDArray[np.int64] | NDArray[np.float64]
Values: TypeAlias = Category | Sequence[str] | NDArray[np.generic]

MOST_COLUMNS = 10_000
"""Columns of a file that is worth a search for the right ones."""

INTERVALS = ("lower", "upper", "crps", "pit")
COLUMNS: Mapping[str, Kind] = {
    "video": "string",
    "task": "string",
    "action": "string",
    "segment": "integer",
    "elapsed": "integer",
    "duration": "integer",
    "target": "number",
    "prediction": "number",
    **dict.fromkeys(INTERVALS, "number"),
    "frame_index": "integer",
}
"""All columns; `frame_index` (0-based) stands in for `elapsed` in LeRobot's sidecars only."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "video": ("video_id", "video_name", "handle", "episode_index", "episode"),
    "prediction": ("pred", "progress_sparse", "progress_dense", "progress"),
    "target": ("gt", "ground_truth"),
    "segment": ("segment_id", "segment_index"),
    "action": ("action_id",),
}
"""Other names that are understood, the first present one being taken."""


def require_format(found: object, where: str) -> None:
    """Check the format that a file says it has.

    Args:
        found: What it says; None where it says nothing, which is accepted.
        where: The file, for errors.

    Raises:
        InputError: If it is another format, or a version that this progfix does not know.
    """
    text = found.decode(errors="replace") if isinstance(found, bytes) else str(found)
    if found is not None and text != FORMAT:
        data = text.startswith("progfix-data/")
        raise InputError(
            Problem(
                where,
                f"predictions ({FORMAT})",
                f"format {text}",
                "give a data set with --data" if data else "use a progfix that knows it",
            )
        )


def resolve(names: Sequence[str], where: str) -> dict[str, str]:
    """Return, for each column that the file has, its name in the file.

    Args:
        names: The file's column names.
        where: The file, for errors.

    A name in another spelling, such as "Video ID", stands in where the exact one is not there.

    Raises:
        InputError: If a column occurs twice, or the file lacks what progress needs.
    """
    if len(names) > MOST_COLUMNS:
        expected, found = f"at most {MOST_COLUMNS:,} columns", f"{len(names):,}"
        raise InputError(Problem(where, expected, found, "keep those of docs/predictions.md"))
    problems = [
        Problem(where, f"one column {name!r}", f"{count}", "rename or remove one")
        for name, count in sorted(Counter(names).items())
        if count > 1
    ]
    spelled: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        spelled.setdefault(_folded(name), []).append(name)
    chosen: dict[str, str] = {}
    for column in COLUMNS:
        understood = (column, *ALIASES.get(column, ()))
        present = [name for name in understood if name in names]
        present += [name for word in understood for name in spelled.get(word, ())]
        if present:
            chosen[column] = present[0]
            others = spelled[_folded(present[0])]
            if present[0] not in understood and len(others) > 1:
                found = listed(map(repr, others))
                problems.append(
                    Problem(where, f"one column {column!r}", found, "rename or remove the others")
                )
    if "target" in chosen or "elapsed" in chosen or "segment" in chosen:
        chosen.pop("frame_index", None)
    problems += [
        Problem(
            where,
            f"a column {column!r}",
            _found(names),
            f"rename the column that has it; also understood: {', '.join(ALIASES[column])}",
        )
        for column in ("video", "prediction")
        if column not in chosen
    ]
    known = {"target", "frame_index"} & set(chosen) or {"elapsed", "duration"} <= set(chosen)
    if not known:
        problems.append(
            Problem(
                where,
                "either a column 'target' or the columns 'elapsed' and 'duration'",
                _found(names),
                "add what says where in its action each frame lies",
            )
        )
    problems += _doubts(names, chosen, where)
    if problems:
        raise InputError(problems)
    return chosen


def _doubts(names: Sequence[str], chosen: Mapping[str, str], where: str) -> list[Problem]:
    problems = []
    predicted = [name for name in names if "pred" in _folded(name)]
    if _folded(chosen.get("prediction", "")) == "progress" and predicted:
        # What is called progress is the truth as often as the prediction of it.
        found = listed(map(repr, [chosen["prediction"], *predicted]))
        fix = "call the one to judge 'prediction'"
        problems.append(Problem(where, "one column that can be the prediction", found, fix))
    if ("lower" in chosen) != ("upper" in chosen):
        both = "both 'lower' and 'upper'"
        problems.append(Problem(where, both, "one of them", "add the other end"))
    return problems


def parse(kind: Kind, values: Values) -> tuple[Column, NDArray[np.bool_]]:
    """Bring a column to its type.

    Args:
        kind: What it should be.
        values: Text of a CSV, or an array as the file holds it, `(n,)`.

    Returns:
        The column, and which rows could not be read: numbers are NaN there, integers 0.
    """
    if kind == "string":
        column = values if isinstance(values, Category) else Category.of(_texts(values))
        # HDF5 cannot hold NUL, and no name has it.
        bad = np.array(["\0" in name for name in column.names], dtype=np.bool_)
        return column, bad[column.codes]
    if isinstance(values, Category):
        values = values.decode()
    if kind == "integer":
        with suppress(ValueError, OverflowError):
            if not isinstance(values, np.ndarray):
                return np.array(list(map(int, values)), np.int64), np.zeros(len(values), np.bool_)
            if values.dtype.kind in "ib":
                return values.astype(np.int64), np.zeros(len(values), np.bool_)
    numbers, bad = _numbers(values)
    if kind == "number":
        return numbers, bad
    # Whole numbers beyond 2**53 are not exact as floats, and no frame count is that large.
    bad |= ~(np.abs(numbers) < 2.0**53)
    bad[~bad] = numbers[~bad] % 1 != 0
    return np.where(bad, 0, numbers).astype(np.int64), bad


def _numbers(
    values: Sequence[str] | NDArray[np.generic],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        return values.astype(np.float64), np.zeros(len(values), np.bool_)
    texts = _texts(values)
    try:
        return np.array(list(map(float, texts)), np.float64), np.zeros(len(texts), np.bool_)
    except ValueError:
        numbers = np.array([_number(text) for text in texts], dtype=object)
        bad = np.array([number is None for number in numbers], dtype=np.bool_)
        return np.where(bad, np.nan, numbers).astype(np.float64), bad


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _texts(values: Sequence[str] | NDArray[np.generic]) -> Sequence[str]:
    if not isinstance(values, np.ndarray):
        return values
    return [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]


def rivals(names: Sequence[str], chosen: str) -> list[str]:
    """Return the columns that could be meant as the prediction as well as the chosen one.

    There are none beside one that is called "prediction".
    """
    if _folded(chosen) == "prediction":
        return []
    return [name for name in names if name != chosen and _folded(name) in ALIASES["prediction"]]


def missing_fix(column: str, names: Mapping[str, str], others: Sequence[str]) -> str:
    """Return what to do about a value that is not there.

    Args:
        column: Its column, by the names of `COLUMNS`.
        names: For each column that the file has, its name in the file.
        others: Columns that could be judged instead (`rivals`).
    """
    fix = "fill it, or leave the row out"
    if "frame_index" in names and "duration" not in names:
        fix += " and add a column 'duration', the frames of the whole episode"
    if column == "prediction" and others:
        fix += f"; to judge {others[0]!r} instead, call it 'prediction'"
    return fix


def _folded(name: str) -> str:
    """Return "video_id" for "Video ID", as a spreadsheet has it."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _found(names: Sequence[str]) -> str:
    return f"the columns {listed(map(repr, names))}" if names else "no columns"
