"""What the terminal is sent, decided in one place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from progfix.errors import InputError, Problem

__all__ = ["plain", "take_voice", "voice"]

Voice = Literal["quiet", "usual", "verbose"]

_VOICES: dict[str, Voice] = {
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
}
_chosen: Voice = "usual"


def plain() -> bool:
    """Whether it is to be sent no escape code: NO_COLOR is not empty, or TERM is dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def voice() -> Voice:
    """How much is said beside results and errors.

    "quiet" leaves notes and bars out; "verbose" has lines in place of bars, and tracebacks on
    the screen.
    """
    return _chosen


def take_voice(arguments: Sequence[str]) -> list[str]:
    """Follow `--quiet` and `--verbose`, which may stand anywhere, and return the others.

    Raises:
        InputError: If both are there.
    """
    global _chosen  # one command line in a process, one voice
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    found = {_VOICES[text] for text in arguments[:end] if text in _VOICES}
    if len(found) > 1:
        where = "--quiet, --verbose"
        raise InputError(Problem(where, "one of the two", "both", "leave one of them out"))
    _chosen = found.pop() if found else "usual"
    return [text for i, text in enumerate(arguments) if i >= end or text not in _VOICES]
