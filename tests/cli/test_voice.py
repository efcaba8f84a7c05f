"""`--quiet` and `--verbose`, anywhere on the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix.cli.terminal import take_voice, voice
from progfix.errors import InputError
from tests.cli.entry import progfix

DATA = "procedures/1:tasks=1,videos=6,dim=4,noise=0.5"
TRAIN = ("train", "--data", DATA, "--epochs", "2", "--device", "cpu", "--solution", "fgs")


def test_where_they_stand_does_not_matter() -> None:
    assert take_voice(["--quiet", "eval", "x"]) == ["eval", "x"]
    assert voice() == "quiet"
    assert take_voice(["eval", "x", "-v", "--", "-q"]) == ["eval", "x", "--", "-q"]
    assert voice() == "verbose"
    assert take_voice(["eval"]) == ["eval"]
    assert voice() == "usual"
    with pytest.raises(InputError, match="expected one of the two, found both"):
        take_voice(["eval", "-q", "--verbose"])


def test_quiet_says_results_alone_and_verbose_every_epoch(tmp_path: Path) -> None:
    loud = progfix(*TRAIN, "--out", "loud", "--verbose", folder=tmp_path)
    assert [line.split(":")[0] for line in loud.stderr.splitlines()] == ["epoch 1", "epoch 2"]
    assert "best epoch" in loud.stdout
    one = "video,target,prediction\nx,.5,.4\nx,1,.9\n"
    (tmp_path / "p.csv").write_text(one, encoding="utf-8")
    usual = progfix("eval", "p.csv", folder=tmp_path)
    assert "note: " in usual.stderr
    quiet = progfix("eval", "p.csv", "-q", folder=tmp_path)
    assert quiet.stderr == ""
    assert quiet.stdout == usual.stdout
    assert "error: " in progfix("eval", "none.csv", "-q", folder=tmp_path, status=2).stderr
