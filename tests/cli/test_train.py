"""`progfix train` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from progfix.training.history import read_history
from tests.cli.entry import ENTRY, progfix

SMALL = ("--data", "procedures/1:tasks=2,videos=6,dim=8")


def test_train_then_everything_starts_from_the_newest_run(tmp_path: Path) -> None:
    done = progfix("train", "--solution", "baseline", "--epochs", "1", *SMALL, folder=tmp_path)
    assert "runs/baseline-1" in done.stdout
    assert "progfix diagnose runs/baseline-1" in done.stdout
    assert done.stderr == ""  # no bar where stderr is no terminal
    second = progfix("train", "--config", "runs/baseline-1", "--solution", "fgs", folder=tmp_path)
    assert "runs/fgs-1: 1 epoch\n" in second.stdout
    config = json.loads((tmp_path / "runs/fgs-1/config.json").read_text())
    assert config["recipe"]["optimisation"]["epochs"] == 1
    assert config["recipe"]["optimisation"]["own_gradients"] is True
    assert config["data"]["path"] == SMALL[1]
    assert "fgs-1" in progfix("diagnose", folder=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--solution", "ax"), "found x in 'ax'"),
        (("--solution", "ad"), "a with d"),
        (("--solution", "b", "--head", "pooled"), "only a GRU has an initial state"),
        (("--data", "missing.h5"), "missing.h5"),
        (("--config", "missing.json"), "missing.json"),
        (("--resume",), "runs: expected a run to resume, found no run"),
        (("--resume", "--lr", "1"), "--lr: expected --out, --epochs, --device and --time-limit"),
        (("--device", "gpu"), "--device: expected auto, cpu"),
        (("--init", "missing.pt"), "missing.pt"),
    ],
)
def test_bad_usage_is_one_error_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = progfix("train", *arguments, folder=tmp_path, status=2)
    assert message in done.stderr
    assert done.stdout == ""
    assert [line.startswith("error: ") for line in done.stderr.splitlines()] == [True]
    assert not (tmp_path / "runs").exists()


def test_an_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = progfix("train", "--out", "file/run", *SMALL, folder=tmp_path, status=2)
    assert "file/run: expected" in done.stderr


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_a_signal_saves_and_resume_finishes(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    process = subprocess.Popen(
        [ENTRY, "train", "--epochs", "4000", "--out", "run", *SMALL],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    history = tmp_path / "run" / "history.csv"
    deadline = time.monotonic() + 120
    while not (history.exists() and len(read_history(history)) >= 2):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert "progfix train --resume --out run" in said
    epochs = len(read_history(history))
    done = progfix(
        "train", "--resume", "--out", "run", "--epochs", str(epochs + 1), folder=tmp_path
    )
    assert f"{epochs + 1} epochs" in done.stdout
