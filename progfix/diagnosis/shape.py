"""Findings about the shape of the answers: range, ends, and falls."""

from __future__ import annotations

import math

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.text import number, percent, span
from progfix.diagnosis.thresholds import THRESHOLDS as T

__all__ = [
    "BACKWARDS",
    "COLLAPSED_RANGE",
    "DECEPTIVE_MIDDLE",
    "EARLY_BIAS",
    "LATE_SATURATION",
    "NON_MONOTONE",
    "backwards",
    "collapsed_range",
    "deceptive_middle",
    "early_bias",
    "late_saturation",
    "non_monotone",
]


def _saved(evidence: Evidence, repair: str) -> float:
    after = evidence.oracles.get(repair, math.nan)
    return max(0.0, evidence.summary.mae - after)


def collapsed_range(evidence: Evidence) -> Finding | NotChecked | None:
    """Find predictions that vary far less than the targets do."""
    s = evidence.summary
    if s.frames < T.frames or s.target_high - s.target_low < T.targets:
        return NotChecked("collapsed-range", "targets hardly differ between these frames")
    if s.spread >= T.spread_warning:
        return None
    collapsed = s.spread < T.spread_error
    saved = _saved(evidence, "affine")
    if s.mae - saved > s.mae_constant - T.stretched:
        follows = "and what little they move hardly follows it."
    elif s.last_frame_median < s.first_frame_median:
        follows = "and they run backwards: they fall while the action goes on."
    else:
        follows = "but they follow it: stretched, they would beat a constant."
    return Finding(
        "collapsed-range",
        "error" if collapsed else "warning",
        f"Answers stay at {span(s.prediction_low, s.prediction_high)}, while the truth runs from "
        f"{span(s.target_low, s.target_high)}",
        f"Answers vary {percent(s.spread)} as much as the truth, {follows}"
        if s.spread > 0
        else "Every answer is the same, whatever the video shows.",
        {
            "spread": s.spread,
            "prediction_low": s.prediction_low,
            "prediction_high": s.prediction_high,
            "target_low": s.target_low,
            "target_high": s.target_high,
            "threshold": T.spread_error if collapsed else T.spread_warning,
        },
        ("f", "g", "s"),
        saved,
        "The best stretch and shift",
    )


def deceptive_middle(evidence: Evidence) -> Finding | NotChecked | None:
    """Find an average that looks fair because the middle of actions is easy to hit."""
    curves = evidence.curves
    first, middle, last = curves.mae_in(0, 1), curves.mae_in(4, 5), curves.mae_in(8, 9)
    if math.isnan(first + middle + last):
        return NotChecked("deceptive-middle", "no frames at the beginning, middle or end")
    ends = min(first, last)
    if ends < T.middle_end or ends < T.middle_ratio * middle:
        return None
    return Finding(
        "deceptive-middle",
        "error" if ends >= T.middle_end_error else "warning",
        f"The average hides it: error {number(first, 2)} at the beginning, {number(middle, 2)} "
        f"in the middle, {number(last, 2)} at the end",
        "Whatever stays near 0.5 is right in the middle of every action, which pulls the mean "
        "error down. Judge by the ends.",
        {
            "mae_first_fifth": first,
            "mae_middle_fifth": middle,
            "mae_last_fifth": last,
            "threshold_ratio": T.middle_ratio,
            "threshold_end": T.middle_end,
        },
        ("f", "g", "s"),
    )


def early_bias(evidence: Evidence) -> Finding | NotChecked | None:
    """Find actions that start far above zero, and more so than they go on."""
    s, curves = evidence.summary, evidence.curves
    total, frames = curves.early_bias
    early = total / frames if frames else math.nan
    first = s.first_frame_median - s.first_frame_target
    # A head that runs ahead all the way has another fault than its beginning.
    ahead = max(0.0, curves.bias_in(4, 5))
    whole = early - ahead >= T.early
    if not (whole or first - ahead >= T.first_frame):
        return None
    where = "in the first tenth" if whole else "at the first frame"
    return Finding(
        "early-bias",
        "error" if whole else "warning",
        f"Starts too high: {number(early if whole else first, 2)} too much {where}",
        "A head that was never shown first frames, or has no clock, cannot know that an "
        "action has only begun, and answers near the middle.",
        {
            "bias_first_tenth": early,
            "bias_middle_fifth": curves.bias_in(4, 5),
            "first_frame_median": s.first_frame_median,
            "first_frame_target": s.first_frame_target,
            "threshold": T.early if whole else T.first_frame,
        },
        ("f", "h", "s"),
        _saved(evidence, "early_repaired"),
        "Being right in the first tenth",
    )


def late_saturation(evidence: Evidence) -> Finding | NotChecked | None:
    """Find curves that stop rising before the end."""
    curves = evidence.curves
    total, frames = curves.late_bias
    late = total / frames if frames else math.nan
    slope, allowed = curves.late.value(), _allowed_late_slope(evidence)
    if math.isnan(slope) or late > -T.late or slope >= allowed:
        return None
    return Finding(
        "late-saturation",
        "error" if late <= -T.late_error else "warning",
        f"Stops rising before the end: {number(-late, 2)} too low in the last tenth",
        f"In the last fifth of an action the answer rises by {number(slope, 2)} for each 1.0 "
        "that it should. A sigmoid has to be pushed as far from .80 to .98 as from .25 to .80.",
        {
            "bias_last_tenth": late,
            "slope_last_fifth": slope,
            "slope_last_fifth_frame_counting": curves.counting_late_slope(),
            "last_frame_median": evidence.summary.last_frame_median,
            "threshold_bias": -T.late,
            "threshold_slope": allowed,
        },
        ("s",),
        _saved(evidence, "late_repaired"),
        "Being right in the last tenth",
    )


def _allowed_late_slope(evidence: Evidence) -> float:
    """Return the slope in the last fifth below which a curve is said to stand still.

    Whoever does not know the duration cannot see the end coming, and rightly answers less
    than 1 there. So a head that knows no more than the clock and the action must rise much
    less than the clock, and a clock is not said to saturate at all.
    """
    curves, skill = evidence.curves, evidence.skill
    response = curves.clock.response()
    if evidence.summary.spread < T.spread_error:
        return T.late_slope
    if not curves.clock.target_explained() > T.durations_alike:
        if response < T.response and curves.clock.explained() >= T.clock_explained:
            return -math.inf
        by_counting = min(skill.frame_counting, skill.frame_counting_per_action)
        if response >= T.response and not by_counting < T.knows_duration:
            return T.late_slope
        if curves.segments < T.clock_segments:
            return -math.inf
    return min(T.late_slope, curves.counting_late_slope() / 2)


def backwards(evidence: Evidence) -> Finding | NotChecked | None:
    """Find curves that fall while the action goes on."""
    rank = evidence.rank_with_time
    if not rank < T.backwards or evidence.rank_with_time_high >= T.backwards:
        return None
    return Finding(
        "backwards",
        "error",
        f"Runs backwards: answers fall while the action goes on (rank correlation with time "
        f"{number(rank, 2)})",
        "Whatever has learnt something rises. Look for frames or targets in reverse order, or for "
        "an answer that means what is left instead of what is done.",
        {
            "rank_with_time": rank,
            "rank_with_time_high": evidence.rank_with_time_high,
            "threshold": T.backwards,
        },
        ("f", "g", "s"),
        _saved(evidence, "affine"),
        "The best stretch and shift",
    )


def non_monotone(evidence: Evidence) -> Finding | NotChecked | None:
    """Find curves that fall back again and again."""
    curves = evidence.curves
    fall = curves.falls / curves.frames
    if fall < T.fall:
        return None
    return Finding(
        "non-monotone",
        "error" if fall >= T.fall_error else "warning",
        f"Falls back: answers lie {number(fall, 2)} below what they had already reached",
        "Progress of one action never falls. A head that answers how long is left falls less "
        "often and less far.",
        {"mean_fall": fall, "threshold": T.fall},
        ("h",),
        _saved(evidence, "monotone_envelope"),
        "The nearest rising curve",
    )


BACKWARDS = Check("backwards", backwards, T.segments)
COLLAPSED_RANGE = Check("collapsed-range", collapsed_range, 1)
DECEPTIVE_MIDDLE = Check("deceptive-middle", deceptive_middle, T.segments)
EARLY_BIAS = Check("early-bias", early_bias, T.segments)
LATE_SATURATION = Check("late-saturation", late_saturation, T.segments)
NON_MONOTONE = Check("non-monotone", non_monotone, T.segments)
