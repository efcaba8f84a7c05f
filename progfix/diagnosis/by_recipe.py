"""Findings about the recipe: frames that it never shows, a head that it would starve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.measured import StepAudit
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.response import ORDER_ADVICE, ORDER_MATTERS
from progfix.diagnosis.text import number
from progfix.diagnosis.thresholds import THRESHOLDS as T

if TYPE_CHECKING:
    from progfix.checkpoints import Checkpoint
    from progfix.training.recipe import Recipe

__all__ = [
    "STARVED_HEAD",
    "UNSEEN_START",
    "orderless",
    "starved",
    "starved_head",
    "unseen",
    "unseen_start",
]


def starved_head(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a recipe whose steps hardly move the head.

    A head with skill acquits it, and so does an optimiser state by which gradients did reach
    the head, or, without one, weights that are not where they were initialised: the file was
    then trained otherwise than its configuration says.
    """
    if evidence.probes.step is None:  # see Check.needs
        return None
    if evidence.skill.constant >= T.trained_skill or _fed(evidence.checkpoint):
        return None
    return starved(evidence.probes.step)


def _fed(checkpoint: Checkpoint | None) -> bool:
    if checkpoint is None:
        return False
    if checkpoint.moments is None:
        from progfix.checkpoints.initialisation import head_within_initialisation

        return not head_within_initialisation(checkpoint.model.head)
    head = (m for name, m in checkpoint.moments.items() if name.startswith("head."))
    return any(m.rms >= T.moment_rms for m in head)


def starved(audit: StepAudit) -> Finding | None:
    """Return the finding that one training step gives cause for, if any."""
    head, encoder = audit.head, audit.encoder
    if head.share >= T.starved:
        return None
    cause = (
        f"The head's gradient of {head.gradient:.0e} is clipped together with the encoder's of "
        f"{encoder.gradient:.0e}, which leaves it {head.applied:.0e}"
        if encoder is not None and head.applied < 0.5 * head.gradient
        else f"Of the head's gradient of {head.gradient:.0e}, {head.applied:.0e} is left"
    )
    return Finding(
        "starved-head",
        "error",
        f"The recipe starves the head: one step moves it by {head.update:.0e} of a norm of "
        f"{number(head.weights, 1)}",
        f"{cause}; Adam adds 1e-8 to each weight's share of that. A free step would move it "
        f"{1 / max(head.share, 1e-30):,.0f} times as far. This was one real step on a copy.",
        {
            "head_gradient": head.gradient,
            "head_gradient_applied": head.applied,
            "head_update": head.update,
            "head_update_over_weights": head.update / head.weights if head.weights else None,
            "head_share_of_a_free_step": head.share,
            "encoder_gradient": None if encoder is None else encoder.gradient,
            "encoder_update_over_weights": None
            if encoder is None or not encoder.weights
            else encoder.update / encoder.weights,
            "threshold": T.starved,
        },
        ("g",),
    )


def unseen_start(evidence: Evidence) -> Finding | NotChecked | None:
    """Find first frames that training never shows, and that the head gets wrong."""
    if evidence.checkpoint is None:  # see Check.needs
        return None
    recipe = evidence.checkpoint.recipe
    if recipe is None:
        return NotChecked("unseen-start", "the checkpoint does not say how the head was trained")
    found = unseen(recipe)
    if found is None or evidence.summary.spread < T.spread_error:
        return None
    curves, shortest = evidence.curves, recipe.sampling.min_segment_len
    total, frames = curves.clock.bias_before(shortest)
    bias = total / frames if frames else math.nan
    ahead = max(0.0, curves.bias_in(4, 5))
    if not bias - ahead >= T.unseen:
        return None
    return Finding(
        found.id,
        found.severity,
        f"{found.title}; there it answers {number(bias, 2)} too much",
        found.why,
        {
            **found.evidence,
            "bias_unseen": bias,
            "bias_middle_fifth": curves.bias_in(4, 5),
            "frames_unseen": frames,
            "threshold": T.unseen,
        },
        found.fix,
        max(0.0, total / curves.frames),
        "Right answers at these frames",
        against=found.against,
    )


def unseen(recipe: Recipe) -> Finding | None:
    """Return the finding that the recipe's sampling alone gives cause for, if any."""
    shortest = recipe.sampling.min_segment_len
    if recipe.sampling.frames == "every" or shortest < 2:
        return None
    frames = "frame 1" if shortest == 2 else f"frames 1 to {shortest - 1}"
    return Finding(
        "unseen-start",
        "warning",
        f"Training never shows {frames} of an action",
        f"Prefixes of fewer than {shortest} frames are never drawn, so that the smallest target of "
        f"a ten-frame action is {number(min(shortest, 10) / 10, 1)}. What a beginning looks like "
        "is not to be learnt from that.",
        {"min_segment_len": shortest},
        ("s",),
        against=("c",),
    )


def orderless(recipe: Recipe) -> Finding | None:
    """Return the finding that the kind of head alone gives cause for, if any."""
    if recipe.head.kind != "pooled":
        return None
    return Finding(
        "order-blind",
        "warning",
        "A pooled head cannot use the order of the frames: it reads their mean",
        ORDER_MATTERS,
        {"head": recipe.head.kind},
        advice=ORDER_ADVICE,
    )


STARVED_HEAD = Check("starved-head", starved_head, 0, "step")
UNSEEN_START = Check("unseen-start", unseen_start, T.segments, "checkpoint")
