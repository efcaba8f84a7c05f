"""Durations as a queue's limit is written, and the moment at which they end."""

from __future__ import annotations

import re
import time

from progfix.errors import InputError, Problem

__all__ = ["deadline_in"]

_CLOCK = re.compile(r"(?:(?P<d>\d+)-)?(?P<h>\d+):(?P<m>[0-5]\d):(?P<s>[0-5]\d)")
_UNITS = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s?)?")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def deadline_in(text: str, *, where: str = "--time-limit") -> float:
    """Return the moment, on the clock of `time.monotonic`, that is a duration from now.

    Args:
        text: Seconds (5400), units from days to seconds (90m, 1d12h), or a clock as
            schedulers print it (1:30:00, 2-12:00:00). Two numbers with one colon are
            refused: some schedulers read hours, others minutes.
        where: What to name in an error.

    Raises:
        InputError: If it is no duration, or none at all.
    """
    given = text.strip().lower()
    match = _CLOCK.fullmatch(given) or _UNITS.fullmatch(given)
    seconds = 0
    if match is not None:
        seconds = sum(int(match[unit] or 0) * size for unit, size in _SECONDS.items())
    if seconds <= 0:
        expected = "a duration such as 5400, 90m, 1h30m, 1:30:00 or 2-12:00:00"
        raise InputError(Problem(where, expected, repr(text), "write it in one of these ways"))
    return time.monotonic() + seconds
