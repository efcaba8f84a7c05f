"""What users call the things that can be explained, and what they may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from progfix.solutions import SOLUTIONS

__all__ = ["SYNONYMS", "nearest", "understood"]

SYNONYMS: Mapping[str, str] = {
    "none": "baseline",  # as --solution may say
    **{solution.name: letter for letter, solution in SOLUTIONS.items()},
    # As screens have it.
    "vs 0.5": "skill_constant",
    "answering 0.5": "skill_constant",
    "vs count": "skill_frame_counting",
    "counting frames": "skill_frame_counting",
    "frame counting": "skill_frame_counting",
    "/action": "skill_frame_counting_per_action",
    "counting per action": "skill_frame_counting_per_action",
    "knowing the action": "skill_frame_counting_per_action",
    "no fall": "monotonicity",
    "first": "first_frame_median",
    "last": "last_frame_median",
    "5 to 95 %": "prediction_p05",
    "in 50 %": "coverage_50",
    "in 80 %": "coverage",
    "in 95 %": "coverage_95",
    "80 % wide": "interval_width",
    # As the literature has it.
    "value-order correlation": "voc",
    "average index": "skill_frame_counting",
    "fitted on": "leave-one-video-out",
    "loo": "leave-one-video-out",
}
"""Other names of topics."""


def understood(text: str, names: Iterable[str]) -> str | None:
    """Return the topic that a user means, whatever the case, hyphens, spaces and underscores.

    Args:
        text: What was typed.
        names: Of all topics.

    Returns:
        None where there is none of the name.
    """
    meant = {_folded(name): topic for name, topic in SYNONYMS.items()}
    meant |= {_folded(name): name for name in names}
    return meant.get(_folded(text))


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """Return what a user may have meant who typed something that is no topic.

    Topics of which it is a part come first; else the nearest in spelling, if any is near.
    """
    typed, known = _folded(text), list(names)
    within = [name for name in known if typed and typed in _folded(name).split("-")]
    if within:
        return within
    spelled = {_folded(name): topic for name, topic in SYNONYMS.items()}
    spelled |= {_folded(name): name for name in known}
    close = get_close_matches(typed, spelled, n=1, cutoff=0.5)
    return [spelled[name] for name in close]


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", text.strip().lower())
