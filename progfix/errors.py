"""What a user did or gave that progfix cannot work with, said in four parts.

Every message names where the fault lies, what was expected there, what was found, and
what to do next. Nothing here imports anything heavy, so that the command line can turn an
error into a message before the libraries behind it are loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["InputError", "Problem", "ProgfixError", "TrainingError"]


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
        return f"{self.where}: expected {self.expected}, found {self.found}; {self.fix}"


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


class TrainingError(ProgfixError):
    """Training could not go on; the state was saved and the command line ends with status 3."""
