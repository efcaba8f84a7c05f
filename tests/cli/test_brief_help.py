"""Help that fits a screen, and the whole of it."""

from __future__ import annotations

import operator
import re
from pathlib import Path

import pytest
import typer

from progfix.cli.app import app
from progfix.cli.brief_help import BRIEF
from progfix.solutions import SOLUTIONS, apply
from progfix.training.settings import SETTINGS
from tests.cli.entry import progfix

HERE = Path(__file__).parent
COMMAND_LINE = typer.main.get_group(app)
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


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_help_names_the_letters_that_bring_a_value_of_their_own(command: str) -> None:
    texts = {one.name: getattr(one, "help", "") for one in COMMAND_LINE.commands[command].params}
    for name, setting in SETTINGS.items():
        _, _, shown = texts[name.replace("-", "_")].partition("[default: ")
        for letter in SOLUTIONS:
            value = operator.attrgetter(setting.field)(apply(letter))
            words = {True: "on", False: "off"}.get(value, value)
            assert (f"{words} with {letter}" in shown) == (value != setting.default), (name, letter)
