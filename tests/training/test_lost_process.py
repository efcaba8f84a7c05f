"""A process of a run that is killed: the others end, say so once, and the run goes on later."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from progfix import runs
from progfix.training.history import read_history
from progfix.training.state import read_training
from tests.training.test_processes import environment, torchrun
from tests.training.tiny import write_tiny

PROMPTLY = 30.0
"""Seconds within which the others end; without a load on the machine it is about two."""

OPTIONS = ("--method", "tcc", "--embedding-size", "8", "--alignment-frames", "12")


def workers(launcher: int) -> dict[int, int]:
    """Process ids of a torchrun's workers by rank."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "stat").read_text().rpartition(")")[2].split()
            variables = (path / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        rank = [v.removeprefix(b"RANK=") for v in variables if v.startswith(b"RANK=")]
        if int(status[1]) == launcher and rank:
            found[int(rank[0])] = int(path.name)
    return found


def epochs_done(folder: Path) -> int:
    history = folder / runs.HISTORY
    return len(read_history(history)) if history.exists() else 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_with_one_error_and_it_goes_on(
    tmp_path: Path, victim: int
) -> None:
    data, folder = str(write_tiny(tmp_path / "tiny.h5")), tmp_path / "run"
    train = ("-m", "progfix", "train", "--device", "cpu", "--out", str(folder))
    command = torchrun(*train, "--data", data, *OPTIONS, "--epochs", "100000")
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + 120
        while epochs_done(folder) < 2 and time.monotonic() < until:
            time.sleep(0.2)
        killed = time.monotonic()
        os.kill(workers(process.pid)[victim], signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert time.monotonic() - killed < PROMPTLY
    assert process.returncode != 0
    assert out == ""
    assert err.count("error: ") == 1
    assert "error: a process of the run was lost (" in err
    assert f"go on under torchrun with --resume --out {folder}" in err
    assert "progfix itself failed" not in err
    state = read_training(folder / runs.LAST).loop
    assert state.epoch >= 2
    more = ("--resume", "--epochs", str(state.epoch + 2))
    done = subprocess.run(
        torchrun(*train, *more), env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("best epoch") == 1
    assert epochs_done(folder) == state.epoch + 2
    assert (folder / runs.PREDICTIONS).exists()


@pytest.mark.slow
def test_what_is_wrong_for_all_is_said_once(tmp_path: Path) -> None:
    train = ("-m", "progfix", "train", "--out", str(tmp_path / "run"), "--device", "cpu")
    for arguments, message in (
        (("--precision", "bf16"), "expected a method that trains an encoder"),
        (("--data", "nowhere.h5"), "nowhere.h5"),
        (("--groups-per-step", "1"), "expected at least 2, a group for each process"),
    ):
        done = subprocess.run(
            torchrun(*train, *arguments),
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert done.stderr.count("error: ") == 1
        assert message in done.stderr
        assert not (tmp_path / "run").exists()
