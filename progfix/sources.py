"""What a user points at, opened: a checkpoint, a run, predictions, a baseline or a model.

Whatever it is, a `Source` yields `Predictions` and carries the evidence that came with it.
Torch is imported only where a model is needed, so that predictions files are judged
without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from progfix.baselines import BASELINES, FrameCounting, baseline_predictions
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.predictions import Predictions
from progfix.predictions_io import FORMATS, read_predictions
from progfix.runs import RUNS, newest_run

if TYPE_CHECKING:
    from progfix.checkpoints import Checkpoint

__all__ = ["Source", "SourceOptions", "open_source", "open_sources"]

Kind = Literal["checkpoint", "run", "predictions", "baseline", "model"]


@dataclass(frozen=True)
class SourceOptions:
    """How sources are opened.

    Attributes:
        data: The user's data options; without a path, what the checkpoint was trained on.
        split: One of train, val, test, or all.
        device: "auto", or a torch device.
        model: "package.module:callable" that makes a torch module, or None.
        head_spec: What a users' head is, where its file leaves a doubt, or None.
        fit_on: Splits whose durations frame counting is fitted on, joined by "+".
    """

    data: DataOptions = DataOptions()
    split: str = "test"
    device: str = "auto"
    model: str | None = None
    head_spec: str | None = None
    fit_on: str = "train"


@dataclass(frozen=True, eq=False)
class Source:
    """Something that predicts progress, and the evidence beside it.

    Attributes:
        label: A short name for tables and legends.
        kind: What it is.
        path: The file or folder, None for baselines and models.
        chunks: Yields predictions in chunks of whole videos, anew at each call; None when
            none can be had.
        why_not: Why there are no predictions; None when there are.
        counting: Frame counting fitted on training durations; None where none are known,
            which leaves leave-one-video-out on the predictions themselves.
        checkpoint: The opened checkpoint, for findings about weights and recipe.
        data: The videos that are predicted, for input probes.
    """

    label: str
    kind: Kind
    path: Path | None = None
    chunks: Callable[[], Iterator[Predictions]] | None = None
    why_not: str | None = None
    counting: FrameCounting | None = None
    checkpoint: Checkpoint | None = None
    data: Dataset | None = None
