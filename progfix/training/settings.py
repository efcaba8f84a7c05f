"""The values of a recipe that a user may set, each by one name everywhere.

`progfix train` makes an option of each, `progfix sweep` the parts of a cell's name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args, get_type_hints

from progfix.errors import InputError, Problem
from progfix.ranges import Range, range_of
from progfix.training.recipe import SEED_RECIPE, Recipe

__all__ = ["SETTINGS", "Setting", "Settings", "Value", "read_setting"]

Value = float | int | bool | str

Settings = Mapping[str, Value | None]
"""Values by dotted name of the recipe's field, such as "optimisation.lr"; None: not said."""


@dataclass(frozen=True)
class Setting:
    """One number, a switch, or one of several words.

    Attributes:
        field: Dotted name of the recipe's field.
        kind: Of its values; `bool` is a switch, `str` one of `choices`.
        text: What it does.
        group: "Alignment", "Optimisation" or "Generalisation".
    """

    field: str
    kind: type[Value]
    text: str
    group: str

    @property
    def limits(self) -> Range:
        """Which values it may have, as the recipe's field declares."""
        return range_of(Recipe, self.field) or Range()

    @property
    def default(self) -> Value:
        """The value in the recipe that fails."""
        section, _, entry = self.field.partition(".")
        value: Value = getattr(getattr(SEED_RECIPE, section), entry)
        return value

    @property
    def choices(self) -> tuple[str, ...]:
        """The words it may be; none for numbers and switches."""
        section, _, entry = self.field.partition(".")
        words = get_args(get_type_hints(get_type_hints(Recipe)[section])[entry])
        return words if self.kind is str else ()


_ALIGNMENT = "Alignment"
_OPTIMISATION = "Optimisation"
_GENERALISATION = "Generalisation"

SETTINGS: Mapping[str, Setting] = {
    "method": Setting(
        "method.name",
        str,
        "Train an encoder beside the head with this alignment method, or none: the head alone.",
        _ALIGNMENT,
    ),
    "encoder": Setting(
        "method.encoder",
        str,
        "stacking or naive for feature vectors, resnet for feature maps.",
        _ALIGNMENT,
    ),
    "mcn": Setting(
        "method.mcn",
        bool,
        "The multi-task network: a head of the encoder for each task, attention over them.",
        _ALIGNMENT,
    ),
    "causal": Setting(
        "method.causal",
        bool,
        "Embeddings see no later frame; the GTCC code base's do.",
        _ALIGNMENT,
    ),
    "initial-weights": Setting(
        "method.initial",
        str,
        "Keep the features' scale, or PyTorch's own as in the GTCC code base.",
        _ALIGNMENT,
    ),
    "losses": Setting(
        "method.losses",
        str,
        "The method's loss as published, or as the GTCC code base computes it.",
        _ALIGNMENT,
    ),
    "alignment-frames": Setting(
        "method.frames", int, "Frames of a video that are aligned; 0: all.", _ALIGNMENT
    ),
    "embedding-size": Setting("method.size", int, "Size of an embedding.", _ALIGNMENT),
    "features": Setting(
        "method.features",
        str,
        "What the head reads: the encoder's embedding or the raw features.",
        _ALIGNMENT,
    ),
    "epochs": Setting(
        "optimisation.epochs", int, "Passes over the training videos.", _OPTIMISATION
    ),
    "batch-videos": Setting(
        "optimisation.batch_videos", int, "Videos of a group, all of one task.", _OPTIMISATION
    ),
    "groups-per-step": Setting(
        "optimisation.groups_per_step",
        int,
        "Groups of videos whose gradients a step takes together, in all processes.",
        _OPTIMISATION,
    ),
    "lr": Setting(
        "optimisation.lr",
        float,
        "Step size without g; with g the encoder's, if one is trained.",
        _OPTIMISATION,
    ),
    "head-lr": Setting(
        "optimisation.head_lr", float, "The head's own step size, with g.", _OPTIMISATION
    ),
    "clip": Setting(
        "optimisation.clip",
        float,
        "Longest gradient without g; with g the encoder's, if one is trained.",
        _OPTIMISATION,
    ),
    "head-clip": Setting(
        "optimisation.head_clip",
        float,
        "The head's own longest gradient, with g.",
        _OPTIMISATION,
    ),
    "weight-decay": Setting(
        "optimisation.weight_decay", float, "Decoupled weight decay.", _OPTIMISATION
    ),
    "precision": Setting(
        "optimisation.precision",
        str,
        "bf16: an encoder in training is computed in bfloat16, all else in float32; float64: "
        "everything is, to compare runs.",
        _OPTIMISATION,
    ),
    "progress-lambda": Setting(
        "objective.progress_lambda", float, "Factor of the progress loss.", _OPTIMISATION
    ),
    "time-warp": Setting(
        "augmentation.time_warp",
        float,
        "Play segments up to exp(this) faster or slower.",
        _GENERALISATION,
    ),
    "feature-noise": Setting(
        "augmentation.feature_noise",
        float,
        "Noise in standard deviations of a feature.",
        _GENERALISATION,
    ),
    "dropout": Setting(
        "head.dropout",
        float,
        "Share of values dropped before and in the head.",
        _GENERALISATION,
    ),
    "average": Setting(
        "optimisation.average",
        float,
        "Decay of the moving average of the weights; 0: none.",
        _GENERALISATION,
    ),
    "normalise": Setting(
        "head.normalise",
        bool,
        "Shift and scale each feature as on the training frames.",
        _GENERALISATION,
    ),
}
"""By the name of the option, in the order of the help."""

_SWITCH = {"on": True, "off": False}


def read_setting(name: str, text: str, *, where: str) -> Value:
    """Return the value that a text gives a setting; a switch is "on" or "off".

    Args:
        name: One of `SETTINGS`.
        text: The value.
        where: What to name in an error.

    Raises:
        InputError: If it is no value of the kind, or out of range.
    """
    setting = SETTINGS[name]
    if setting.kind is bool:
        if text in _SWITCH:
            return _SWITCH[text]
        raise InputError(Problem(where, f"{name}=on or {name}=off", repr(text), "write one"))
    if setting.choices:
        if text in setting.choices:
            return text
        expected = " or ".join(f"{name}={word}" for word in setting.choices)
        raise InputError(Problem(where, expected, repr(text), "write one"))
    try:
        value = int(text) if setting.kind is int else float(text)
    except ValueError:
        value = math.nan
    if value in setting.limits:
        return value
    expected = f"{name} to be {setting.limits.of(setting.kind)}"
    raise InputError(Problem(where, expected, repr(text), "choose another value"))
