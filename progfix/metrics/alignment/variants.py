"""Where public code computes something else than the metric's definition: named variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

__all__ = ["DEFINITIONS", "METRICS", "SAME", "VARIANTS", "Variant", "require_variant"]

Variant = Literal["default", "tcc", "carl", "lav", "gtcc"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

METRICS: tuple[str, ...] = (
    "kendalls_tau",
    "wild_tau",
    "phase_progression",
    "phase_classification_10",
    "phase_classification_50",
    "phase_classification_100",
    "ap_5",
    "ap_10",
    "ap_15",
    "eae",
    "video_ogpe",
)

SAME = "as the default"
"""Said of a metric that a variant's code computes by the definition."""


def _each(names: str, text: str) -> dict[str, str]:
    return {name: text for name in METRICS if name.startswith(names)}


_EVERY_FIFTH = "every 5th frame"

DEFINITIONS: Mapping[Variant, Mapping[str, str]] = {
    "default": _each("", "the definition"),
    "tcc": {
        "kendalls_tau": _EVERY_FIFTH,
        "phase_progression": "to where a later action begins, last action left out",
        **_each("phase_classification", SAME),
    },
    "carl": {
        "kendalls_tau": _EVERY_FIFTH,
        "phase_progression": "last action left out, none may be missing in a video",
        **_each("phase_classification", "logistic regression"),
        **_each("ap", _EVERY_FIFTH),
    },
    "lav": {
        "kendalls_tau": _EVERY_FIFTH,
        "phase_progression": "fitted on the scored videos, last action left out",
        **_each("phase_classification", "fitted on the scored videos"),
        **_each("ap", "neighbours in the same video, itself included"),
    },
    "gtcc": {
        "kendalls_tau": "undefined if one pair is",
        "wild_tau": "true match of one frame against the neighbour of the other",
        "phase_progression": "progress of the video, fitted on 80 % of the scored frames",
        **_each("phase_classification", "fitted on a share of the scored frames"),
        "eae": "only alignable frames of the second video count",
        "video_ogpe": "unclipped, normalised by two of the scored videos",
    },
}
"""What each variant computes, by metric; a metric that is absent is not in that code."""


def require_variant(metric: str, variant: str) -> None:
    """Check that a metric has a variant of its own.

    Raises:
        ValueError: If the variant is unknown, or does not differ from the default.
    """
    known = [v for v in VARIANTS if DEFINITIONS[v].get(metric, SAME) != SAME]
    if variant not in known:
        raise ValueError(f"expected a variant of {metric} out of {', '.join(known)}, not {variant}")
