"""Which finding explains which, and in what order they are told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from progfix.diagnosis.model import SEVERITIES, Finding

__all__ = ["EXPLAINED_BY", "ranked"]

_UNTRAINED = frozenset({"untrained-head"})
_EMPTY = _UNTRAINED | {"collapsed-range", "backwards", "no-skill:error"}

_MILD = _EMPTY | {"same-curve", "non-monotone", "early-bias", "late-saturation"}

EXPLAINED_BY: dict[str, frozenset[str]] = {
    "untrained-head": frozenset(),
    "collapsed-range": _UNTRAINED,
    "backwards": _UNTRAINED | {"collapsed-range"},
    "no-skill:error": _UNTRAINED | {"collapsed-range", "backwards"},
    "same-curve": _UNTRAINED | {"backwards", "no-skill:error"},
    "non-monotone": _UNTRAINED | {"backwards", "no-skill:error", "early-bias"},
    "early-bias": _EMPTY,
    "late-saturation": _EMPTY,
    "deceptive-middle": _EMPTY | {"early-bias", "late-saturation"},
    "no-skill:warning": _MILD,
    "no-skill:info": _MILD,
}
"""For each finding, those that make it a symptom when they are present.

`no-skill` counts by its severity: answering no better than a constant explains wrong ends
and falls, while being no better than counting frames is itself explained by them.
"""


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with their roles, causes first, then by severity and gain.

    Equal ones stay in the order given, an unknown gain comes last.
    """
    given = list(findings)
    present = {_key(finding) for finding in given}
    roles = [
        replace(f, role="symptom" if EXPLAINED_BY.get(_key(f), _UNTRAINED) & present else "cause")
        for f in given
    ]
    return tuple(sorted(roles, key=_order))


def _key(finding: Finding) -> str:
    return f"no-skill:{finding.severity}" if finding.id == "no-skill" else finding.id


def _order(finding: Finding) -> tuple[bool, int, float]:
    gain = math.inf if math.isnan(finding.gain) else -finding.gain
    return finding.role == "symptom", SEVERITIES.index(finding.severity), gain
