"""What the command line says of words that it does not understand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.entry import ENTRY
from tests.cli.evaluating import run


def refused(*arguments: object) -> list[str]:
    """Return the lines of a refusal, which are all that is printed, without "error: "."""
    done = run(*arguments, status=2)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: ") for line in lines), done.stderr
    return [line.removeprefix("error: ") for line in lines]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("train", "--epochs", "abc"),
            "--epochs: expected a valid integer, found 'abc'; see `progfix train --help`",
        ),
        (("train", "--epochs=abc"), "--epochs: expected a valid integer, found 'abc'; see"),
        (
            ("viz", "-n0"),
            (
                "--num-segments: expected a number greater than or equal to 1, found '0'; see",
                "--num-segments: expected a number in the range 1<=x<=60, found '0'; see",
            ),
        ),
        (
            ("eval", "--bins", "7", "--bins", "1001"),
            (
                "--bins: expected a number less than or equal to 1000, found '1001'; see",
                "--bins: expected a number in the range 1<=x<=1000, found '1001'; see",
            ),
        ),
        (
            ("viz", "--select", "bset"),
            "--select: expected one of spread, worst, best, longest, random, found 'bset'; "
            "did you mean best?",
        ),
        (
            ("train", "--epohs", "2"),
            "--epohs: expected an option of progfix train, found no such option; "
            "did you mean --epochs?",
        ),
        (
            ("data", "convrt"),
            "progfix data: expected one of info, check, make, convert, found 'convrt'; "
            "did you mean convert?",
        ),
        (
            ("data", "convert"),
            "DATA: expected a value, found none; see `progfix data convert --help`",
        ),
        (("data", "info", "a", "b", "c"), "progfix data info: expected no further argument, found"),
        (
            ("train", "mine.h5"),
            "progfix train: expected no further argument, found mine.h5; data goes after --data, "
            "a checkpoint after --init",
        ),
        (("train", "--epochs"), "--epochs: expected a value after it, found none; see"),
        (("eval", "--json=1"), "--json: expected no value after it, found one; see"),
    ],
)
def test_what_the_parser_refuses_has_our_four_parts(
    arguments: tuple[str, ...], message: str | tuple[str, ...]
) -> None:
    # Newer and older versions of Typer name the end of a range, or all of it.
    (line,) = refused(*arguments)
    assert line.startswith(message)


def test_a_misspelt_command_is_guessed() -> None:
    (line,) = refused("trian")
    assert line.startswith("progfix: expected one of diagnose, train, eval, ")
    assert line.endswith(", found 'trian'; did you mean train?")


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (("eval", ""), ["the empty argument"]),
        (("train", "--data", "", "--out="), ["the empty text after --data", "after --out"]),
        (("eval", "x.csv", "--skip-tasks="), ["the empty text after --skip-tasks"]),
    ],
)
def test_an_empty_text_is_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], places: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = refused(*arguments)
    assert len(lines) == len(places)
    for line, place in zip(lines, places, strict=True):
        assert f"{place}: expected a value, found ''" in line
    assert list(tmp_path.iterdir()) == []


def test_no_name_of_background_may_be_said() -> None:
    # The built-in data has no such option; that is what is refused, not the empty text.
    (line,) = refused("data", "info", "procedures/1", "--background", "")
    assert line.startswith("--background: expected options that change how built-in data is read")


def test_without_a_command_the_help_is_shown() -> None:
    assert "diagnose" in run(status=2).stdout


@pytest.mark.parametrize("arguments", [("train", "--help"), ("--version",), ()])
def test_help_whose_reader_goes_away_is_no_error(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [ENTRY, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
