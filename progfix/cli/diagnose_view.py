"""Styled lines of a diagnosis on the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.text import Text

from progfix.cli.render import Screen
from progfix.diagnosis.render import Line

__all__ = ["blocks_can_be_shown", "show_lines"]

_STYLES = {
    "verdict": "bold",
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "dim": "dim",
    "command": "green",
    "": "",
}


def show_lines(lines: Iterable[Line], screen: Screen) -> None:
    """Print lines as they are: nothing is wrapped again, so that commands can be copied."""
    for line, style in lines:
        screen.print(Text(line, style=_STYLES[style]), soft_wrap=True)


def blocks_can_be_shown() -> bool:
    """Whether stdout can encode the histogram's bars."""
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
