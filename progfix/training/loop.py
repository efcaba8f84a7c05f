"""The loop: epochs of steps, validation, and a state from which it goes on exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from progfix.data.dataset import Segment, Video
from progfix.errors import TrainingError
from progfix.heads.threads import threads_for
from progfix.training.augmentation import vary
from progfix.training.batches import epoch_batches, generator
from progfix.training.history import EpochRow
from progfix.training.interrupts import StopRequest
from progfix.training.loop_state import LoopState
from progfix.training.objectives import progress_loss
from progfix.training.optimisers import StepReport
from progfix.training.recipe import Augmentation
from progfix.training.sampling import choose_prefixes
from progfix.training.setup import Setup
from progfix.training.validation import validate

__all__ = ["EpochDone", "Event", "StepDone", "run_epochs"]


@dataclass(frozen=True)
class StepDone:
    """A step was taken: `step` of `steps` in epoch `epoch` of `epochs`, from 1."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    head_gradient: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch is over and its state saved."""

    row: EpochRow


Event = StepDone | EpochDone


def run_epochs(
    setup: Setup,
    state: LoopState,
    *,
    save: Callable[[bool], None],
    observe: Callable[[Event], None],
    stop: StopRequest,
) -> bool:
    """Train until the recipe's last epoch, or until somebody asks to stop.

    Every draw depends on the seed, the epoch and the step alone, so that a run which is
    stopped and resumed ends as one that was not.

    Args:
        setup: What to work on.
        state: Where to begin; advanced in place.
        save: Called with whether the model is the best so far, after every epoch, and
            with False when the run stops inside one.
        observe: Called after every step and epoch.
        stop: Looked at after every step.

    Returns:
        Whether the last epoch was completed.

    Raises:
        TrainingError: If the loss or its gradient is NaN or infinite; the state before
            that step was saved.
    """
    while state.epoch < setup.recipe.optimisation.epochs:
        started = time.monotonic() - state.seconds
        try:
            finished = _epoch(setup, state, observe, stop)
        except TrainingError:
            save(False)
            raise
        if not finished:
            state.seconds = time.monotonic() - started
            save(False)
            return False
        row = _close_epoch(setup, state, started)
        save(row.best)
        observe(EpochDone(row))
        if stop and state.epoch < setup.recipe.optimisation.epochs:
            return False
    return True


def _epoch(
    setup: Setup, state: LoopState, observe: Callable[[Event], None], stop: StopRequest
) -> bool:
    """Take the epoch's remaining steps; return whether all were taken."""
    settings = setup.recipe.optimisation
    batches = epoch_batches(setup.train, settings.batch_videos, generator(setup.seed, state.epoch))
    setup.model.train()
    while state.step < len(batches):
        videos = [setup.train[index] for index in batches[state.step]]
        report = _step(setup, state, videos)
        if report is not None and not report.finite:
            raise TrainingError(
                f"the loss or its gradient became {report.loss} or infinite at epoch "
                f"{state.epoch + 1}, step {state.step + 1}; the state before it is in last.pt "
                "and the best checkpoint is kept. Start again with a smaller --head-lr or --lr"
            )
        state.count(report or StepReport(0.0, 0.0, 0.0, skipped=True))
        if report is not None:
            observe(
                StepDone(
                    state.epoch + 1,
                    settings.epochs,
                    state.step,
                    len(batches),
                    report.loss,
                    report.head_gradient,
                )
            )
        if stop and state.step < len(batches):
            return False
    return True


def _step(setup: Setup, state: LoopState, videos: Sequence[Video]) -> StepReport | None:
    """Take one step; return None if the batch has no prefix to train on."""
    rng = generator(setup.seed, state.epoch, state.step)
    recipe, head = setup.recipe, setup.model.head
    embeddings = [setup.embeddings.get(video) for video in videos]
    segments: Sequence[Sequence[Segment]] = [video.segments for video in videos]
    if recipe.augmentation != Augmentation():
        embeddings, segments = vary(videos, embeddings, recipe.augmentation, setup.deviation, rng)
    prefixes = choose_prefixes(
        segments, recipe.sampling, rng, use_censored=recipe.head.output == "remaining"
    )
    if not len(prefixes):
        return None
    # For whatever draws inside the model, such as dropout.
    torch.manual_seed(int(rng.integers(2**63 - 1)))
    sequences = sum(map(len, segments)) if head.streams else len(prefixes)
    with threads_for(sequences):
        loss = progress_loss(head, embeddings, prefixes, recipe.objective)
        report = setup.optimisers.step(loss)
    if setup.average is not None and report.finite and not report.skipped:
        setup.average.update_parameters(head)
    return report


def _close_epoch(setup: Setup, state: LoopState, started: float) -> EpochRow:
    """Validate, add the epoch to the history, and make the state ready for the next."""
    score = validate(setup.judged, setup.val, setup.embeddings, setup.counting)
    taken = state.step - state.skipped
    row = EpochRow(
        epoch=state.epoch + 1,
        steps=state.steps,
        train_loss=state.loss / taken if taken else math.nan,
        skipped=state.skipped,
        head_gradient=state.head_gradient / taken if taken else math.nan,
        head_applied=state.head_applied / taken if taken else math.nan,
        val_mae=score.mae,
        val_skill_constant=score.skill_constant,
        val_skill_frame_counting=score.skill_frame_counting,
        best=score.mae < state.best_mae,
        seconds=time.monotonic() - started,
    )
    state.history.append(row)
    state.epoch += 1
    state.step = state.skipped = 0
    state.loss = state.head_gradient = state.head_applied = state.seconds = 0.0
    return row
