"""The diagnosis in one or two sentences."""

from __future__ import annotations

from collections.abc import Sequence

from progfix.diagnosis.evidence import Evidence
from progfix.diagnosis.model import Finding
from progfix.diagnosis.skill import rising_map_suffices
from progfix.diagnosis.text import compared, many, number, percent, span
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.diagnosis.training import trained_sign

__all__ = ["EXACT", "behind", "notices", "verdict"]

_LOOKS_FINE = 0.27
EXACT = 1e-6
"""MAE below which nothing but the target itself can have been answered."""
_SHORT = {
    "backwards": "its answers fall while the action goes on",
    "early-bias": "actions start too high",
    "late-saturation": "it stops rising before the end",
    "non-monotone": "it falls back again and again",
    "collapsed-range": "its answers span far less than the truth",
    "same-curve": "every segment gets the same curve",
    "deceptive-middle": "only the middle of actions is right",
    "no-skill": "counting frames does as well",
    "future-leak": "it sees the future",
    "ignores-embeddings": "it reads nothing of the video",
    "order-blind": "it does not use the order of the frames",
    "position-contradiction": "its position input contradicts itself",
    "duration-blind-embeddings": "its embeddings say nothing of durations",
    "head-loses-progress": "a simple predictor reads more from the same embeddings",
    "unseen-start": "training never shows it how actions begin",
    "starved-head": "its recipe would starve it",
    "miscalibrated": "its intervals do not hold what they promise",
}
"""Findings within a sentence; others are told by their titles."""


def verdict(evidence: Evidence, findings: Sequence[Finding]) -> str:
    """Return what the findings come down to, in plain words.

    Args:
        evidence: What they were made from.
        findings: In order of rank.
    """
    by_id = {finding.id: finding for finding in findings}
    s = evidence.summary
    if evidence.off_scale is not None:
        return evidence.off_scale.words()
    if "untrained-head" in by_id:
        return _untrained(evidence, by_id)
    if evidence.no_predictions is not None:
        return _file_alone(evidence)
    if s.mae < EXACT and evidence.probes.inputs:
        return (
            "Every prediction equals its target exactly, which takes knowing when the action will "
            "end."
        )
    if s.mae < EXACT:
        return (
            "Every prediction equals its target exactly: an oracle, or a table whose "
            "prediction column holds the target."
        )
    segments = evidence.curves.segments
    if segments < T.segments:
        return (
            f"Too little to judge: {many(segments, 'segment')}{_in_all(evidence)}. "
            f"{_seen(evidence, findings)}"
        )
    return _seen(evidence, findings)


def _in_all(evidence: Evidence) -> str:
    """Say how many segments there would be without the split, and for whom that is honest."""
    every = evidence.segments_in_data
    if every <= evidence.curves.segments:
        return ""
    return f" (`--split all` has {every:,}: fair to a model that was trained on none of them)"


def _seen(evidence: Evidence, findings: Sequence[Finding]) -> str:
    """Return what the predictions show, however few they are."""
    by_id = {finding.id: finding for finding in findings}
    s = evidence.summary
    worst = by_id.get("no-skill")
    flat = s.spread < T.spread_error
    if evidence.skill.constant < T.skill_constant and (
        flat or (worst is not None and worst.severity == "error")
    ):
        return _nothing_learnt(evidence, flat=flat, backwards="backwards" in by_id)
    standing = _standing(evidence)
    serious = [finding for finding in findings if finding.severity != "info"]
    if serious and serious[0].id == "ignores-embeddings" and _alike(evidence):
        return (
            "It counts time and reads nothing of the video. Where actions take equally long, that "
            f"is enough to look good: {standing[0].lower()}{standing[1:]}."
        )
    if worst is not None and worst.severity == "warning":
        causes = [f.id for f in serious if f.role == "cause" and f.id in _SHORT.keys() - _NO_REASON]
        because = _SHORT[causes[0]] if causes else ""
        if rising_map_suffices(evidence):
            because = (
                "its answers are in the right order, and recalibrated by the best rising map its "
                f"MAE would be {number(evidence.oracles['isotonic'])}"
            )
        counting = compared(evidence.skill.frame_counting, "counting frames", T.skill_counting)
        return (
            f"Better than a constant (MAE {number(s.mae)} against {number(s.mae_constant)}), but "
            f"{counting} ({number(s.mae_frame_counting)})" + (f": {because}." if because else ".")
        )
    if serious:
        short = _SHORT.get(serious[0].id)
        joined = ";" if ", but " in standing else ", but"
        return f"{standing}{joined} {short}." if short else f"{standing}. {serious[0].title}."
    if evidence.curves.segments < T.segments:
        return f"{standing}."
    doubt = behind(evidence)
    return f"{standing}{doubt}." if doubt else f"No fault found. {standing}."


_NO_REASON = frozenset({"no-skill", "future-leak"})
"""Findings that do not say why counting frames does as well: seeing the future helps."""


def behind(evidence: Evidence) -> str:
    """Say why a source without a serious finding is not sound, after its standing.

    Returns:
        Empty where it is better than a constant and than counting frames.
    """
    s, skill = evidence.summary, evidence.skill
    if skill.constant < T.skill_constant:
        return f", which {many(s.videos, 'video')} cannot tell from chance"
    if _alike(evidence) and not skill.frame_counting > T.skill_counting:
        return ": durations hardly differ here, so that a clock is nearly right and this data " + (
            "cannot show whether it sees anything"
        )
    if skill.frame_counting < -T.skill_counting:
        few = evidence.curves.segments < T.clock_segments
        least = many(evidence.curves.segments if few else s.videos, "segment" if few else "video")
        return f", which {least} cannot tell from chance"
    return ""


def _alike(evidence: Evidence) -> bool:
    return evidence.curves.clock.target_explained() > T.durations_alike


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


def _nothing_learnt(evidence: Evidence, *, flat: bool, backwards: bool) -> str:
    s = evidence.summary
    level = span(s.prediction_low, s.prediction_high)
    if flat and s.mae <= _LOOKS_FINE:
        than = compared(evidence.skill.constant, "a constant", T.skill_constant)
        return (
            f"Looks fine by its loss (MAE {number(s.mae)}), but answers {level} everywhere: {than}."
        )
    than = compared(evidence.skill.constant, "answering 0.5 every time", T.skill_constant)
    return f"{than[0].upper()}{than[1:]} (MAE {number(s.mae)} against {number(s.mae_constant)})" + (
        f": it answers {level} everywhere."
        if flat
        else ": its answers fall while the action goes on."
        if backwards
        else "."
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
    beaten = ""
    if s.mae > s.mae_frame_counting:
        # Where counting makes no error, skill against it is undefined.
        against = skill.frame_counting if s.mae_frame_counting > 0 else -1.0
        than = compared(against, "counting frames", T.skill_counting)
        beaten = f", but {than} ({number(s.mae_frame_counting)})"
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
    clipped = s.mae - evidence.oracles.get("clip", s.mae)
    if clipped > 0.001:
        found.append(
            f"predictions leave the range from 0 to 1; clipping them would save {number(clipped)}."
        )
    if s.mae_frame_counting >= s.mae_constant:
        found.append(
            f"counting frames ({number(s.mae_frame_counting)}) is itself no better than a "
            f"constant ({number(s.mae_constant)}) here, so skill against it says little."
        )
    if s.segments and evidence.curves.clock.target_explained() > T.durations_alike:
        found.append("durations hardly differ here, so that counting frames is hard to beat.")
    return tuple(found)
