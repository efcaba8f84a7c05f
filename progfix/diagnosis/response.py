"""Findings from input probes: what the answers do not depend on, and what they should not."""

from __future__ import annotations

import math
from dataclasses import replace

from progfix.diagnosis.clock import ClockSums
from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.measured import Probe
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.text import number, percent
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.heads.spec import HeadSpec

__all__ = [
    "FUTURE_LEAK",
    "IGNORES_EMBEDDINGS",
    "ORDER_ADVICE",
    "ORDER_BLIND",
    "ORDER_MATTERS",
    "POSITION_CONTRADICTION",
    "content_change",
    "contradiction",
    "future_leak",
    "ignores_embeddings",
    "leak",
    "order_blind",
    "position_contradiction",
]

ORDER_MATTERS = (
    "Beginning and end of an action are the same frames to it in another order, so that it "
    "cannot tell doing from undoing, nor once from twice."
)
ORDER_ADVICE = "Train a head that reads frames one after the other: --head gru."

_CONTENT = ("noise", "zeros", "swapped")


def content_change(evidence: Evidence) -> float:
    """Return the largest change of the answers by other embeddings; NaN where none were tried."""
    return max(_content_changes(evidence).values(), default=math.nan)


def _content_changes(evidence: Evidence) -> dict[str, float]:
    found = {name: evidence.probes.input(name) for name in _CONTENT}
    return {name: probe.change.value for name, probe in found.items() if probe is not None}


def ignores_embeddings(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head whose answers stay when the embeddings are exchanged.

    Nothing is said where the range has collapsed: a flat line follows from any input.
    """
    changes = _content_changes(evidence)
    if evidence.summary.spread < T.spread_error or max(changes.values()) >= T.unmoved:
        return None
    alike = evidence.curves.clock.target_explained() > T.durations_alike
    carried = evidence.probes.embeddings
    return Finding(
        "ignores-embeddings",
        "warning",
        f"The embeddings are not used: noise, zeros or another action's frames in their place "
        f"move the answers by {number(max(changes.values()))} at most",
        "What is left to go by is the number of frames. Whatever the video shows, the answers are "
        "the same: an action that stands still, or fails, is said to be done.",
        {f"change_{name}": change for name, change in changes.items()} | {"threshold": T.unmoved},
        () if alike else ("g", "s"),
        math.nan if carried is None else max(0.0, carried.mae_head - carried.mae),
        "A simple predictor that uses them" if carried is not None else "",
        "Durations hardly differ here, so that training and score reward a clock: use actions that "
        "take longer, stop or fail, for both."
        if alike
        else "",
    )


def order_blind(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head that uses the frames, but not their order."""
    shuffled = evidence.probes.input("shuffled")
    changes = _content_changes(evidence)
    if shuffled is None:
        return NotChecked("order-blind", "no segment has two frames")
    if shuffled.change.value >= T.order or max(changes.values()) < T.unmoved:
        return None
    if evidence.summary.spread < T.spread_error:
        return None
    return Finding(
        "order-blind",
        "warning",
        f"The order of the frames is not used: shuffling those seen so far moves the answers by "
        f"{number(shuffled.change.value)}",
        ORDER_MATTERS,
        {
            "change_shuffled": shuffled.change.value,
            "mae_change_shuffled": shuffled.mae_change.value,
            "change_swapped": changes.get("swapped", math.nan),
            "threshold": T.order,
        },
        advice=ORDER_ADVICE,
    )


def future_leak(evidence: Evidence) -> Finding | NotChecked | None:
    """Find answers or embeddings that depend on frames that are still to come."""
    return leak(evidence.probes.input("future"))


def leak(future: Probe | None) -> Finding | NotChecked | None:
    """Return the finding that another future after the same past gives cause for, if any."""
    if future is None:
        return NotChecked("future-leak", "no segment has frames after its middle")
    moved, embeddings = future.change.value, future.embedding_change
    by_answer, by_embedding = moved >= T.future, embeddings >= T.future_embedding
    if not (by_answer or by_embedding):
        return None
    return Finding(
        "future-leak",
        "error" if moved >= T.future_error else "warning",
        f"It sees the future: other frames later in the video move the answers before them by "
        f"{number(moved)}"
        if by_answer
        else f"The embeddings see the future: other frames later in the video move those before "
        f"them by {percent(embeddings)} of their spread",
        "Progress has to be said while the action goes on. "
        + (
            "What the encoder makes of a frame depends on later ones, so that these scores "
            "hold for recordings only."
            if by_embedding
            else "The head reads the whole segment before it answers its first frame, so that "
            "these scores cannot be had while it goes on."
        ),
        {
            "change_of_answers": moved,
            "change_of_embeddings": embeddings,
            "frames": future.frames,
            "threshold_answers": T.future,
            "threshold_embeddings": T.future_embedding,
        },
        advice="Use an encoder and a head that see past frames only, or say that the scores are "
        "those of whole recordings.",
    )


def position_contradiction(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head whose position input asks for different answers to the same question.

    It is held against a head that follows elapsed frames alone or is no better than counting
    them.
    """
    if evidence.checkpoint is None:  # see Check.needs
        return None
    clock = evidence.curves.clock
    found = contradiction(evidence.checkpoint.model.head.spec, clock)
    if found is None:
        return None
    follows = clock.response() < T.response and clock.explained() >= T.clock_explained
    if evidence.summary.spread < T.spread_error or not (
        follows or evidence.skill.frame_counting < T.skill_counting
    ):
        return None
    numbers = {
        "response_to_duration": clock.response(),
        "explained_by_elapsed": clock.explained(),
        "skill_frame_counting": evidence.skill.frame_counting,
        "threshold": T.response,
    }
    return replace(found, evidence={**found.evidence, **numbers})


def contradiction(spec: HeadSpec, clock: ClockSums) -> Finding | None:
    """Return the finding that a head's input alone gives cause for, if any.

    The last frame of every prefix of T frames sits at (T - 1)/T, in an action of 5 frames
    as in one of 500 (solution a).

    Args:
        spec: The head's inputs.
        clock: Of the targets that it is to predict.
    """
    if "position" not in spec.extra or not clock.target_explained() <= T.durations_alike:
        return None
    return Finding(
        "position-contradiction",
        "warning",
        "The position input contradicts itself: the last frame of any T frames sits at (T - 1)/T, "
        f"where the truth is spread by {number(clock.target_spread(), 2)}",
        "After 10 frames of an action of 10 and of one of 100 the head reads the same position, "
        "and should answer 1 and .1. It can only answer the average.",
        {"target_spread_at_equal_elapsed": clock.target_spread()},
        ("f", "s"),
        against=("a",),
        advice="Leave a out: f is a clock that means the same in every prefix.",
    )


IGNORES_EMBEDDINGS = Check("ignores-embeddings", ignores_embeddings, 1, "inputs")
ORDER_BLIND = Check("order-blind", order_blind, T.segments, "inputs")
FUTURE_LEAK = Check("future-leak", future_leak, 1, "inputs")
POSITION_CONTRADICTION = Check(
    "position-contradiction", position_contradiction, T.clock_segments, "checkpoint"
)
