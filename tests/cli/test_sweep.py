"""`progfix sweep` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from progfix import runs
from tests.cli.entry import ENTRY, progfix
from tests.training.test_run import assert_same_run

SMALL = ("--data", "procedures/1:tasks=1,videos=6,dim=4", "--device", "cpu")


def test_a_sweep_is_shown_kept_and_shown_again(tmp_path: Path) -> None:
    cells = ("--solutions", "baseline,fghs", "--seeds", "1", "--epochs", "2", "--jobs", "1")
    done = progfix("sweep", *cells, *SMALL, folder=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("procedures/1:tasks=1,videos=6,dim=4, 1 task, 6 videos")
    header = next(line for line in lines if line.startswith("cell "))
    assert " ".join(header.split()) == (
        "cell MAE +- 95 % interval vs count /action first last in 80 %"
    )
    for name in ("baseline", "fghs", "frame counting", "constant 0.5"):
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert any(line.startswith("- smallest error: ") for line in lines)
    assert max(map(len, lines[1:])) <= 90
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "[1/2] baseline-seed0",
        "[2/2] fghs-seed0",
    ]
    again = progfix("sweep", "--resume", folder=tmp_path)
    assert again.stdout == done.stdout
    assert again.stderr == ""
    asked = progfix("sweep", "--resume", "--out", "runs/sweep-1", "--json", folder=tmp_path)
    content = json.loads(asked.stdout)
    assert content == json.loads((tmp_path / "runs/sweep-1/sweep.json").read_text())
    assert content["format"] == "progfix-sweep/1"
    table = progfix("sweep", "--resume", "--markdown", folder=tmp_path).stdout
    assert table == (tmp_path / "runs/sweep-1/sweep.md").read_text()
    progfix("diagnose", "runs/sweep-1/fghs-seed0", folder=tmp_path)
    alone = progfix("diagnose", folder=tmp_path, status=2)
    assert "none named" in alone.stderr  # cells are no runs of their own


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (
            ("--solutions", "ad,fx"),
            ("--solutions ad: expected letters", "--solutions fx: expected letters"),
        ),
        (("--seeds", "three"), ("--seeds: expected a number of seeds, or a list",)),
        (("--json", "--latex"), ("--json and --latex: expected one form of output",)),
        (("--resume",), ("--resume: expected a sweep to go on with, found none under runs/",)),
        (
            ("--resume", "--lr", "1", "--seeds", "2"),
            ("--seeds: expected --out", "--lr: expected --out"),
        ),
        (("--out", "full"), ("full: expected a new or empty folder",)),
    ],
)
def test_bad_usage_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("")
    done = progfix("sweep", *arguments, folder=tmp_path, status=2)
    said = done.stderr.splitlines()
    assert len(said) == len(messages)
    for line, message in zip(said, messages, strict=True):
        assert line.startswith("error: ")
        assert message in line
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_the_help_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, progfix.cli.app; assert not {'torch', 'numpy', 'rich.live'} & {*sys.modules}"
    )
    subprocess.run([ENTRY.with_name("python"), "-c", code], check=True, timeout=60)
    assert "--fresh-splits" in progfix("sweep", "--help", folder=tmp_path).stdout


@pytest.mark.slow
def test_failed_runs_end_it_with_status_3(tmp_path: Path) -> None:
    cells = ("--solutions", "g+head-lr=1e37+head-clip=1e37", "--seeds", "1", "--epochs", "5")
    done = progfix("sweep", *cells, *SMALL, "--out", "s", folder=tmp_path, status=3)
    assert done.stdout == ""
    assert "failed: g+head-lr=1e+37+head-clip=1e+37-seed0: the loss" in done.stderr
    assert "`progfix sweep --resume --out s` tries what failed again" in done.stderr


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a sweep, and return when its first run is inside its third epoch."""
    process = subprocess.Popen(
        [ENTRY, "sweep", *arguments, *SMALL, "--out", "s"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not any(len(f.read_text().splitlines()) > 2 for f in folder.glob("s/*/history.csv")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


CELLS = ("--solutions", "fgs,fghs", "--seeds", "1", "--epochs", "60", "--jobs", "1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_stopped_sweep_goes_on_and_ends_as_one_that_was_not(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    process = begun(tmp_path, *CELLS)
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert out == ""
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert "go on with `progfix sweep --resume --out s`" in said
    assert not (tmp_path / "s/fghs-seed0" / runs.PREDICTIONS).exists()
    done = progfix("sweep", "--resume", "--out", "s", folder=tmp_path)
    assert "smallest error" in done.stdout
    for name in ("fgs", "fghs"):
        options = ("--solution", name, "--epochs", "60", "--out", f"alone-{name}")
        progfix("train", *options, *SMALL, folder=tmp_path)
        assert_same_run(tmp_path / f"alone-{name}", tmp_path / f"s/{name}-seed0")
