"""Findings about skill: is the head better than predictors that see no video?"""

from __future__ import annotations

import math

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.response import content_change
from progfix.diagnosis.text import compared, number, percent
from progfix.diagnosis.thresholds import THRESHOLDS as T

__all__ = [
    "NO_SKILL",
    "SAME_CURVE",
    "SWAP",
    "no_skill",
    "rising_map_suffices",
    "same_curve",
    "swap_gain",
]

_FIX = ("f", "g", "s")
SWAP = "Counting frames instead"


def swap_gain(evidence: Evidence) -> float:
    """Return the MAE that frame counting in place of the head would save, at least 0."""
    saved = evidence.summary.mae - evidence.summary.mae_frame_counting
    return saved if math.isnan(saved) else max(0.0, saved)


def rising_map_suffices(evidence: Evidence) -> bool:
    """Whether recalibrating the answers would at least halve the error, and beat counting."""
    s = evidence.summary
    after = evidence.oracles.get("isotonic", math.nan)
    return after <= min(s.mae, s.mae_frame_counting) / 2


def _map_advice(evidence: Evidence) -> str:
    if not rising_map_suffices(evidence):
        return ""
    return (
        "Its answers are in the right order, and only stand for other values: mapped by the best "
        f"rising map, their MAE would be {number(evidence.oracles['isotonic'])}. Such a map, "
        "fitted on videos that are not judged (scikit-learn's IsotonicRegression), is cheaper than "
        "training anew."
    )


def no_skill(evidence: Evidence) -> Finding | NotChecked | None:
    """Find a head no better than a constant (error) or than counting frames.

    The latter is a warning, or mere information where durations hardly differ, so that
    counting is nearly perfect and says nothing against a head that is not far behind.
    """
    s, skill = evidence.summary, evidence.skill
    numbers = {
        "mae": s.mae,
        "mae_constant": s.mae_constant,
        "mae_frame_counting": s.mae_frame_counting,
        "skill_constant": skill.constant,
        "skill_frame_counting": skill.frame_counting,
    }
    if skill.constant < T.skill_constant and not evidence.skill_constant_high >= T.trained_skill:
        return Finding(
            "no-skill",
            "error",
            f"MAE {number(s.mae)} is "
            f"{compared(skill.constant, 'answering 0.5 every time', T.skill_constant)} "
            f"({number(s.mae_constant)})",
            "A constant 0.5 scores about .25 on any action, so a loss of .25 or more means that "
            "nothing was learnt.",
            {**numbers, "threshold": T.skill_constant},
            _FIX,
            swap_gain(evidence),
            SWAP,
            advice=_map_advice(evidence),
        )
    few = evidence.curves.segments < T.clock_segments
    unsure = evidence.skill_counting_high >= T.skill_counting_unsure
    if few or unsure or not skill.frame_counting < T.skill_counting:
        return None
    alike = evidence.curves.clock.target_explained() > T.durations_alike
    far = s.mae - s.mae_frame_counting >= T.behind_clock
    return Finding(
        "no-skill",
        "info" if alike and not far else "warning",
        f"MAE {number(s.mae)} is "
        f"{compared(skill.frame_counting, 'counting frames', T.skill_counting)} "
        f"({number(s.mae_frame_counting)})",
        "Durations hardly differ here, so that counting frames is nearly right. This data cannot "
        "show whether the video is used."
        if alike
        else "A predictor that only knows how many frames have passed, and how long actions "
        "usually take, does as well without any video.",
        {**numbers, "threshold": T.skill_counting},
        () if alike and not far else _FIX,
        swap_gain(evidence),
        SWAP,
        advice=_map_advice(evidence),
    )


def same_curve(evidence: Evidence) -> Finding | NotChecked | None:
    """Find answers that depend on the frames elapsed and not on the action's duration.

    Nothing is said where the range has collapsed: a flat line is the same everywhere.
    """
    if evidence.summary.spread < T.spread_error:
        return None
    clock = evidence.curves.clock
    response, explained = clock.response(), clock.explained()
    alike = clock.target_explained()
    if math.isnan(response) or not alike <= T.durations_alike:
        return NotChecked(
            "same-curve",
            "durations hardly differ between these segments, so that counting frames is right",
        )
    if math.isnan(explained) or explained < T.clock_explained or response >= T.response:
        return None
    saved = evidence.summary.mae - evidence.summary.mae_frame_counting_per_action
    return Finding(
        "same-curve",
        "warning",
        f"Every segment gets {'the' if explained >= T.clock_wholly else 'much the'} same curve: "
        f"frames elapsed explain {percent(explained)} of what it says",
        "At the same frame, short and long actions should get different answers; here the "
        f"answer moves by {number(response)} for each 1.0 that the truth moves. "
        f"{_use_of_video(evidence)}",
        {
            "response_to_duration": response,
            "explained_by_elapsed": explained,
            "target_explained_by_elapsed": alike,
            "threshold": T.response,
        },
        ("g", "h", "s"),
        # Knowing the action is one way of knowing durations; where it does not help, what
        # knowing them would save is not known from here.
        saved if saved > 0 else math.nan,
        "Counting frames with the action known" if saved > 0 else "",
    )


def _use_of_video(evidence: Evidence) -> str:
    """Say what the probes show of the video's part in answers that follow the clock."""
    moved = content_change(evidence)
    if math.isnan(moved):
        return (
            "That is a clock. Whether it reads the video and makes nothing of it, or does not "
            "read it, only the model with its data can show."
        )
    if moved < T.unmoved:
        return "That is a clock: it counts frames and ignores what the embeddings show."
    return (
        f"It does read the embeddings (others in their place move its answers by {number(moved)}), "
        "but not for how long the action will take."
    )


NO_SKILL = Check("no-skill", no_skill, T.segments)
SAME_CURVE = Check("same-curve", same_curve, T.clock_segments)
