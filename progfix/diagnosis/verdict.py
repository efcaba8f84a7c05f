"""The diagnosis in one or two sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from progfix.diagnosis.evidence import Evidence
from progfix.diagnosis.model import Finding, Summary
from progfix.diagnosis.text import number, percent, span
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.diagnosis.training import trained_sign
from progfix.evaluation.suspicion import unit_hint

__all__ = ["notices", "verdict"]

_LOOKS_FINE = 0.27
_EXACT = 1e-6
_SHORT = {
    "backwards": "its answers fall while the action goes on",
    "early-bias": "actions start too high",
    "late-saturation": "it stops rising before the end",
    "non-monotone": "it falls back again and again",
    "collapsed-range": "its answers span far less than the truth",
    "same-curve": "every segment gets the same curve",
    "deceptive-middle": "only the middle of actions is right",
    "no-skill": "counting frames does as well",
}


def verdict(evidence: Evidence, findings: Sequence[Finding]) -> str:
    """Return what the findings come down to, in plain words.

    Args:
        evidence: What they were made from.
        findings: In order of rank.
    """
    by_id = {finding.id: finding for finding in findings}
    s = evidence.summary
    if "untrained-head" in by_id:
        return _untrained(evidence, by_id)
    if evidence.no_predictions is not None:
        return _file_alone(evidence)
    if s.mae < _EXACT:
        return (
            "Every prediction equals its target exactly: an oracle, or a table whose "
            "prediction column holds the target."
        )
    segments = evidence.curves.segments
    if segments < T.segments:
        return f"Too little to judge: {_count(segments, 'segment')}. {_seen(evidence, findings)}"
    return _seen(evidence, findings)


def _seen(evidence: Evidence, findings: Sequence[Finding]) -> str:
    """Return what the predictions show, however few they are."""
    by_id = {finding.id: finding for finding in findings}
    s = evidence.summary
    worst = by_id.get("no-skill")
    flat = s.spread < T.spread_error
    if evidence.skill.constant < T.skill_constant and (
        flat or (worst is not None and worst.severity == "error")
    ):
        return _nothing_learnt(s, flat=flat, backwards="backwards" in by_id)
    standing = _standing(evidence)
    if worst is not None and worst.severity == "warning":
        causes = [f.id for f in findings if f.role == "cause" and f.id in _SHORT]
        because = _SHORT[causes[0]] if causes and causes[0] != "no-skill" else ""
        return (
            f"Better than a constant (MAE {number(s.mae)} against {number(s.mae_constant)}), but "
            f"no better than counting frames ({number(s.mae_frame_counting)})"
            + (f": {because}." if because else ".")
        )
    if any(finding.severity != "info" for finding in findings):
        return f"{standing}, but {_SHORT.get(findings[0].id, findings[0].title)}."
    few = evidence.curves.segments < T.segments
    return f"{standing}." if few else f"No fault found. {standing}."


def _file_alone(evidence: Evidence) -> str:
    checkpoint, reason = evidence.checkpoint, evidence.no_predictions
    if checkpoint is None:
        return f"Nothing to judge: {reason}."
    return f"{trained_sign(checkpoint)} Whether it is any good, the file alone cannot tell."


def _untrained(evidence: Evidence, by_id: dict[str, Finding]) -> str:
    sure = by_id["untrained-head"].severity == "error"
    text = "The head never trained" if sure else "The head looks as if it never trained"
    if evidence.no_predictions is not None:
        return f"{text}: nothing else about it matters until it does."
    s = evidence.summary
    if "collapsed-range" in by_id and "no-skill" in by_id:
        return (
            f"{text}. It answers {span(s.prediction_low, s.prediction_high)} whatever it sees, and "
            f"its MAE of {number(s.mae)} is no better than a constant's."
        )
    return f"{text}. Its MAE of {number(s.mae)} is an accident of its initialisation."


def _nothing_learnt(s: Summary, *, flat: bool, backwards: bool) -> str:
    level = span(s.prediction_low, s.prediction_high)
    if flat and s.mae <= _LOOKS_FINE:
        return (
            f"Looks fine by its loss (MAE {number(s.mae)}), but answers {level} everywhere: no "
            "better than a constant."
        )
    than = "Worse than" if s.mae > (1 + T.skill_constant) * s.mae_constant else "No better than"
    return (
        f"{than} answering 0.5 every time (MAE {number(s.mae)} against {number(s.mae_constant)})"
        + (
            f": it answers {level} everywhere."
            if flat
            else ": its answers fall while the action goes on."
            if backwards
            else "."
        )
    )


def _standing(evidence: Evidence) -> str:
    s, skill = evidence.summary, evidence.skill
    if skill.frame_counting > 0:
        return (
            f"{percent(skill.frame_counting)} better than counting frames (MAE {number(s.mae)} "
            f"against {number(s.mae_frame_counting)})"
        )
    constant = f"(MAE {number(s.mae)} against {number(s.mae_constant)})"
    if skill.constant <= 0:
        return f"No better than a constant {constant}"
    beaten = "" if math.isnan(skill.frame_counting) else ", though not than counting frames"
    return f"{percent(skill.constant)} better than a constant {constant}{beaten}"


_MISSING = {
    "segment": "segments begin where the target falls",
    "target": "it is elapsed / duration",
    "action": "nothing is said about counting frames with the action known",
}


def notices(evidence: Evidence) -> tuple[str, ...]:
    """Return what makes the diagnosis less sure, or its input look odd."""
    s = evidence.summary
    found = [
        f"{column} is not in the source; {effect}."
        for column, effect in _MISSING.items()
        if column in evidence.missing
    ]
    hint = unit_hint(s.prediction_low, s.prediction_high)
    if hint is not None:
        found.append(f"{hint}.")
    elif s.mae - evidence.oracles.get("clip", s.mae) > 0.001:
        found.append(
            f"predictions leave the range from 0 to 1; clipping them would save "
            f"{number(s.mae - evidence.oracles['clip'])}."
        )
    if s.mae_frame_counting >= s.mae_constant:
        found.append(
            f"counting frames ({number(s.mae_frame_counting)}) is itself no better than a "
            f"constant ({number(s.mae_constant)}) here, so skill against it says little."
        )
    if s.segments and evidence.curves.clock.target_explained() > T.durations_alike:
        found.append("durations hardly differ here, so that counting frames is hard to beat.")
    return tuple(found)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")
