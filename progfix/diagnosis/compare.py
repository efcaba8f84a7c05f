"""Two diagnoses side by side: which findings went, which came, which stayed."""

from __future__ import annotations

from dataclasses import dataclass

from progfix.diagnosis.model import Diagnosis

__all__ = ["Comparison", "compare_diagnoses"]


@dataclass(frozen=True)
class Comparison:
    """What changed from one source to another; ids in the order of the diagnosis they are from.

    Attributes:
        before: The first source's diagnosis.
        after: The second one's.
        gone: Findings of the first that the second does not have.
        new: Findings of the second that the first does not have.
        kept: Findings of both.
    """

    before: Diagnosis
    after: Diagnosis
    gone: tuple[str, ...]
    new: tuple[str, ...]
    kept: tuple[str, ...]


def compare_diagnoses(before: Diagnosis, after: Diagnosis) -> Comparison:
    """Compare by finding id; a finding that could not be looked for is not said to be gone."""
    first = dict.fromkeys(finding.id for finding in before.findings)
    second = dict.fromkeys(finding.id for finding in after.findings)
    unseen = {entry.id for entry in after.not_checked}
    return Comparison(
        before,
        after,
        tuple(name for name in first if name not in second and name not in unseen),
        tuple(name for name in second if name not in first),
        tuple(name for name in first if name in second),
    )
