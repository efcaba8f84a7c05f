"""Any frozen dataclass as JSON values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from progfix.errors import InputError
from progfix.values import from_values, to_values


@dataclass(frozen=True)
class Inner:
    name: str = "x"


@dataclass(frozen=True)
class Outer:
    parts: tuple[Inner, ...] = ()
    choice: Literal["a", "b"] | None = None
    size: int | None = 3
    folder: Path | None = None
    inner: Inner | None = None


@pytest.mark.parametrize(
    "value",
    [
        Outer(),
        Outer(
            parts=(Inner("y"), Inner()), choice="b", size=None, inner=Inner("z"), folder=Path("a/b")
        ),
    ],
)
def test_any_frozen_dataclass(value: Outer) -> None:
    assert from_values(Outer, json.loads(json.dumps(to_values(value))), where="x") == value


def test_defects_deep_inside() -> None:
    with pytest.raises(InputError) as caught:
        from_values(Outer, {"parts": [{"name": 1}], "inner": {"nam": 2}}, where="x")
    assert [p.where for p in caught.value.problems] == ["x.parts[0].name", "x.inner.nam"]


def test_defects_of_paths_and_optional_values() -> None:
    with pytest.raises(InputError) as caught:
        from_values(Outer, {"choice": "c", "size": "3", "folder": 5}, where="x")
    assert [(p.where, p.expected) for p in caught.value.problems] == [
        ("x.choice", "one of a, b"),
        ("x.size", "an integer"),
        ("x.folder", "a path"),
    ]


def test_a_long_value_is_cut() -> None:
    with pytest.raises(InputError) as caught:
        from_values(Outer, {"size": "9" * 5000}, where="x")
    assert len(str(caught.value)) < 250
