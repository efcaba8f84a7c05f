import math

import pytest

from progfix.data.findings import FINDINGS as DATA_FINDINGS
from progfix.diagnosis import FINDINGS, Finding
from progfix.diagnosis.model import Severity
from progfix.diagnosis.ranking import EXPLAINED_BY, ranked


def finding(name: str, severity: Severity = "error", gain: float = math.nan) -> Finding:
    return Finding(name, severity, "title", "why", {}, gain=gain)


def order(*findings: Finding) -> list[str]:
    return [f"{f.id} {f.role}" for f in ranked(findings)]


def test_untrained_head_masks_everything() -> None:
    alone = {"untrained-head", "wrong-scale"}  # beside another scale nothing else is looked for
    others = [finding(check.id) for check in FINDINGS if check.id not in alone]
    roles = ranked([*others, finding("untrained-head", "error")])
    assert roles[0].id == "untrained-head"
    assert {f.role for f in roles[1:]} == {"symptom"}


def test_weights_that_look_untouched_follow_from_a_recipe_that_would_not_move_them() -> None:
    looks = finding("untrained-head", "warning")
    assert order(looks, finding("starved-head", "error"), finding("early-bias", "error")) == [
        "starved-head cause",
        "early-bias symptom",
        "untrained-head symptom",
    ]
    assert order(looks, finding("early-bias", "error"))[0] == "untrained-head cause"


def test_causes_come_first_then_severity_then_gain() -> None:
    assert order(
        finding("no-skill", "error", 0.2),
        finding("same-curve", "warning", 0.3),
        finding("collapsed-range", "warning", 0.1),
        finding("early-bias", "error", 0.05),
        finding("late-saturation", "error", 0.06),
        finding("deceptive-middle", "error"),
    ) == [
        "collapsed-range cause",
        "no-skill symptom",
        "late-saturation symptom",
        "early-bias symptom",
        "deceptive-middle symptom",
        "same-curve symptom",
    ]


def test_independent_findings_are_all_causes_by_gain() -> None:
    assert order(
        finding("late-saturation", "warning", 0.02),
        finding("early-bias", "warning", 0.05),
        finding("non-monotone", "warning"),
        finding("deceptive-middle", "warning"),
    ) == [
        "early-bias cause",
        "late-saturation cause",
        "non-monotone symptom",
        "deceptive-middle symptom",
    ]


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_no_better_than_counting_explains_nothing(severity: Severity) -> None:
    assert order(finding("no-skill", severity), finding("early-bias", "warning")) == [
        "early-bias cause",
        "no-skill symptom",
    ]


def test_no_better_than_a_constant_explains_falls_and_ends() -> None:
    assert order(finding("non-monotone"), finding("no-skill"), finding("early-bias")) == [
        "no-skill cause",
        "non-monotone symptom",
        "early-bias symptom",
    ]


def test_what_explains_each_finding_is_known_and_has_no_cycle() -> None:
    known = {check.id for check in FINDINGS} - {"no-skill", "untrained-head"}
    known |= {"untrained-head:error", "untrained-head:warning"}
    known |= {"no-skill:error", "no-skill:warning", "no-skill:info", *DATA_FINDINGS}
    assert set(EXPLAINED_BY) == known

    def depth(name: str, seen: frozenset[str] = frozenset()) -> int:
        assert name not in seen
        return 1 + max((depth(e, seen | {name}) for e in EXPLAINED_BY[name]), default=0)

    assert depth("deceptive-middle") == 9


def test_a_single_finding_is_a_cause() -> None:
    for check in FINDINGS:
        assert order(finding(check.id)) == [f"{check.id} cause"]
