"""Settings that are right in themselves and would do nothing in the run at hand."""

from __future__ import annotations

from progfix.errors import InputError, Problem
from progfix.training.recipe import Recipe
from progfix.training.settings import SETTINGS, Settings

__all__ = ["refuse_idle"]

_HEADS_OWN = ("head-lr", "head-clip")
_OF_THE_REST = ("lr", "clip")


def refuse_idle(recipe: Recipe, said: Settings) -> None:
    """Refuse the step sizes and clips that move nothing.

    With `own_gradients` the head has its own; what is left for the others is an encoder in
    training, if there is one. Without, the others move everything.

    Args:
        recipe: With the settings in place.
        said: The settings that a user gave, by dotted name; None is "not said".

    Raises:
        InputError: With each such setting.
    """
    if not recipe.optimisation.own_gradients:
        idle, instead = _HEADS_OWN, _OF_THE_REST
        expected, found = "a solution with g, which gives the head its own", "one without g"
    elif not recipe.method.trains_encoder:
        idle, instead = _OF_THE_REST, _HEADS_OWN
        expected = "a solution without g, or an encoder in training"
        found = f"g and --method {recipe.method.name}: only the head moves, by its own"
    else:
        return
    problems = [
        Problem(f"--{name}", expected, found, f"pass --{other} instead")
        for name, other in zip(idle, instead, strict=True)
        if said.get(SETTINGS[name].field) is not None
    ]
    if problems:
        raise InputError(problems)
