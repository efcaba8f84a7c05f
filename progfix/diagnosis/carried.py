"""Findings from the embeddings: what they do not carry, and what the head loses of it."""

from __future__ import annotations

from progfix.diagnosis.clock import ClockSums
from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.measured import EmbeddingProbe
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.text import number, percent
from progfix.diagnosis.thresholds import THRESHOLDS as T

__all__ = [
    "DURATION_BLIND",
    "HEAD_LOSES_PROGRESS",
    "blind",
    "duration_blind_embeddings",
    "head_loses_progress",
]


def duration_blind_embeddings(evidence: Evidence) -> Finding | NotChecked | None:
    """Find embeddings from which the duration of an action cannot be told."""
    probe = evidence.probes.embeddings
    if probe is None:  # see Check.needs
        return None
    return blind(probe, evidence.curves.clock)


def blind(probe: EmbeddingProbe, clock: ClockSums) -> Finding | NotChecked | None:
    """Return the finding that embeddings alone give cause for, if any.

    Args:
        probe: What simple predictors read from them.
        clock: Of the targets.
    """
    if not clock.target_explained() <= T.durations_alike:
        return NotChecked(
            "duration-blind-embeddings", "durations hardly differ between these segments"
        )
    known = probe.duration
    if not known.value < T.duration_blind or known.high >= T.duration_unsure:
        return None
    return Finding(
        "duration-blind-embeddings",
        "warning",
        "The embeddings say nothing of how long an action takes: they take "
        f"{percent(max(0.0, known.value))} off the error of guessing it from a clock",
        "Progress is elapsed over duration. Where frame 5 of 10 and frame 5 of 50 look alike, no "
        "head can do better than counting frames.",
        {
            "duration_explained_linear": probe.duration_linear.value,
            "duration_explained_neighbours": probe.duration_neighbours.value,
            "duration_explained_high": known.high,
            "action_known": max(probe.action_linear, probe.action_neighbours),
            "action_most_frequent": probe.action_most_frequent,
            "threshold": T.duration_blind,
        },
        advice="Change the features or what trains the encoder; no letter changes embeddings.",
    )


def head_loses_progress(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head that is worse than a simple predictor on the same embeddings."""
    probe = evidence.probes.embeddings
    if probe is None:  # see Check.needs
        return None
    if probe.saved.value < T.lost or not probe.saved.low > 0:
        return None
    linear = probe.mae_linear.value <= probe.mae_neighbours.value
    name = "Ridge regression" if linear else "The mean over nearest neighbours"
    return Finding(
        "head-loses-progress",
        "warning",
        f"The head loses what the embeddings carry: {name[0].lower()}{name[1:]} on them has MAE "
        f"{number(probe.mae)}, the head {number(probe.mae_head)} on the same {probe.frames} frames",
        "It was fitted on other videos, sees the frame, the mean of those so far and their "
        "number, and needs no training to speak of. The encoder is not to blame for the "
        "difference.",
        {
            "mae_head": probe.mae_head,
            "mae_linear": probe.mae_linear.value,
            "mae_neighbours": probe.mae_neighbours.value,
            "mae_clock": probe.mae_clock,
            "saved_low": probe.saved.low,
            "frames": probe.frames,
            "threshold": T.lost,
        },
        ("f", "g", "s"),
        probe.saved.value,
        f"{name} instead",
    )


DURATION_BLIND = Check(
    "duration-blind-embeddings", duration_blind_embeddings, T.clock_segments, "embeddings"
)
HEAD_LOSES_PROGRESS = Check(
    "head-loses-progress", head_loses_progress, T.clock_segments, "embeddings"
)
