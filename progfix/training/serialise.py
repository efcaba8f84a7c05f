"""Recipes as JSON values and back, strictly."""

from __future__ import annotations

from dataclasses import fields

from progfix.errors import InputError, Problem
from progfix.solutions import SOLUTIONS, conflicts, parse_letters
from progfix.training.recipe import Recipe, changes
from progfix.training.settings import SETTINGS
from progfix.values import FIX, from_values, to_values

__all__ = ["check_head", "check_letters", "recipe_from_dict", "recipe_to_dict"]


def recipe_to_dict(recipe: Recipe) -> dict[str, object]:
    """Return a recipe as nested dictionaries of JSON values."""
    return {field.name: to_values(getattr(recipe, field.name)) for field in fields(recipe)}


def recipe_from_dict(values: object, *, where: str) -> Recipe:
    """Read what `recipe_to_dict` returned; fields left out take their defaults.

    Args:
        values: Nested dictionaries.
        where: The file and the place in it; errors add the dotted field.

    Raises:
        InputError: With every field that is unknown or of the wrong type or value; or if
            letters or fields contradict each other.
    """
    recipe = from_values(Recipe, values, where=where)
    check_letters(recipe, f"{where}.solution")
    check_head(recipe, f"{where}.head")
    return recipe


def check_head(recipe: Recipe, where: str) -> None:
    """Check that a recipe's head can be built and that each of its fields does something.

    Args:
        recipe: The recipe.
        where: The file and the field with the head, for errors.

    Raises:
        InputError: If not (`HeadSpec.contradiction`).
    """
    found = recipe.head.contradiction
    if found is not None:
        raise InputError(Problem(where, "a head whose fields go together", found, FIX))


def check_letters(recipe: Recipe, where: str) -> None:
    """Check that a recipe is what its letters say.

    Args:
        recipe: The recipe.
        where: The file and the field with the letters, for errors.

    Raises:
        InputError: If they are not in order, contradict each other or the head, or one of
            them changed nothing in the recipe. A setting that a letter gives a value may have
            another one since.
    """
    letters = parse_letters(recipe.solution, where=where)
    settable = {setting.field for setting in SETTINGS.values()}
    amounts_to = [
        letter
        for letter, s in SOLUTIONS.items()
        if changes(recipe, s.change(recipe)).keys() <= settable
    ]
    against = conflicts("".join(amounts_to), recipe.head)
    idle = set(letters).difference(amounts_to)
    fix = FIX
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
