"""The loop: epochs of steps, validation, and a state from which it goes on exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from progfix.errors import TrainingError
from progfix.training.history import EpochRow
from progfix.training.interrupts import StoppedError, StopRequest
from progfix.training.loop_state import LoopState
from progfix.training.optimisers import StepReport
from progfix.training.setup import Setup
from progfix.training.steps import epoch_steps, take_step
from progfix.training.validation import validate

__all__ = ["EpochDone", "Event", "StepDone", "run_epochs"]


@dataclass(frozen=True)
class StepDone:
    """A step was taken: `step` of `steps` in epoch `epoch` of `epochs`, from 1."""

    epoch: int
    epochs: int
    step: int
    steps: int
    report: StepReport


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
        stop: Asked before the first and after every step, and within a validation, which then
            is made when the run goes on.

    Returns:
        Whether the last epoch was completed.

    Raises:
        TrainingError: If the loss or its gradient is NaN or infinite, or a process has gone;
            the state before that step was saved.
    """
    while state.epoch < setup.recipe.optimisation.epochs:
        started = time.monotonic() - state.seconds
        try:
            finished = _epoch(setup, state, observe, stop)
            row = _close_epoch(setup, state, started, stop) if finished else None
        except TrainingError:
            save(False)
            raise
        if row is None:
            state.seconds = time.monotonic() - started
            save(False)
            return False
        save(row.best)
        observe(EpochDone(row))
    return True


def _epoch(
    setup: Setup, state: LoopState, observe: Callable[[Event], None], stop: StopRequest
) -> bool:
    """Take the epoch's remaining steps; return whether all were taken."""
    steps, epochs = epoch_steps(setup, state.epoch), setup.recipe.optimisation.epochs
    setup.model.train()
    mine = [group for step in steps[state.step :] for group in setup.processes.share(step)]
    setup.embeddings.announce(video for group in mine for video in group)
    while state.step < len(steps):
        if _asked(setup, stop):
            return False
        report = take_step(setup, state, steps[state.step])
        if not report.finite:
            raise _not_finite(report, state)
        state.count(report)
        observe(StepDone(state.epoch + 1, epochs, state.step, len(steps), report))
    return True


def _asked(setup: Setup, stop: StopRequest) -> bool:
    """Whether any process was asked to stop; all of them then are."""
    found = setup.processes.highest(stop.asked())
    if found:
        stop.signal = found
    return bool(found)


def _not_finite(report: StepReport, state: LoopState) -> TrainingError:
    said = f"progress {report.loss:.4g}"
    if report.alignment is not None:
        said += f", alignment {report.alignment:.4g}"
    return TrainingError(
        f"the loss ({said}) or its gradient is not finite at epoch {state.epoch + 1}, step "
        f"{state.step + 1}; the state before it is in last.pt and the best checkpoint is kept. "
        "Start again with a smaller --head-lr or --lr"
    )


def _close_epoch(
    setup: Setup, state: LoopState, started: float, stop: StopRequest
) -> EpochRow | None:
    """Validate and close the epoch; return None where the run stops before that is done."""
    processes = setup.processes
    try:
        score = validate(
            setup.judged,
            setup.val,
            setup.embeddings,
            setup.counting,
            processes,
            # Several would have to agree on it.
            between=stop.give_up if processes.size == 1 else lambda: None,
        )
    except StoppedError:
        return None
    return state.close_epoch(score, time.monotonic() - started)
