"""Cells: what one column of a sweep is, and its name.

fghs                                   letters, or baseline, or recommended
fghs+feature-noise=1+time-warp=0.4     with settings of `progfix train`
fghs+head=pooled+normalise=on          with another head and a switch
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from progfix.errors import InputError, Problem
from progfix.heads.spec import HeadKind
from progfix.solutions import parse_letters
from progfix.training.settings import SETTINGS, Settings, Value, read_setting

__all__ = ["Cell", "parse_cells"]

_HEAD = "head"
_EXAMPLE = "write it like fghs+feature-noise=1+head=gru"


@dataclass(frozen=True)
class Cell:
    """A recipe to be trained with several seeds.

    Attributes:
        name: As a user writes it, such as "fghs+feature-noise=1"; also names its runs.
        solution: Letters or a name that `progfix.solutions.parse_letters` knows.
        head: Kind of head, or None for the default.
        settings: Values by dotted name of the recipe's field; the cell's and the sweep's.
    """

    name: str
    solution: str
    head: HeadKind | None
    settings: Settings


def parse_cells(
    solutions: Sequence[str],
    *,
    heads: Sequence[str] = (),
    vary: Sequence[str] = (),
    common: Settings | None = None,
) -> tuple[Cell, ...]:
    """Read the cells of a sweep: every solution, with every head and varied setting.

    Args:
        solutions: Cells as in the module's description.
        heads: Kinds of head to cross them with.
        vary: Settings to cross them with, such as "feature-noise=0,1".
        common: Settings of all cells, by dotted name; None is "not said".

    Raises:
        InputError: With everything that cannot be read, is said twice or says two things.
    """
    problems: list[Problem] = []
    crossed: list[list[tuple[str, str]]] = []
    if heads:
        crossed.append([(_HEAD, kind) for kind in heads])
    for text in vary:
        name, _, values = text.partition("=")
        crossed.append([(name.strip(), value.strip()) for value in values.split(",")])
    shared = {field for field, value in (common or {}).items() if value is not None}
    cells = []
    for text in solutions:
        for extra in product(*crossed):
            cell = _cell(text, extra, common or {}, shared, problems)
            if cell is not None:
                cells.append(cell)
    if not solutions:
        problems.append(Problem("--solutions", "at least one solution", "none", _EXAMPLE))
    for name, times in Counter(cell.name for cell in cells).items():
        if times > 1:
            problems.append(
                Problem("--solutions", "each cell once", f"{name} {times} times", "leave one out")
            )
    if problems:
        raise InputError(dict.fromkeys(problems))
    return tuple(cells)


def _cell(
    text: str,
    extra: Sequence[tuple[str, str]],
    common: Settings,
    shared: set[str],
    problems: list[Problem],
) -> Cell | None:
    """Return a cell, or None after adding to `problems`."""
    where = f"cell {text.strip()}"
    solution, *parts = (part.strip().lower() for part in text.split("+"))
    pairs = [(name.strip(), value.strip()) for name, _, value in (p.partition("=") for p in parts)]
    pairs += extra
    found: list[Problem] = []
    try:
        solution = _solution(solution, where)
    except InputError as error:
        found += error.problems
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            found.append(Problem(where, f"one value of {name}", f"{times}", "leave one out"))
        elif name in SETTINGS and SETTINGS[name].field in shared:
            fix = f"leave --{name} out, and give each cell its own"
            found.append(Problem(where, f"one value of {name}", f"another in --{name}", fix))
    values: dict[str, Value] = {}
    for name, value in pairs:
        try:
            values[name] = _value(name, value, where)
        except InputError as error:
            found += error.problems
    if found:
        problems += found
        return None
    settings = {SETTINGS[n].field: v for n, v in values.items() if n != _HEAD}
    kind = values.get(_HEAD)
    head = next((known for known in get_args(HeadKind) if known == kind), None)
    name = "+".join([solution, *(f"{name}={_text(value)}" for name, value in values.items())])
    return Cell(name, solution, head, {**common, **settings})


def _solution(text: str, where: str) -> str:
    """Return letters in order, and names as they are."""
    letters = parse_letters(text, where=where)
    if not letters:
        return "baseline"
    return letters if set(text) == set(letters) else text


def _value(name: str, text: str, where: str) -> Value:
    kinds = get_args(HeadKind)
    if name == _HEAD:
        if text in kinds:
            return text
        raise InputError(Problem(where, f"a head out of {', '.join(kinds)}", repr(text), _EXAMPLE))
    if name not in SETTINGS:
        expected = f"settings out of {', '.join((_HEAD, *SETTINGS))}"
        raise InputError(Problem(where, expected, repr(name), _EXAMPLE))
    return read_setting(name, text, where=where)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
