"""What every checkpoint is to the rest of progfix, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from progfix.checkpoints.moments import Moments
from progfix.model import ProgressModel
from progfix.training.recipe import Recipe

__all__ = ["Checkpoint"]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model and what its file says about it.

    Attributes:
        path: The file that was read.
        kind: "progfix", or "gtcc" for the GTCC code base and its progress-head fork.
        model: In evaluation mode, float32, on the CPU.
        recipe: The training run: ours as it was; the users' with the head that was found
            and what their configuration says of sampling, lambda and optimisation, or None
            where it has no progress loss.
        epoch: 0-based epoch that the weights come from, or None where unknown.
        durations: Durations in frames of the training segments by action, int64; None
            where no run of progfix wrote the file.
        data: The data it was trained on, fields of `DataOptions` that differ from their
            defaults; None likewise.
        moments: Adam's second moments by parameter of `model`, names such as
            "head.gru.weight_ih_l0" and "encoder.base_model..."; None without optimiser
            state. Parameters without state are left out.
        payload: The file's dictionary, for writing back and resuming. Not to be changed.
        notes: What the reader should know, such as a prefix that was cut off.
    """

    path: Path
    kind: Literal["progfix", "gtcc"]
    model: ProgressModel
    recipe: Recipe | None
    epoch: int | None
    durations: dict[str, NDArray[np.int64]] | None
    data: dict[str, object] | None
    moments: dict[str, Moments] | None
    payload: Mapping[str, object]
    notes: tuple[str, ...] = ()
