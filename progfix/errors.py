"""What a user did or gave that progfix cannot work with, said in four parts.

Every message names where the fault lies, what was expected there, what was found, and
what to do next. Nothing here imports anything heavy, so that the command line can turn an
error into a message before the libraries behind it are loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "NAMES_SHOWN",
    "InputError",
    "LostProcessError",
    "Problem",
    "ProgfixError",
    "TrainingError",
    "at_most",
    "listed",
]

NAMES_SHOWN = 8
"""Names that a message lists; a foreign file may have hundreds."""

_LONGEST_NAME = 80


@dataclass(frozen=True)
class Problem:
    """One defect.

    Attributes:
        where: The file, flag, video or field at fault.
        expected: What would have been right.
        found: What was there instead.
        fix: What the user can do next.
    """

    where: str
    expected: str
    found: str
    fix: str

    def __str__(self) -> str:
        text = f"{self.where}: expected {self.expected}, found {self.found}; {self.fix}"
        # Names come from files: one may hold a line break, or what a terminal obeys.
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def listed(names: Iterable[object], *, none: str = "none") -> str:
    """Return "a, b, c", or the first `NAMES_SHOWN` names and how many more there are.

    Args:
        names: What to list, each at most 80 characters of it.
        none: What to say where there is none.
    """
    texts = [str(name) for name in names]
    shown = [t if len(t) <= _LONGEST_NAME else f"{t[:_LONGEST_NAME]}..." for t in texts]
    more = len(texts) - NAMES_SHOWN
    tail = f" and {more:,} more" if more > 0 else ""
    return (", ".join(shown[:NAMES_SHOWN]) or none) + tail


def at_most(
    problems: Sequence[Problem], *, where: str, expected: str, kind: str, fix: str
) -> list[Problem]:
    """Return the problems, or the first `NAMES_SHOWN` and one that counts the others.

    Args:
        problems: Of one kind, in one file.
        where: The file.
        expected: What it should be.
        kind: What it has more of.
        fix: What to do about them.
    """
    more = len(problems) - NAMES_SHOWN
    if more <= 0:
        return list(problems)
    return [*problems[:NAMES_SHOWN], Problem(where, expected, f"{more:,} more {kind}", fix)]


class ProgfixError(Exception):
    """Base of all errors that a user can cause and mend."""


class InputError(ProgfixError):
    """Bad usage or input; the command line ends with status 2.

    Args:
        problems: One or more defects, all that were found, not just the first.

    Raises:
        ValueError: If there is no problem to report.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not found:
            raise ValueError("an InputError needs at least one problem")
        self.problems: Sequence[Problem] = found
        super().__init__("\n".join(str(problem) for problem in found))

    def __reduce__(self) -> tuple[type[InputError], tuple[Sequence[Problem]]]:
        """Be the same error in another process."""
        return type(self), (self.problems,)


class TrainingError(ProgfixError):
    """Training could not go on; the state was saved and the command line ends with status 3."""


class LostProcessError(TrainingError):
    """Another process of the run has gone, or cannot be reached.

    Args:
        reason: What was noticed.
        speaks: This process was the first to notice, and says it for all that are left.
        folder: The run, from which all processes can go on; None before there is one.
    """

    def __init__(self, reason: str, *, speaks: bool = True, folder: Path | None = None) -> None:
        again = "start all of them again"
        if folder is not None:
            again = f"its state is saved, go on under torchrun with --resume --out {folder}"
        super().__init__(f"a process of the run was lost ({reason}); {again}")
        self.reason = reason
        self.speaks = speaks
