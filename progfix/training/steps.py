"""A step of a run: its groups, their gradients, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence

from progfix.data.dataset import Video
from progfix.heads.threads import threads_for
from progfix.training.batches import epoch_batches, generator
from progfix.training.groups import group_losses
from progfix.training.loop_state import LoopState
from progfix.training.optimisers import StepReport
from progfix.training.setup import Setup

__all__ = ["Group", "epoch_steps", "take_step"]

Group = Sequence[Video]
"""Videos of one task."""

_FOLLOW = 0.05
"""Share of a step's frames in the normalisation of embeddings that are in training."""


def epoch_steps(setup: Setup, epoch: int) -> list[list[Group]]:
    """Return the steps of an epoch, each with its groups; the last may have fewer."""
    settings = setup.recipe.optimisation
    batches = epoch_batches(setup.train, settings.batch_videos, generator(setup.seed, epoch))
    groups: list[Group] = [[setup.train[index] for index in batch] for batch in batches]
    size = settings.groups_per_step
    return [groups[first : first + size] for first in range(0, len(groups), size)]


def take_step(setup: Setup, state: LoopState, groups: Sequence[Group]) -> StepReport:
    """Take a step on groups of videos, each process on its share of them.

    The parameters move along the mean of the groups' gradients, whoever computed them; all
    processes move them alike. A normalisation that follows embeddings in training is moved
    after the step, by the frames of all groups.

    Args:
        setup: What the run works on.
        state: Where it stands; not changed.
        groups: All that the step takes.

    Raises:
        LostProcessError: If a process has gone; nothing was changed.
    """
    head, processes = setup.model.head, setup.processes
    sums, sequences = setup.optimisers.begin(), 0
    for place, videos in processes.share(enumerate(groups)):
        losses = group_losses(setup, state, videos, place=place)
        if losses is None:
            sums.skipped += 1
            continue
        with threads_for(losses.sequences):
            setup.optimisers.add(sums, losses.progress, losses.alignment)
        if losses.frames is not None:
            sums.add_frames(losses.frames)
        sequences = max(sequences, losses.sequences)
    with threads_for(sequences):
        trained = [*setup.optimisers.head, *setup.optimisers.rest]
        sums = sums.of_all(trained, head.width, processes)
        report = setup.optimisers.finish(sums, processes)
    if sums.frames and report.finite:
        mean, square = sums.moments / sums.frames
        head.follow_normalisation(mean, square, _FOLLOW)
    if setup.average is not None and report.moved:
        setup.average.update_parameters(head)
    return report
