"""Whose fault an exception is: the last line before a traceback."""

from __future__ import annotations

import errno
import os

import pytest
import typer

from progfix.cli.errors import user_errors
from tests.cli.evaluating import run


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_what_a_file_system_refuses_is_no_bug_of_ours(
    capsys: pytest.CaptureFixture[str], number: int
) -> None:
    with pytest.raises(typer.Exit) as caught, user_errors():
        raise OSError(number, os.strerror(number), "/root/x.pt")
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == (
        f"error: /root/x.pt: expected a path that can be used, found {os.strerror(number)}; "
        "check its name and permissions\n"
    )


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "gone", "our.json"), OSError(errno.EIO, "no name")]
)
def test_other_failures_are(capsys: pytest.CaptureFixture[str], error: OSError) -> None:
    with pytest.raises(typer.Exit) as caught, user_errors():
        raise error
    assert caught.value.exit_code == 70
    assert "progfix itself failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "a" * 300),
        ("diagnose", "a" * 300),
        ("data", "info", "a" * 300),
        ("train", "--config", "a" * 300),
        ("train", "--init", "a" * 300),
    ],
)
def test_a_name_that_no_file_can_have(arguments: tuple[str, ...]) -> None:
    assert "found File name too long; check its name" in run(*arguments, status=2).stderr
