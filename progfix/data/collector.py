"""Collecting defects while data is read.

A reader never stops at the first defect. It hands everything it notices to a `Collector`;
opening for use refuses what has a `Problem`, checking lists it all.
"""

from __future__ import annotations

from collections.abc import Sequence

from progfix.data.findings import (
    EXAMPLES,
    FINDINGS,
    DataFinding,
    Severity,
    count_of,
    in_order,
)
from progfix.errors import Problem

__all__ = ["Collector"]


class Collector:
    """Gathers findings while data is read."""

    def __init__(self) -> None:
        self._problems: dict[str, list[Problem]] = {}
        self._places: dict[str, list[str]] = {}
        self._items: dict[str, list[dict[str, object]]] = {}
        self._noted: list[DataFinding] = []

    def refuse(
        self,
        finding: str,
        problem: Problem,
        *,
        places: Sequence[str] = (),
        items: Sequence[dict[str, object]] = (),
    ) -> None:
        """Record a defect that opening for use must refuse, or several that one remedy mends.

        Args:
            finding: Its id.
            problem: What the user is told.
            places: Where each of several is, and what was found there.
            items: Numbers behind them, JSON values, listed in the finding's evidence.
        """
        self._problems.setdefault(finding, []).append(problem)
        self._places.setdefault(finding, []).extend(places or [f"{problem.where}: {problem.found}"])
        self._items.setdefault(finding, []).extend(items)

    def note(
        self,
        finding: str,
        severity: Severity,
        title: str,
        *,
        examples: Sequence[str] = (),
        mended: bool = False,
        **evidence: object,
    ) -> None:
        """Record something that opening for use can live with.

        Args:
            finding: Its id.
            severity: How bad it is.
            title: One line with the count.
            examples: Where; the first `EXAMPLES` are kept.
            mended: Whether an option has mended it.
            **evidence: Numbers behind it, JSON values.
        """
        kept = tuple(examples[:EXAMPLES])
        self._noted.append(DataFinding(finding, severity, title, evidence, kept, mended=mended))

    def findings(self) -> tuple[DataFinding, ...]:
        """Return all findings, see `in_order`."""
        refused = [
            DataFinding(
                name,
                "error",
                count_of(len(self._places[name]), FINDINGS[name].noun, FINDINGS[name].nouns),
                {"count": len(self._places[name])}
                | ({"items": self._items[name]} if self._items[name] else {}),
                tuple(self._places[name][:EXAMPLES]),
                tuple(problems),
            )
            for name, problems in self._problems.items()
        ]
        return in_order([*refused, *self._noted])
