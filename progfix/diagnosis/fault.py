"""Where the error comes from: data, encoder, head, training, or the way it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from progfix.data.findings import FINDINGS as DATA_FINDINGS
from progfix.diagnosis.evidence import Evidence
from progfix.diagnosis.measured import EmbeddingProbe
from progfix.diagnosis.model import Fault, Finding, Place
from progfix.diagnosis.text import number
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.diagnosis.verdict import EXACT, behind

__all__ = ["KNOWN", "PLACES", "find_fault"]

PLACES: Mapping[str, Place] = {
    **dict.fromkeys(DATA_FINDINGS, "data"),
    "untrained-head": "training",
    "starved-head": "training",
    "unseen-start": "training",
    "duration-blind-embeddings": "encoder",
    "future-leak": "encoder",
    "position-contradiction": "head",
    "ignores-embeddings": "head",
    "order-blind": "head",
    "head-loses-progress": "head",
    "miscalibrated": "head",
    "deceptive-middle": "metric",
    "wrong-scale": "metric",
}
"""What a finding blames, where it blames anything: the others describe answers, and several
causes would explain them."""

KNOWN = Fault("nowhere", None, "")
"""Of a baseline, which is as it was made."""

_SCALE = Fault(
    "metric",
    "wrong-scale",
    "The fault lies in the scale of the answers (wrong-scale); what the model is worth shows when "
    "they are progress.",
)

_IN_WORDS: Mapping[Place, str] = {
    "data": "in the data",
    "encoder": "in the encoder",
    "head": "in the head",
    "training": "in the training",
    "metric": "in how the error is read",
}


def find_fault(evidence: Evidence, findings: Sequence[Finding]) -> Fault:
    """Say where the error comes from, and what decided it.

    The first cause that blames something decides; a warning does not decide against an error
    whose origin is open, and what merely informs decides nothing. An open cause is put down
    to the head or to the encoder by what a simple predictor reads from the embeddings.

    Args:
        evidence: What the findings were made from.
        findings: In order of rank.
    """
    if evidence.off_scale is not None:
        return _SCALE
    serious = [f for f in findings if f.severity != "info"]
    causes = [f for f in serious if f.role == "cause"]
    if not causes:
        return _nothing(evidence)
    leak = next((f for f in causes if f.id == "future-leak"), None)
    if leak is not None and evidence.summary.mae < EXACT:
        return _decided(leak, evidence)
    if any(f.id != "future-leak" for f in causes):
        # Seeing the future lowers the error, which is why something else must explain it.
        causes = [f for f in causes if f.id != "future-leak"]
        serious = [f for f in serious if f.id != "future-leak"]
    top = causes[0]
    decided = next((f for f in causes if f.severity == top.severity and f.id in PLACES), None)
    if decided is not None:
        return _decided(decided, evidence)
    by_probe = _by_embeddings(evidence, top)
    if by_probe is not None:
        return by_probe
    blaming = next((f for f in serious if f.id != "deceptive-middle" and f.id in PLACES), None)
    if blaming is not None:
        return _decided(blaming, evidence)
    return Fault("undecided", None, _undecided(evidence, top))


def _decided(finding: Finding, evidence: Evidence) -> Fault:
    place = PLACES[finding.id]
    if finding.id == "future-leak" and not _of_embeddings(finding):
        place = "head"
    inside = evidence.module and place in ("head", "encoder")
    where = "in the model" if inside else _IN_WORDS[place]
    return Fault(place, finding.id, f"The fault lies {where} ({finding.id}).")


def _of_embeddings(leak: Finding) -> bool:
    change = leak.evidence.get("change_of_embeddings")
    return isinstance(change, float) and change >= T.future_embedding


def _nothing(evidence: Evidence) -> Fault:
    if evidence.no_predictions is not None:
        return Fault("undecided", None, "Without predictions the fault cannot be placed.")
    if evidence.curves.segments >= T.segments and behind(evidence):
        return Fault("undecided", None, "Nothing that was looked at says why.")
    return Fault("nowhere", None, "No fault to place.")


def _by_embeddings(evidence: Evidence, top: Finding) -> Fault | None:
    probe = evidence.probes.embeddings
    if probe is None:
        return None
    mae, head, clock = number(probe.mae), number(probe.mae_head), number(probe.mae_clock)
    enough = evidence.curves.segments >= T.clock_segments  # as head-loses-progress asks for
    if enough and probe.saved.value >= T.lost and probe.saved.low > 0:
        return Fault(
            "head",
            "head-loses-progress",
            f"The embeddings carry what {top.id} lacks: a simple predictor on them errs by {mae}, "
            f"the head by {head} {_tested(probe)}. The fault lies in the head or its training "
            "(head-loses-progress), not in the encoder.",
        )
    if probe.mae > 0.95 * probe.mae_clock and probe.duration.high < T.duration_unsure:
        return Fault(
            "encoder",
            None,
            f"A simple predictor on the embeddings errs by {mae}, a clock without them by {clock} "
            f"{_tested(probe)}: they carry little of progress, and the fault lies in the encoder "
            "or its features.",
        )
    return None


def _undecided(evidence: Evidence, top: Finding) -> str:
    probe = evidence.probes.embeddings
    if top.id == "lost-task":
        return (
            f"{top.id} says what is wrong, not where it comes from: the data of the task, or a "
            "training that had too little of it. What the head makes of the others speaks for it."
        )
    if probe is None:
        return (
            f"{top.id} says what is wrong, not where it comes from: encoder, head and training "
            "would all explain it. The model with its data (a checkpoint, or --model) would decide."
        )
    mae, head = number(probe.mae), number(probe.mae_head)
    open_origin = f"The evidence does not decide: {top.id} may come from head or training"
    if probe.saved.value >= T.lost:
        return (
            f"{open_origin}, as a simple predictor on the same embeddings errs by {mae} and the "
            f"head by {head} {_tested(probe)}, which may be chance."
        )
    better = "hardly better" if probe.saved.value > 0 else "no better"
    return (
        f"{open_origin}, yet a simple predictor on the same embeddings does {better} "
        f"({mae} against {head} {_tested(probe)})."
    )


def _tested(probe: EmbeddingProbe) -> str:
    """Say on what the errors were measured: they differ from those over all frames."""
    videos = "1 video" if probe.videos == 1 else f"{probe.videos} videos"
    return f"on the {probe.frames} frames of {videos} that were tested"
