"""The unit of work: a group of videos of one task, from its frames to its losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from progfix.data.dataset import Segment, Video
from progfix.encoders import Encoder
from progfix.heads.threads import threads_for
from progfix.training.augmentation import vary
from progfix.training.batches import generator
from progfix.training.joint import aligned_group
from progfix.training.loop_state import LoopState
from progfix.training.objectives import progress_loss
from progfix.training.recipe import Augmentation
from progfix.training.sampling import choose_prefixes
from progfix.training.setup import Setup

__all__ = ["GroupLosses", "group_losses"]

_ALIGNMENT = 1
"""Tells the draws of the alignment from the head's, which are the same without it."""


@dataclass(frozen=True, eq=False)
class GroupLosses:
    """Scalars of one group, with gradients.

    Attributes:
        progress: Mean loss over the group's prefixes, not multiplied by lambda.
        alignment: Of the method; None without one.
        sequences: How many sequences went through the head.
        frames: What the head read, `(N, D)`, without gradients, where an encoder in training
            made it; None elsewhere.
    """

    progress: Tensor
    alignment: Tensor | None
    sequences: int
    frames: Tensor | None


def group_losses(
    setup: Setup, state: LoopState, videos: Sequence[Video], *, place: int = 0
) -> GroupLosses | None:
    """Return the losses of a group, or None if it has no prefix to train on.

    Args:
        setup: What the run works on.
        state: Where it stands; the draws follow from it, the place and the seed alone.
        videos: The group.
        place: Which of the step's groups it is, from 0.
    """
    recipe, head = setup.recipe, setup.model.head
    group = state.step * recipe.optimisation.groups_per_step + place
    rng = generator(setup.seed, state.epoch, group)
    read, alignment = _read(setup, state, group, videos)
    segments: Sequence[Sequence[Segment]] = [video.segments for video in videos]
    deviation, frames = setup.deviation, None
    if recipe.method.trains_encoder and not setup.model.raw:
        frames = torch.cat(list(read)).detach()
        deviation = frames.std(dim=0, correction=0)
    if recipe.augmentation != Augmentation():
        read, segments = vary(videos, read, recipe.augmentation, deviation, rng)
    prefixes = choose_prefixes(
        segments, recipe.sampling, rng, use_censored=recipe.head.output == "remaining"
    )
    if not len(prefixes):
        return None
    # For whatever draws inside the model, such as dropout.
    torch.manual_seed(int(rng.integers(2**63 - 1)))
    sequences = sum(map(len, segments)) if head.streams else len(prefixes)
    with threads_for(sequences):
        progress = progress_loss(head, read, prefixes, recipe.objective)
    return GroupLosses(progress, alignment, sequences, frames)


def _read(
    setup: Setup, state: LoopState, group: int, videos: Sequence[Video]
) -> tuple[list[Tensor], Tensor | None]:
    """Return what the head reads of each video, `(T, D)`, and the alignment loss."""
    recipe = setup.recipe
    if not recipe.method.trains_encoder:
        return [setup.embeddings.get(video) for video in videos], None
    features = [setup.embeddings.features(video) for video in videos]
    embeddings, alignment = aligned_group(
        cast("Encoder", setup.model.encoder),
        features,
        recipe.method,
        generator(setup.seed, state.epoch, group, _ALIGNMENT),
        step=state.steps,
        epoch=state.epoch,
        bf16=recipe.optimisation.precision == "bf16",
    )
    if setup.model.raw:
        return features, alignment
    if recipe.optimisation.own_gradients:
        embeddings = [video.detach() for video in embeddings]
    return embeddings, alignment
