"""One real training step of a recipe, taken on a copy: what reaches the head?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from progfix.checkpoints import Checkpoint
from progfix.data.dataset import Dataset, Video
from progfix.diagnosis.measured import StepAudit, StepPart
from progfix.model import ProgressModel
from progfix.predict import check_fit
from progfix.training.batches import epoch_batches, generator
from progfix.training.groups import group_losses
from progfix.training.loop_state import LoopState
from progfix.training.objectives import progress_loss
from progfix.training.optimisers import Optimisers, build_optimisers
from progfix.training.recipe import Recipe
from progfix.training.sampling import choose_prefixes
from progfix.training.setup import Setup

__all__ = ["audit_checkpoint", "audit_setup", "audit_step", "first_step"]

_EPSILON = 1e-8
"""PyTorch's default, which is that of the paper."""

_NO_PREFIX = "no segment is long enough for the recipe to draw a prefix from"


def audit_checkpoint(checkpoint: Checkpoint, data: Dataset) -> StepAudit | str:
    """Take one step of the recipe that a checkpoint was trained with, on its training videos.

    Returns:
        What it does, or why it cannot be taken.

    Raises:
        InputError: If a video's features do not fit the model.
    """
    recipe, model = checkpoint.recipe, checkpoint.model
    if recipe is None:
        return "the checkpoint does not say how the head was trained"
    trained = checkpoint.kind == "gtcc" or recipe.method.trains_encoder
    return audit_step(model, recipe, data, trains_encoder=trained and model.encoder is not None)


def audit_step(
    model: ProgressModel, recipe: Recipe, data: Dataset, *, trains_encoder: bool, seed: int = 0
) -> StepAudit | str:
    """Take one step of a recipe along the progress loss, on a copy of a model.

    An alignment loss is left out: it can only add to the encoder's gradient, and so take
    more from the head where both are clipped together.

    Args:
        model: Left as it is.
        recipe: How to train it.
        data: Its training videos are drawn from; all, where there is no such split.
        trains_encoder: Whether the encoder gets gradients too.
        seed: Of the batch and its prefixes.
    """
    videos = _batch(data, recipe, seed)
    if not videos:
        return "the data has no training videos with action segments"
    for video in videos:
        check_fit(model, video)
    copy = deepcopy(model).train()
    copy.requires_grad_(requires_grad=False)
    copy.head.requires_grad_(requires_grad=True)
    if trains_encoder and copy.encoder is not None:
        copy.encoder.requires_grad_(requires_grad=True)
    embeddings = [copy.embed(torch.from_numpy(video.read()).to(copy.device)) for video in videos]
    censored = recipe.head.output == "remaining"
    segments = [video.segments for video in videos]
    rng = generator(seed, 0, 0)
    prefixes = choose_prefixes(segments, recipe.sampling, rng, use_censored=censored)
    if not len(prefixes):
        return _NO_PREFIX
    progress = progress_loss(copy.head, embeddings, prefixes, recipe.objective)
    return _taken(build_optimisers(copy, recipe, still=True), progress)


def audit_setup(setup: Setup) -> StepAudit | str:
    """Take the first step of a run that is about to begin, on a copy of its model.

    Both losses take part, as they do in the run.

    Args:
        setup: What the run works on, left as it is.

    Returns:
        What the step does, or why it cannot be taken.
    """
    batch_videos = setup.recipe.optimisation.batch_videos
    batches = epoch_batches(setup.train, batch_videos, generator(setup.seed, 0))
    copy = deepcopy(setup.model).train()
    there = replace(setup, model=copy, optimisers=build_optimisers(copy, setup.recipe, still=True))
    videos = [setup.train[index] for index in batches[0]] if batches else []
    losses = group_losses(there, LoopState(), videos) if videos else None
    if losses is None:
        return _NO_PREFIX
    return _taken(there.optimisers, losses.progress, losses.alignment)


def _taken(
    optimisers: Optimisers, progress: Tensor, alignment: Tensor | None = None
) -> StepAudit | str:
    """Compute the gradients of the step, and how far Adam goes along them."""
    recipe, encoder = optimisers.recipe, list(optimisers.rest)
    total = progress * recipe.objective.progress_lambda
    if alignment is not None:
        total = total + alignment
    raw = _gradient(total, encoder)
    report = optimisers.step(progress, alignment)
    if not report.moved:
        return "the step was not taken: its loss is not finite, or larger than the recipe accepts"
    settings = recipe.optimisation
    head_lr = settings.head_lr if settings.own_gradients else settings.lr
    decay = settings.weight_decay
    head = _part(optimisers.head, report.head_gradient, head_lr, decay)
    if not encoder:
        return StepAudit(head, None)
    return StepAudit(head, _part(encoder, raw, settings.lr, decay))


def _batch(data: Dataset, recipe: Recipe, seed: int) -> list[Video]:
    train = data.split("train").videos or data.videos
    videos = [v for v in train if v.features is not None]
    batches = epoch_batches(videos, recipe.optimisation.batch_videos, generator(seed, 0))
    return [videos[index] for index in batches[0]] if batches else []


def _part(
    parameters: Sequence[nn.Parameter], gradient: float, rate: float, decay: float
) -> StepPart:
    update = _norm([first_step(p, rate, decay) for p in parameters])
    entries = sum(p.numel() for p in parameters)
    return StepPart(
        gradient,
        _norm([p.grad for p in parameters]),
        update,
        _norm(parameters),
        update / (rate * entries**0.5),
    )


def first_step(parameter: nn.Parameter, rate: float, decay: float) -> Tensor | None:
    """Return what Adam's first step takes from a parameter, None without a gradient.

    Its moments, corrected for their start, are then the gradient and its square (Kingma and
    Ba, arXiv:1412.6980, algorithm 1); decay is taken off the weights beside it (Loshchilov and
    Hutter, arXiv:1711.05101).
    """
    gradient = parameter.grad
    if gradient is None:
        return None
    return rate * (gradient / (gradient.abs() + _EPSILON) + decay * parameter.detach())


def _gradient(loss: Tensor, parameters: Sequence[nn.Parameter]) -> float:
    if not parameters:
        return 0.0
    return _norm(torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True))


def _norm(tensors: Sequence[Tensor | None]) -> float:
    squares = [float((t.detach().double() ** 2).sum()) for t in tensors if t is not None]
    return math.sqrt(sum(squares))
