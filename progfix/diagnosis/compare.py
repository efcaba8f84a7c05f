"""Two diagnoses side by side: which findings went, which came, which stayed."""

from __future__ import annotations

from dataclasses import dataclass

from progfix.data.findings import FINDINGS as DATA_FINDINGS
from progfix.diagnosis.model import Diagnosis

__all__ = ["Comparison", "compare_diagnoses"]


@dataclass(frozen=True)
class Comparison:
    """What changed from one source to another; ids in the order of the diagnosis they are from.

    Attributes:
        before: The first source's diagnosis.
        after: The second one's.
        gone: Findings of the first that the second does not have.
        new: Findings of the second that were looked for in the first, which does not have them.
        kept: Findings of both.
    """

    before: Diagnosis
    after: Diagnosis
    gone: tuple[str, ...]
    new: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def unseen_before(self) -> tuple[str, ...]:
        """Findings of the second that nothing could look for in the first."""
        unseen = _unseen(self.before)
        return tuple(f.id for f in self.after.findings if f.id in unseen)


def compare_diagnoses(before: Diagnosis, after: Diagnosis) -> Comparison:
    """Compare by finding id.

    A finding that could not be looked for in one of the two is neither gone nor new.
    """
    first = dict.fromkeys(finding.id for finding in before.findings)
    second = dict.fromkeys(finding.id for finding in after.findings)
    unseen, unseen_before = _unseen(after), _unseen(before)
    return Comparison(
        before,
        after,
        tuple(name for name in first if name not in second and name not in unseen),
        tuple(name for name in second if name not in first and name not in unseen_before),
        tuple(name for name in first if name in second),
    )


def _unseen(diagnosis: Diagnosis) -> set[str]:
    """Return what could not be looked for; without predictions, no data was opened either."""
    unopened = set() if diagnosis.summary.frames else set(DATA_FINDINGS)
    return {entry.id for entry in diagnosis.not_checked} | unopened
