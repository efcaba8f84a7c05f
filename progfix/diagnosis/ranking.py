"""Which finding explains which, and in what order they are told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from progfix.data.findings import FINDINGS as DATA_FINDINGS
from progfix.diagnosis.model import SEVERITIES, Finding

__all__ = ["EXPLAINED_BY", "ranked"]

_UNTRAINED = frozenset({"untrained-head:error", "untrained-head:warning"})
_STARVED = _UNTRAINED | {"starved-head"}
_UNUSED = _STARVED | {"duration-blind-embeddings", "position-contradiction", "ignores-embeddings"}
_EMPTY = _STARVED | {"collapsed-range", "backwards", "no-skill:error"}

_MILD = (
    _EMPTY
    | _UNUSED
    | {"order-blind", "same-curve", "non-monotone", "early-bias", "late-saturation"}
)

_BY_SEVERITY = frozenset({"no-skill", "untrained-head"})

EXPLAINED_BY: dict[str, frozenset[str]] = {
    **dict.fromkeys([*DATA_FINDINGS, "wrong-scale"], frozenset()),
    "lost-task": _UNTRAINED,
    "untrained-head:error": frozenset(),
    "untrained-head:warning": frozenset({"starved-head"}),
    "starved-head": frozenset({"untrained-head:error"}),
    "future-leak": _UNTRAINED,
    "duration-blind-embeddings": _UNTRAINED,
    "collapsed-range": _STARVED,
    "backwards": _STARVED | {"collapsed-range"},
    "no-skill:error": _STARVED | {"collapsed-range", "backwards"},
    "position-contradiction": _STARVED | {"no-skill:error"},
    "ignores-embeddings": _UNUSED - {"ignores-embeddings"} | {"no-skill:error"},
    "order-blind": _STARVED | {"no-skill:error"},
    "same-curve": _UNUSED | {"backwards", "no-skill:error", "lost-task"},
    "non-monotone": _STARVED
    | {"backwards", "no-skill:error", "early-bias", "unseen-start", "lost-task"},
    "unseen-start": _EMPTY,
    "early-bias": _EMPTY | {"unseen-start", "position-contradiction", "lost-task"},
    "late-saturation": _EMPTY | {"position-contradiction", "lost-task"},
    "miscalibrated": _EMPTY,
    "deceptive-middle": _EMPTY | {"unseen-start", "early-bias", "late-saturation", "lost-task"},
    "head-loses-progress": _MILD
    | {"unseen-start", "miscalibrated", "deceptive-middle"}
    | {"background-as-action", "mismatched-lists", "beyond-features"},
    "no-skill:warning": _MILD | {"unseen-start", "head-loses-progress", "lost-task"},
    "no-skill:info": _MILD | {"unseen-start", "head-loses-progress", "lost-task"},
}
"""For each finding, those that make it a symptom when they are present.

`no-skill` counts by its severity: answering no better than a constant explains wrong ends
and falls, while being no better than counting frames is itself explained by them. So does
`untrained-head`: gradients that never came say so of themselves, while weights that look
untouched are explained by a recipe that would not move them. What is
wrong with data follows from nothing about a head. That the head loses what the embeddings
carry says where the fault is; any other finding says better what it is, and what has wrong
targets cannot be learnt. A notice about data explains nothing.
"""


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with their roles, causes first, then by severity and gain.

    Equal ones stay in the order given, an unknown gain comes last.
    """
    given = list(findings)
    present = {_key(f) for f in given if f.severity != "info" or f.id not in DATA_FINDINGS}
    roles = [
        replace(f, role="symptom" if EXPLAINED_BY.get(_key(f), _UNTRAINED) & present else "cause")
        for f in given
    ]
    return tuple(sorted(roles, key=_order))


def _key(finding: Finding) -> str:
    return f"{finding.id}:{finding.severity}" if finding.id in _BY_SEVERITY else finding.id


def _order(finding: Finding) -> tuple[bool, int, float]:
    gain = math.inf if math.isnan(finding.gain) else -finding.gain
    return finding.role == "symptom", SEVERITIES.index(finding.severity), gain
