"""Options of `progfix train` that set one number of the recipe each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from progfix.cli.bundle import with_options

__all__ = ["Settings", "with_settings"]

R = TypeVar("R")

Settings = Mapping[str, float | int | bool | None]
"""Values by dotted name of the recipe's field, such as "optimisation.lr"; None: not said."""

_OPTIMISATION = "Optimisation"
_GENERALISATION = "Generalisation"


def _number(kind: type, text: str, panel: str, low: float, high: float | None = None) -> object:
    bound = int if kind is int else float
    option = typer.Option(
        min=bound(low),
        max=None if high is None else bound(high),
        help=text,
        show_default=False,
        rich_help_panel=panel,
    )
    return Annotated[kind | None, option]


_FIELDS: Mapping[str, tuple[str, Any]] = {
    "epochs": (
        "optimisation.epochs",
        _number(int, "Passes over the training videos (50).", _OPTIMISATION, 1),
    ),
    "batch_videos": (
        "optimisation.batch_videos",
        _number(int, "Videos per step, all of one task (2).", _OPTIMISATION, 1),
    ),
    "lr": ("optimisation.lr", _number(float, "Step size (1e-4).", _OPTIMISATION, 0)),
    "head_lr": (
        "optimisation.head_lr",
        _number(float, "The head's step size with g (1e-3).", _OPTIMISATION, 0),
    ),
    "clip": ("optimisation.clip", _number(float, "Gradient norm (1e-5).", _OPTIMISATION, 0)),
    "head_clip": (
        "optimisation.head_clip",
        _number(float, "The head's gradient norm with g (1).", _OPTIMISATION, 0),
    ),
    "weight_decay": (
        "optimisation.weight_decay",
        _number(float, "Decoupled weight decay (0).", _OPTIMISATION, 0),
    ),
    "progress_lambda": (
        "objective.progress_lambda",
        _number(float, "Factor of the progress loss (1e6).", _OPTIMISATION, 0),
    ),
    "time_warp": (
        "augmentation.time_warp",
        _number(
            float, "Play segments up to exp(this) faster or slower (0).", _GENERALISATION, 0, 2
        ),
    ),
    "feature_noise": (
        "augmentation.feature_noise",
        _number(float, "Noise in standard deviations of a feature (0).", _GENERALISATION, 0),
    ),
    "dropout": (
        "head.dropout",
        _number(
            float, "Share of values dropped before and in the head (0).", _GENERALISATION, 0, 0.95
        ),
    ),
    "average": (
        "optimisation.average",
        _number(
            float,
            "Decay of the moving average of the weights (0: off).",
            _GENERALISATION,
            0,
            0.9999,
        ),
    ),
    "normalise": (
        "head.normalise",
        Annotated[
            bool | None,
            typer.Option(
                "--normalise/--no-normalise",
                help="Shift and scale each feature as on the training frames (off).",
                show_default=False,
                rich_help_panel=_GENERALISATION,
            ),
        ],
    ),
}


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command these options; it gets them bundled as `settings: Settings`."""
    options = {name: (kind, None) for name, (_, kind) in _FIELDS.items()}
    return with_options(command, "settings", options, _settings)


def _settings(given: dict[str, Any]) -> Settings:
    return {_FIELDS[name][0]: value for name, value in given.items()}
