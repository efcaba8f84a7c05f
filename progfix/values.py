"""Frozen dataclasses as JSON values and back, strictly.

Their fields are text, paths, numbers with a `Range`, booleans, `Literal`, optional values,
tuples of these, and further such dataclasses; nothing else is needed of a recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from progfix.errors import InputError, Problem, listed
from progfix.ranges import Range

__all__ = ["FIX", "from_values", "to_values"]

T = TypeVar("T")
_OTHERS = {bool: "true or false", str: "text", Path: "a path"}
FIX = "correct the value, or leave the field out for its default"


def to_values(value: object) -> object:
    """Return a dataclass, or what stands in one, as JSON values; tuples become lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_values(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_values(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_values(kind: type[T], values: object, *, where: str) -> T:
    """Read what `to_values` returned for a dataclass.

    Args:
        kind: The dataclass.
        values: Nested dictionaries.
        where: The file and the place in it, or the file and a colon; errors add the dotted
            field.

    Raises:
        InputError: With every field that is missing, unknown or of the wrong type or value.
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
    number, limits = arguments if origin is Annotated else (kind, Range())
    if number in (int, float):
        return _read_number(number, limits, value, where, problems)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(
            _read(arguments[0], item, f"{where}[{index}]", problems)
            for index, item in enumerate(value)
        )
    if origin is Literal and isinstance(value, str) and value in arguments:
        return value
    if type(value) is kind:
        return value
    if kind is Path and isinstance(value, str):
        return Path(value)
    if origin is Literal:
        expected = f"one of {', '.join(arguments)}"
    else:
        expected = "a list" if origin is tuple else _OTHERS[kind]
    problems.append(Problem(where, expected, _short(value), FIX))
    return None


def _read_number(kind: Any, limits: Range, value: Any, where: str, problems: list[Problem]) -> Any:
    # A file may give a number without a fraction as 1; true and false are no numbers.
    if type(value) in {int, kind} and value in limits:
        return kind(value)
    problems.append(Problem(where, limits.of(kind), _short(value), FIX))
    return None


def _read_fields(kind: Any, value: object, where: str, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(Problem(where, "names and values", _short(value), FIX))
        return None
    hints = get_type_hints(kind, include_extras=True)
    prefix = f"{where} " if where.endswith(":") else f"{where}."
    known = {field.name: field for field in fields(kind)}
    problems += [
        Problem(f"{prefix}{name}", f"one of {', '.join(sorted(known))}", _short(name), "remove it")
        for name in value
        if name not in known
    ]
    problems += [
        Problem(f"{prefix}{name}", "a value", "none", "add it, or restore the file")
        for name, field in known.items()
        if name not in value and field.default is field.default_factory is MISSING
    ]
    read = {
        name: _read(hints[name], item, f"{prefix}{name}", problems)
        for name, item in value.items()
        if name in known
    }
    return None if problems else kind(**read)


def _short(value: object) -> str:
    return listed([repr(value)])
