"""Cells: what one column of a sweep is, and its name.

fghs                                   letters, or baseline, or recommended
fghs+feature-noise=1+time-warp=0.4     with settings of `progfix train`
fghs+head=pooled+normalise=on          with another head and a switch
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

from progfix.errors import InputError, Problem
from progfix.heads.spec import HeadKind
from progfix.solutions import apply, parse_letters
from progfix.training.recipe import SEED_RECIPE
from progfix.training.settings import SETTINGS, Settings, Value, read_setting

__all__ = ["BASELINE", "SOLUTIONS", "Cell", "parse_cells"]

BASELINE = "baseline"
"""Name of the cell without a letter, which the others are said to be better or worse than."""

SOLUTIONS = ("baseline", "ab", "recommended")
"""What is compared unless somebody says otherwise: the failing recipe, the repair that its
users proposed, and ours."""

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
        InputError: With everything that cannot be read, is said twice, or does not go
            together.
    """
    problems: list[Problem] = []
    shared = {field: value for field, value in (common or {}).items() if value is not None}
    axes = [_axis(_HEAD, heads, "--heads", problems)] if heads else []
    for text in vary:
        name, _, values = text.partition("=")
        axes.append(_axis(name.strip(), values.split(","), f"--vary {text}", problems))
        problems += _said_before(name.strip(), shared, f"--vary {text}")
    cells = [
        cell
        for text in solutions
        for extra in product(*axes)
        if (cell := _cell(text, extra, shared, problems)) is not None
    ]
    if not solutions:
        problems.append(Problem("--solutions", "at least one solution", "none", _EXAMPLE))
    problems += [
        Problem("--solutions", "each cell once", f"{name} {times} times", "leave one out")
        for name, times in Counter(cell.name for cell in cells).items()
        if times > 1
    ]
    if problems:
        raise InputError(tuple(dict.fromkeys(problems)))
    return tuple(cells)


Pair = tuple[str, Value]
"""A setting's name, or "head", and its value."""


def _axis(name: str, values: Sequence[str], where: str, problems: list[Problem]) -> list[Pair]:
    """Return what cells are crossed with; what cannot be read is added to `problems`."""
    pairs: list[Pair] = []
    for text in values:
        try:
            pairs.append((name, _value(name, text.strip(), where)))
        except InputError as error:
            problems += error.problems
    return pairs


def _said_before(name: str, shared: Settings, where: str) -> list[Problem]:
    if name not in SETTINGS or SETTINGS[name].field not in shared:
        return []
    fix = f"leave --{name} out, and give each cell its own"
    return [Problem(where, f"one value of {name}", f"another in --{name}", fix)]


def _cell(
    text: str, extra: Sequence[Pair], shared: Settings, problems: list[Problem]
) -> Cell | None:
    """Return a cell, or None after adding to `problems`."""
    where = f"--solutions {text.strip()}"
    solution, *parts = (part.strip().lower() for part in text.split("+"))
    pairs: list[Pair] = []
    found: list[Problem] = []
    for part in parts:
        name, _, value = (piece.strip() for piece in part.partition("="))
        pairs += _axis(name, [value], where, found)
        found += _said_before(name, shared, where)
    pairs += extra
    found += [
        Problem(where, f"one value of {name}", f"{times}", "leave one out")
        for name, times in Counter(name for name, _ in pairs).items()
        if times > 1
    ]
    values = dict(pairs)
    kind = values.pop(_HEAD, None)
    head = next((known for known in get_args(HeadKind) if known == kind), None)
    try:
        letters = parse_letters(solution, where=where)
        start = SEED_RECIPE.head if head is None else replace(SEED_RECIPE.head, kind=head)
        apply(letters, replace(SEED_RECIPE, head=start), where=where)
        if not letters or set(solution) == set(letters):
            solution = letters or BASELINE
    except InputError as error:
        found += error.problems
    if found:
        problems += found
        return None
    name = "+".join([solution, *(f"{name}={_text(value)}" for name, value in pairs)])
    settings = {SETTINGS[name].field: value for name, value in values.items()}
    return Cell(name, solution, head, {**shared, **settings})


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
