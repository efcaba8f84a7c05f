"""The ladder from knowing nothing to being right, and where the head stands on it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from progfix.diagnosis.evidence import Evidence
from progfix.diagnosis.model import Rung

__all__ = ["REPAIRS", "best_repair", "ladder"]

REPAIRS: Mapping[str, str] = {
    "clip": "clipped to [0, 1]",
    "affine": "stretched and shifted",
    "isotonic": "recalibrated by the best rising map",
    "monotone_envelope": "made to rise",
    "exact_duration": "with the right duration",
    "early_repaired": "right in the first tenth",
    "late_repaired": "right in the last tenth",
}
"""Repairs of the head's own answers, in words; frame counting in its place is not one."""


def best_repair(oracles: Mapping[str, float]) -> str | None:
    """Return the repair after which the error is least; None without any."""
    return min((name for name in REPAIRS if name in oracles), key=oracles.__getitem__, default=None)


def ladder(evidence: Evidence) -> tuple[Rung, ...]:
    """Return the rungs that are known; none without predictions on the scale of progress."""
    s, probe = evidence.summary, evidence.probes.embeddings
    if not s.frames or evidence.off_scale is not None:
        return ()
    repair = best_repair(evidence.oracles)
    rungs = [
        Rung("constant", "answering 0.5", s.mae_constant),
        Rung("frame_counting", "counting frames", s.mae_frame_counting),
        Rung(
            "frame_counting_per_action", "counting, action known", s.mae_frame_counting_per_action
        ),
        # Estimated from some frames, and the same beside any head that reads these embeddings.
        Rung(
            "embedding_probe",
            "a simple predictor on the embeddings",
            math.nan if probe is None else probe.mae,
        ),
        Rung("head", "this source", s.mae),
        Rung(
            "repaired",
            f"its answers, {REPAIRS[repair]}" if repair else "",
            evidence.oracles[repair] if repair else math.nan,
        ),
        Rung("perfect", "always right", 0.0),
    ]
    return tuple(rung for rung in rungs if not math.isnan(rung.mae))
