"""Recipes as JSON values and back, strictly.

Frozen dataclasses of text, numbers, booleans, `Literal`, optional values, tuples of these
and further such dataclasses; nothing else is needed of a recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from progfix.errors import InputError, Problem, listed
from progfix.ranges import Range
from progfix.solutions import SOLUTIONS, conflicts, parse_letters
from progfix.training.recipe import Recipe

__all__ = ["from_values", "recipe_from_dict", "recipe_to_dict", "to_values"]

T = TypeVar("T")
_OTHERS = {bool: "true or false", str: "text"}
_FIX = "correct the value, or leave the field out for its default"


def recipe_to_dict(recipe: Recipe) -> dict[str, object]:
    """Return a recipe as nested dictionaries of JSON values."""
    return {field.name: to_values(getattr(recipe, field.name)) for field in fields(recipe)}


def recipe_from_dict(values: object, *, where: str) -> Recipe:
    """Read what `recipe_to_dict` returned; fields left out take their defaults.

    Args:
        values: Nested dictionaries.
        where: The file and the place in it; errors add the dotted field.

    Raises:
        InputError: With every field that is unknown or of the wrong type or value.
    """
    recipe = from_values(Recipe, values, where=where)
    _check_letters(recipe, f"{where}.solution")
    return recipe


def _check_letters(recipe: Recipe, where: str) -> None:
    letters = parse_letters(recipe.solution, where=where)
    amounts_to = [letter for letter, s in SOLUTIONS.items() if s.change(recipe) == recipe]
    against = conflicts("".join(amounts_to), recipe.head)
    idle = set(letters).difference(amounts_to)
    fix = _FIX
    if letters != recipe.solution:
        expected, found = repr(letters), repr(recipe.solution)
    elif against:
        expected, found = "letters that go together", "; ".join(against)
    elif idle:
        expected = f"letters that the other fields bear out, without {''.join(sorted(idle))}"
        found = repr(recipe.solution)
        fix = "name another solution with --config and --solution instead of in the file"
    else:
        return
    raise InputError(Problem(where, expected, found, fix))


def to_values(value: object) -> object:
    """Return a dataclass, or what stands in one, as JSON values; tuples become lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_values(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_values(item) for item in value]
    return value


def from_values(kind: type[T], values: object, *, where: str) -> T:
    """Read what `to_values` returned for a dataclass.

    Args:
        kind: The dataclass.
        values: Nested dictionaries.
        where: The file and the place in it; errors add the dotted field.

    Raises:
        InputError: With every field that is unknown or of the wrong type or value.
    """
    problems: list[Problem] = []
    result = _read(kind, values, where, problems)
    if problems:
        raise InputError(problems)
    return result  # type: ignore[no-any-return]  # `_read` returned a `kind`


def _read(kind: Any, value: Any, where: str, problems: list[Problem]) -> Any:
    """Return `value` as `kind`, or None after adding to `problems`."""
    if is_dataclass(kind):
        return _read_fields(kind, value, where, problems)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        (kind,) = (argument for argument in arguments if argument is not NoneType)
        return _read(kind, value, where, problems)
    if origin is Annotated:
        return _read_number(arguments[0], arguments[1], value, where, problems)
    if kind in (int, float):
        return _read_number(kind, Range(), value, where, problems)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(
            _read(arguments[0], item, f"{where}[{index}]", problems)
            for index, item in enumerate(value)
        )
    if origin is Literal and isinstance(value, str) and value in arguments:
        return value
    if type(value) is kind:
        return value
    if origin is Literal:
        expected = f"one of {', '.join(arguments)}"
    else:
        expected = "a list" if origin is tuple else _OTHERS[kind]
    problems.append(Problem(where, expected, _short(value), _FIX))
    return None


def _read_number(kind: Any, limits: Range, value: Any, where: str, problems: list[Problem]) -> Any:
    # A file may give a number without a fraction as 1; true and false are no numbers.
    if type(value) in {int, kind} and value in limits:
        return kind(value)
    problems.append(Problem(where, limits.of(kind), _short(value), _FIX))
    return None


def _read_fields(kind: Any, value: object, where: str, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(Problem(where, "names and values", _short(value), _FIX))
        return None
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name for field in fields(kind)}
    problems += [
        Problem(f"{where}.{name}", f"one of {', '.join(sorted(known))}", repr(name), "remove it")
        for name in value
        if name not in known
    ]
    read = {
        name: _read(hints[name], item, f"{where}.{name}", problems)
        for name, item in value.items()
        if name in known
    }
    return None if problems else kind(**read)


def _short(value: object) -> str:
    return listed([repr(value)])
