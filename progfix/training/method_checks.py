"""Which settings of the alignment go together, and which would do nothing."""

from __future__ import annotations

from progfix.errors import InputError, Problem
from progfix.training.recipe import Recipe
from progfix.training.settings import SETTINGS, Settings

__all__ = ["check_method"]

_OF_ENCODER = (
    "encoder",
    "mcn",
    "causal",
    "initial-weights",
    "losses",
    "alignment-frames",
    "embedding-size",
)


def check_method(recipe: Recipe, said: Settings, *, init: bool) -> None:
    """Check what a recipe says of the alignment, and what a user said.

    Args:
        recipe: With the settings in place.
        said: The settings that a user gave, by dotted name; None is "not said".
        init: Whether the run keeps the encoder of a checkpoint.

    Raises:
        InputError: With everything that contradicts itself or would do nothing.
    """
    problems = _training(recipe, said, init=init) if recipe.method.trains_encoder else _idle(said)
    if said.get("method.features") is not None and not (init or recipe.method.trains_encoder):
        problems.append(
            Problem(
                "--features",
                "an encoder, whose embedding the head could read",
                "--method none and no --init",
                "leave it out: the head reads the features",
            )
        )
    if problems:
        raise InputError(problems)


def _idle(said: Settings) -> list[Problem]:
    """Return what is said of an encoder that is not trained."""
    idle = [name for name in _OF_ENCODER if said.get(SETTINGS[name].field) is not None]
    if said.get("optimisation.precision") == "bf16":
        idle.append("precision bf16")
    return [
        Problem(
            f"--{name}",
            "a method that trains an encoder",
            "--method none",
            "choose one with --method, or leave this out",
        )
        for name in idle
    ]


def _training(recipe: Recipe, said: Settings, *, init: bool) -> list[Problem]:
    method, problems = recipe.method, []
    if init:
        problems.append(
            Problem(
                "--method",
                "none with --init, which keeps an encoder as it is",
                method.name,
                "leave one of the two out",
            )
        )
    if recipe.optimisation.batch_videos < 2:
        problems.append(
            Problem(
                "--batch-videos",
                "at least 2 with a method, which compares videos",
                str(recipe.optimisation.batch_videos),
                "raise it",
            )
        )
    ahead = method.mcn or method.encoder == "stacking"
    if said.get("method.causal") is not None and not ahead:
        problems.append(
            Problem(
                "--causal",
                "an encoder that can look ahead, stacking or one with --mcn",
                method.encoder,
                "leave it out",
            )
        )
    return problems
