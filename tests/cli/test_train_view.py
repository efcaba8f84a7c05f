"""What training shows: commands that can be copied, and lines where there can be no bar."""

from __future__ import annotations

import shlex
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from progfix.cli.train_view import TrainingView
from progfix.training.history import EpochRow
from progfix.training.loop import EpochDone
from progfix.training.run import RunResult

ROW = EpochRow(1, 10, 0.25, 0, 0.1, 0.1, 0.21, 0.15, -0.05, True, 1.0)


@pytest.mark.parametrize("name", ["my runs/a [b]", "plain", "it's"])
def test_the_next_command_can_be_copied(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / name
    TrainingView("x").report(RunResult(folder, True, None, (ROW,)))
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if line.startswith("next: "))
    assert shlex.split(line)[1:] == ["progfix", "diagnose", str(folder)]
    assert f"{folder}: 1 epoch" in shown


def test_the_command_to_go_on_can_be_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "two words"
    TrainingView("x").report(RunResult(folder, False, 2, (ROW,)))
    command = capsys.readouterr().err.split("`")[1]
    assert shlex.split(command) == ["progfix", "train", "--resume", "--out", str(folder)]


class Terminal(StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_without_escape_codes_gets_a_line_per_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown() -> str:
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        with TrainingView("a {b} [c]", ["a [note]"]) as view:
            view.observe(EpochDone(ROW))
            view.observe(EpochDone(replace(ROW, epoch=2)))
        return terminal.getvalue()

    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = shown()
    assert plain.startswith("note: a [note]\n")
    assert "epoch 1: loss 0.2500, val MAE 0.210, skill -0.05\nepoch 2: " in plain
    assert "\x1b" not in plain
    monkeypatch.delenv("NO_COLOR")
    assert "epoch 1: loss" not in shown()
