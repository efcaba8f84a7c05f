"""What a source of predictions is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from progfix.data.dataset import Dataset, Video
from progfix.data.options import DataOptions
from progfix.frame_counting import FrameCounting
from progfix.predictions import Predictions

if TYPE_CHECKING:
    from torch import Tensor

    from progfix.checkpoints import Checkpoint
    from progfix.predict import SegmentPredictor

__all__ = ["Probing", "Source", "SourceOptions"]

Kind = Literal["checkpoint", "run", "predictions", "baseline", "model"]


@dataclass(frozen=True)
class SourceOptions:
    """How sources are opened.

    Attributes:
        data: The user's data options; without a path, what the checkpoint was trained on.
        split: One of train, val, test, or all.
        device: "auto", or a torch device.
        model: "package.module:name" that makes a torch module, or None.
        head_spec: What a users' head is, where its file leaves a doubt, or None.
        fit_on: Splits whose durations frame counting is fitted on, joined by "+".
        jobs: Processes that compute what checkpoints answer; more than one, on the CPU alone.
    """

    data: DataOptions = field(default_factory=DataOptions)
    split: str = "test"
    device: str = "auto"
    model: str | None = None
    head_spec: str | None = None
    fit_on: str = "train"
    jobs: int = 1


@dataclass(frozen=True, eq=False)
class Probing:
    """A model that can be asked about other inputs than the recorded ones.

    Attributes:
        videos: The videos that are predicted.
        embed: What the head reads of a video, `(T, D)`, in evaluation mode, no gradient.
        answer: Answers at every frame of segments, from what `embed` gave of them.
        streams: Whether one pass over a segment answers every prefix; if not, it is costly.
    """

    videos: Dataset
    embed: Callable[[Video], Tensor]
    answer: SegmentPredictor
    streams: bool = True


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
        data: All splits of the data that is predicted.
        probing: The model itself, for input probes; None where there are only numbers.
        notices: What the user should know about where the predictions come from.
    """

    label: str
    kind: Kind
    path: Path | None = None
    chunks: Callable[[], Iterator[Predictions]] | None = None
    why_not: str | None = None
    counting: FrameCounting | None = None
    checkpoint: Checkpoint | None = None
    data: Dataset | None = None
    probing: Probing | None = None
    notices: tuple[str, ...] = ()
