"""Help that fits a screen, and the whole of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from progfix.cli.brief_help import BRIEF
from tests.cli.entry import progfix

HERE = Path(__file__).parent
OF_DATA = ("info", "check", "make", "convert")
COMMANDS = (*BRIEF, "export", "explain", "data")


def options(text: str) -> set[str]:
    return set(re.findall(r"^│ (--[a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_says_what_it_leaves_out(command: str) -> None:
    words = ("data", command) if command in OF_DATA else (command,)
    brief = progfix(*words, "--help", folder=HERE).stdout
    assert len(brief.splitlines()) <= 52
    assert max(map(len, brief.splitlines())) <= 80
    whole = progfix(*words, "--help-all", folder=HERE).stdout
    left_out = options(whole) - options(brief)
    if command not in BRIEF:
        assert left_out == set()
        return
    assert options(brief) - {"--help"} == set(BRIEF[command])
    assert f" {len(left_out)} more options: progfix {' '.join(words)} --help-all" in brief
    assert "more options" not in whole
