"""Ranges of numbers, declared with the field."""

from __future__ import annotations

import math
from typing import Annotated, get_args, get_type_hints

import pytest

from progfix.ranges import Range, range_of
from progfix.training.recipe import SEED_RECIPE, Recipe
from progfix.values import to_values


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        (Range(), (-1e308, 0, 1e308), (math.inf, -math.inf, math.nan, 10**400)),
        (Range(1), (1, 2, 1e300), (0, 0.999, -4, math.inf, math.nan)),
        (Range(0, above=True), (5e-324, 1), (0, -0.0, -1, math.nan)),
        (Range(0, 2), (0, 2), (2.0001, -1e-9)),
        (Range(0, math.inf), (0, math.inf), (-1, math.nan)),
    ],
)
def test_what_is_inside(
    limits: Range, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(value in limits for value in inside)
    assert not any(value in limits for value in outside)


@pytest.mark.parametrize(
    ("limits", "kind", "text"),
    [
        (Range(1), int, "an integer of at least 1"),
        (Range(), int, "an integer"),
        (Range(), float, "a finite number"),
        (Range(0), float, "a finite number of at least 0"),
        (Range(0, above=True), float, "a finite number above 0"),
        (Range(0, math.inf), float, "a number of at least 0"),
        (Range(0, 0.95), float, "a number from 0 to 0.95"),
    ],
)
def test_the_words(limits: Range, kind: type, text: str) -> None:
    assert limits.of(kind) == text


def test_of_a_field_by_its_dotted_name() -> None:
    assert range_of(Recipe, "optimisation.epochs") == Range(1)
    assert range_of(Recipe, "head.dropout") == Range(0, 0.95)
    assert range_of(Recipe, "head.normalise") is None
    assert range_of(Recipe, "solution") is None


def test_every_number_of_a_recipe_says_its_range_and_has_its_default_in_it() -> None:
    for part, hint in get_type_hints(Recipe).items():
        values = to_values(getattr(SEED_RECIPE, part))
        if not isinstance(values, dict):
            continue
        hints = get_type_hints(hint, include_extras=True)
        for name, value in values.items():
            if type(value) in (int, float):
                limits = range_of(Recipe, f"{part}.{name}")
                assert limits is not None, name
                assert value in limits
                assert get_args(hints[name])[0] is type(value)


def test_a_field_may_leave_it_open() -> None:
    assert range_of(_Open, "size") is None
    assert range_of(_Open, "share") == Range(0, 1)


class _Open:
    size: int
    share: Annotated[float, "documented", Range(0, 1)]
