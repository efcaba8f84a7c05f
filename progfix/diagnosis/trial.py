"""Try letters on the spot: what to train for a diagnosis that is to be compared."""

from __future__ import annotations

from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.sources import Source
from progfix.training.assemble import Request

__all__ = ["trial_request"]


def trial_request(
    source: Source, letters: str, data: DataOptions, *, head_spec: str | None, device: str
) -> Request:
    """Return the run that trains a new head on what a source has, its encoder frozen.

    A run without an encoder to train is run again with its own numbers and other letters; of
    anything else the encoder is kept and a head trained with the default numbers.

    Args:
        source: What was diagnosed.
        letters: To train with.
        data: What the user said of the data; without a path, what the source was trained on.
        head_spec: What the head of a users' checkpoint is.
        device: Where to train.

    Raises:
        InputError: If the source is no checkpoint.
    """
    checkpoint = source.checkpoint
    if checkpoint is None or source.path is None:
        raise InputError(
            Problem(
                "--try",
                "a checkpoint or a run, whose head can be trained anew",
                f"{source.label}, which is {source.kind}",
                "name a checkpoint, or train with `progfix train`",
            )
        )
    recipe = checkpoint.recipe
    if source.kind == "run" and recipe is not None and not recipe.method.trains_encoder:
        return Request(solution=letters, config=source.path, data=data, device=device)
    return Request(
        solution=letters, init=checkpoint.path, data=data, head_spec=head_spec, device=device
    )
