"""What a run keeps to go on from: `last.pt`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from progfix.checkpoints.reading import safe_load
from progfix.checkpoints.writing import write_payload
from progfix.errors import InputError, Problem
from progfix.training.loop_state import LoopState
from progfix.training.setup import Setup

__all__ = ["TRAINING_FORMAT", "SavedTraining", "read_training", "save_training"]

TRAINING_FORMAT = "progfix-training/1"


@dataclass(frozen=True, eq=False)
class SavedTraining:
    """The contents of `last.pt`.

    Attributes:
        head: State dict of the head.
        encoder: State dict of an encoder in training; None where there is none, or a frozen
            one, which is in the checkpoint that the run began from.
        optimisers: State of the optimisers.
        loop: Where the loop stands.
        average: State of the weights' moving average, or None.
    """

    head: Mapping[str, Tensor]
    encoder: Mapping[str, Tensor] | None
    optimisers: dict[str, Any]
    loop: LoopState
    average: Mapping[str, Tensor] | None


def save_training(path: Path, setup: Setup, loop: LoopState) -> None:
    """Write the state atomically.

    Raises:
        InputError: If it cannot be written.
    """
    trained = setup.model.encoder if setup.recipe.method.trains_encoder else None
    payload = {
        "format": TRAINING_FORMAT,
        "head": setup.model.head.state_dict(),
        "encoder": None if trained is None else trained.state_dict(),
        "optimisers": setup.optimisers.state_dict(),
        "average": None if setup.average is None else setup.average.state_dict(),
        "loop": loop.to_dict(),
    }
    write_payload(payload, path)


def read_training(path: Path) -> SavedTraining:
    """Read what `save_training` wrote, without executing a pickle.

    Raises:
        InputError: If the file is no such state.
    """
    payload = cast("Mapping[str, Any]", safe_load(path))
    if payload.get("format") != TRAINING_FORMAT:
        raise InputError(
            Problem(
                str(path),
                f"the state of a run ({TRAINING_FORMAT})",
                f"format {payload.get('format')!r}",
                "give the run folder as `progfix train` wrote it",
            )
        )
    return SavedTraining(
        payload["head"],
        payload.get("encoder"),
        payload["optimisers"],
        LoopState.from_dict(payload["loop"]),
        payload["average"],
    )
