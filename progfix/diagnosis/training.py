"""Findings about training, from the checkpoint alone."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.skill import SWAP, swap_gain
from progfix.diagnosis.thresholds import THRESHOLDS as T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from progfix.checkpoints import Checkpoint
    from progfix.checkpoints.moments import Moments

__all__ = ["UNTRAINED_HEAD", "trained_sign", "untrained_head"]

_ADAM_EPS = 1e-8
_HEAD = "head."


def untrained_head(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head that never moved from its initialisation.

    Adam's second moments decide where the file has them: they hold the size of the
    gradients that each tensor was given. Without them, weights that all lie within the
    bounds of their initialisation, with h0 exactly 0, are a weaker sign. Predictions with
    skill acquit it in either case.
    """
    checkpoint = evidence.checkpoint
    if checkpoint is None:
        return NotChecked("untrained-head", "needs the checkpoint, not just its predictions")
    if evidence.skill.constant >= T.trained_skill:
        return None
    if checkpoint.moments is None:
        return _from_weights(evidence, checkpoint)
    return _from_moments(evidence, checkpoint, checkpoint.moments)


def trained_sign(checkpoint: Checkpoint) -> str:
    """Return what speaks for it that the head of a checkpoint did train, in a sentence."""
    if checkpoint.moments is None:
        return (
            "The head looks trained: its weights lie outside the bounds of their initialisation. "
            "The optimiser state, which would prove it, is not in the file."
        )
    head = [m for name, m in checkpoint.moments.items() if name.startswith(_HEAD)]
    largest = max(m.rms for m in head)
    return f"The head did train: its gradients reached {largest:.0e} in {head[0].step} steps."


def _from_moments(
    evidence: Evidence, checkpoint: Checkpoint, moments: Mapping[str, Moments]
) -> Finding | None:
    from progfix.checkpoints.initialisation import head_within_initialisation

    head = [m for name, m in moments.items() if name.startswith(_HEAD)]
    others = [m.rms for name, m in moments.items() if not name.startswith(_HEAD)]
    largest = max((m.rms for m in head), default=0.0)
    if largest >= T.moment_rms:
        return None
    steps = max((m.step for m in head), default=0)
    fresh = head_within_initialisation(checkpoint.model.head)
    title = (
        "The head never trained: it is still at its random initialisation"
        if fresh
        else "No gradient reaches the head: the run behind this file did not train it"
    )
    seen = (
        f"The largest gradient that any of its {len(head)} tensors received in {steps} steps is "
        f"{largest:.0e}, far below the {_ADAM_EPS:.0e} that Adam adds to it"
        if head
        else "The optimiser knows other parameters and none of the head's"
    )
    return Finding(
        "untrained-head",
        "error",
        title,
        f"{seen}, so its weights stayed where they were. Typical when the progress loss is "
        "scaled back and then clipped together with an encoder whose gradient is huge. No "
        "input or architecture helps a head that receives no gradient; give it its own.",
        {
            "head_gradient_rms": largest,
            "other_gradient_rms_median": median(others) if others else None,
            "head_tensors": len(head),
            "steps": steps,
            "within_initialisation": "yes" if fresh else "no",
            "adam_eps": _ADAM_EPS,
            "threshold": T.moment_rms,
        },
        ("g",),
        swap_gain(evidence),
        SWAP,
    )


def _from_weights(evidence: Evidence, checkpoint: Checkpoint) -> Finding | None:
    from progfix.checkpoints.initialisation import head_within_initialisation

    head = checkpoint.model.head
    if not head_within_initialisation(head):
        return None
    weights = sum(parameter.numel() for parameter in head.parameters())
    return Finding(
        "untrained-head",
        "warning",
        "The head looks untrained: its weights are where a random initialisation puts them",
        f"All {weights:,} weights lie within the bounds of their initialisation, which a head "
        "that trained has usually left. This is weaker evidence than the optimiser state, "
        "which this file does not have: save it with the next checkpoint.",
        {"weights": weights, "within_initialisation": "yes"},
        ("g",),
        swap_gain(evidence),
        SWAP,
    )


UNTRAINED_HEAD = Check("untrained-head", untrained_head)
