"""A small world in which progress can be seen, and heads that read it without training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from progfix.checkpoints import Checkpoint
from progfix.checkpoints.moments import Moments
from progfix.data.dataset import ArrayFeatures, Dataset, Segment, Video
from progfix.diagnosis import Diagnosis, diagnose
from progfix.frame_counting import fit_counting
from progfix.heads.gru import GruHead
from progfix.heads.outputs import Answers
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.predict import predict
from progfix.solutions import apply
from progfix.sources import Source
from progfix.sources.probing import probing_of_model
from progfix.training.recipe import Recipe

ACTIONS = 6
DIM = ACTIONS + 6
VISIBLE, WHIM = ACTIONS, ACTIONS + 1
"""Columns: progress with noise, and a number that is 1 in every other segment, else -1."""

TRAIN, TEST, SEGMENTS = 10, 10, 6
Read = Callable[[Tensor, Tensor], Tensor]
"""Embeddings `(B, T, D)` and elapsed `(T,)` to progress `(B, T)`."""

Change = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Progress, embeddings and elapsed to other progress."""


@dataclass(frozen=True)
class World:
    """Numbers that videos are drawn from.

    Attributes:
        seed: Of everything.
        noise: Of the column in which progress can be seen, as a share of its range.
        blind: Nothing but noise in any column.
    """

    seed: int
    noise: float = 0.15
    blind: bool = False

    def videos(self) -> tuple[Video, ...]:
        rng = np.random.default_rng([7, self.seed])
        medians = np.exp(rng.permutation(np.linspace(math.log(14), math.log(56), ACTIONS)))
        made = []
        for number in range(TRAIN + TEST):
            segments, frame = [], 0
            for action in rng.permutation(ACTIONS)[:SEGMENTS]:
                frame += int(rng.integers(2, 6))
                frames = max(6, round(medians[action] * math.exp(0.3 * rng.standard_normal())))
                segments.append(Segment(frame, frame + frames - 1, f"action {action}"))
                frame += frames
            frame += int(rng.integers(6, 12))
            split = "train" if number < TRAIN else "test"
            features = ArrayFeatures(self._features(segments, frame, rng))
            name = f"v{number:02d}"
            made.append(Video(name, "task", frame, tuple(segments), features, split, 4.0))
        return tuple(made)

    def _features(
        self, segments: list[Segment], frames: int, rng: np.random.Generator
    ) -> np.ndarray:
        features = rng.standard_normal((frames, DIM)).astype(np.float32)
        if self.blind:
            return features
        features[:, :ACTIONS] *= 0.3
        features[:, VISIBLE] *= self.noise
        for place, segment in enumerate(segments):
            rows = slice(segment.start, segment.end + 1)
            features[rows, int(segment.action[-1])] += 2
            features[rows, VISIBLE] += np.arange(1, segment.duration + 1) / segment.duration
            features[rows, WHIM] = 1 - 2 * (place % 2)
        return features


class PlantedHead(GruHead):
    """Answers by a rule; a trace of a real head in it takes part in a training step."""

    def __init__(self, spec: HeadSpec, read: Read, interval: float | None) -> None:
        super().__init__(replace(spec, extra=()), DIM)
        self.spec = spec
        self._rule, self._interval = read, interval

    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        spec, self.spec = self.spec, replace(self.spec, extra=())
        trace = super().raw_every(embeddings, lengths)
        self.spec = spec
        elapsed = torch.arange(1, embeddings.shape[1] + 1)
        progress = self._rule(embeddings, elapsed).clamp(1e-4, 1 - 1e-4)
        return torch.logit(progress)[..., None] + 0.02 * trace

    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        return self.raw_every(embeddings, lengths)[torch.arange(len(lengths)), lengths - 1]

    def read(self, embeddings: Tensor, lengths: Tensor) -> Answers:
        answers = super().read(embeddings, lengths)
        if self._interval is None:
            return answers
        wide = self._interval
        return replace(answers, lower=answers.progress - wide, upper=answers.progress + wide)


@dataclass(frozen=True)
class Case:
    """A model with its data, before and after something was planted in it.

    Attributes:
        world: Where its videos come from.
        read: What the head answers.
        changes: What is done to that, in order.
        spec: What the head says it is.
        encoder: Features to embeddings, or None.
        recipe: How it says it was trained.
        interval: Half the width of its intervals, or None.
        head: A real head in place of the rule, or None.
        head_rms: Gradients in the optimiser state; None for no state.
        theirs: Whether the encoder was trained beside the head.
        damage: What is done to the videos.
    """

    world: World
    read: Read
    changes: tuple[Change, ...] = ()
    spec: HeadSpec = field(default_factory=HeadSpec)
    encoder: nn.Module | None = None
    recipe: Recipe = field(default_factory=lambda: apply("gs"))
    interval: float | None = None
    head: Callable[[], GruHead] | None = None
    head_rms: float | None = 1e-3
    theirs: bool = False
    damage: Callable[[tuple[Video, ...]], tuple[Video, ...]] | None = None

    def then(self, change: Change) -> Case:
        """Return the case with one more change of the answers."""
        return replace(self, changes=(*self.changes, change))

    def diagnose(self, folder: Path | None = None) -> Diagnosis:
        """Return the diagnosis; damaged data goes through a file in the folder."""
        return diagnose(self.opened(folder))

    def opened(self, folder: Path | None = None) -> Source:
        """Return the model with its data as a source."""
        videos = self.world.videos()
        data = Dataset(videos)
        if self.damage is not None:
            data = _through_file(self.damage(videos), folder)
        torch.manual_seed(self.world.seed)
        head = PlantedHead(self.spec, self._answers, self.interval)
        model = ProgressModel(self.encoder, self.head() if self.head else head)
        test = data.split("test")
        checkpoint = Checkpoint(
            path=Path("planted.pt"),
            kind="gtcc" if self.theirs else "progfix",
            model=model,
            recipe=replace(self.recipe, head=self.spec),
            epoch=1,
            durations=None,
            data=None,
            moments=None if self.head_rms is None else self._moments(model),
            payload={},
        )
        return Source(
            "planted",
            "checkpoint",
            path=checkpoint.path,
            chunks=partial(predict, model, test),
            counting=fit_counting(data),
            checkpoint=checkpoint,
            data=data,
            probing=probing_of_model(model, test),
        )

    def _answers(self, embeddings: Tensor, elapsed: Tensor) -> Tensor:
        progress = self.read(embeddings, elapsed)
        for change in self.changes:
            progress = change(progress, embeddings, elapsed)
        return progress

    def _moments(self, model: ProgressModel) -> dict[str, Moments]:
        rms = self.head_rms or 0.0
        head = {f"head.{name}": Moments(rms, rms, 60) for name, _ in model.head.named_parameters()}
        return head | {"encoder.weight": Moments(1e-3, 1e-2, 60)}


def _through_file(videos: tuple[Video, ...], folder: Path | None) -> Dataset:
    from progfix.data.hdf5_writer import write_hdf5
    from progfix.data.open import open_dataset
    from progfix.data.options import DataOptions

    if folder is None:
        raise ValueError("damaged data needs a folder")
    write_hdf5(folder / "data.h5", videos)
    return open_dataset(DataOptions(path=str(folder / "data.h5")))


def recent(values: Tensor, frames: int) -> Tensor:
    """Mean over the last `frames` frames, fewer at the beginning, `(B, T)`."""
    total = values.cumsum(dim=1)
    before = torch.zeros_like(total)
    before[:, frames:] = total[:, :-frames]
    count = torch.arange(1, values.shape[1] + 1).clamp_max(frames)
    return (total - before) / count


def sees(embeddings: Tensor, elapsed: Tensor, *, frames: int = 4) -> Tensor:
    """Progress as it can be seen, the mean over the last frames with its lag made good."""
    seen = elapsed.clamp_max(frames)
    shown = recent(embeddings[..., VISIBLE], frames)
    return (shown * elapsed / (elapsed - (seen - 1) / 2)).clamp(0.01, 0.99)


def counts(embeddings: Tensor, elapsed: Tensor) -> Tensor:
    """A clock: t / (t + 16), which is about what the medians of this world ask for."""
    del embeddings
    return elapsed[None] / (elapsed[None] + 16.0)
