"""How fast it starts, how large it is, and that it warns of nothing."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from progfix.training.run import start_run
from tests.cli.entry import ENTRY
from tests.training.test_run import ignore, options

ROOT = Path(__file__).parents[2]
SMALL = "procedures/1:tasks=1,videos=6,dim=4"

COMMANDS = (
    ("--help",),
    ("train", "--data", SMALL, "--epochs", "1", "--out", "run"),
    ("train", "--resume", "--out", "run", "--epochs", "2"),
    ("train", "--data", SMALL, "--epochs", "1", "--out", "joint", "--method", "gtcc", "--mcn"),
    ("train", "--data", SMALL, "--init", "joint", "--epochs", "1", "--solution", "ab", "--dry-run"),
    ("eval", "run", "baseline:constant", "--csv", "metrics.csv"),
    ("eval", "run", "--save-predictions", "p.h5"),
    ("eval", "run", "--save-predictions", "p.parquet"),
    ("eval", "joint", "--alignment"),
    ("diagnose", "run", "--out", "diagnosis"),
    ("diagnose", "p.h5"),
    ("viz", "run", "--out", "figures"),
    ("viz", "p.parquet", "--format", "pdf", "--out", "figures"),
    ("export", "run", "--out", "head.py"),
    ("export", "run", "--format", "onnx", "--out", "head.onnx"),
    ("data", "make", "d.h5", "--tasks", "1", "--videos", "4", "--dim", "4"),
    ("data", "check", "d.h5"),
    ("data", "convert", "d.h5", "e.h5"),
    ("sweep", "--data", SMALL, "--epochs", "1", "--solutions", "f", "--seeds", "1", "--out", "s"),
)


def seconds(command: list[str], folder: Path, times: int = 3) -> float:
    """Processor time of a command, the best of some runs: a busy machine does not count."""
    best = float("inf")
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent)
    return best


@pytest.mark.slow
def test_commands_start_at_once(tmp_path: Path) -> None:
    start_run(options(tmp_path / "run", epochs=1), ignore)
    entry, importing = str(ENTRY), [sys.executable, "-c", "import torch"]
    help_, table = (
        seconds([entry, *arguments], tmp_path)
        for arguments in (["--help"], ["diagnose", "run/predictions.h5"])
    )
    # One after the other, so that what slows the machine down slows both down.
    pairs = [
        [seconds(command, tmp_path, times=1) for command in (importing, [entry, "diagnose", "run"])]
        for _ in range(5)
    ]
    torch, more = min(t for t, _ in pairs), min(run - t for t, run in pairs)
    sys.stdout.write(
        f"--help {help_:.2f} s; import torch {torch:.2f} s; diagnose of a run {more:.2f} s "
        f"more; of a predictions file {table:.2f} s\n"
    )
    assert help_ < 0.5
    asked = "import sys, progfix.cli.app as p; p.app(['diagnose', 'run'], standalone_mode=False)"
    # PyTorch's compiler, which its optimisers load, would cost as much as PyTorch itself.
    check = "; sys.exit('torch._dynamo' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked + check], cwd=tmp_path, check=True)
    assert more < 1.0
    assert table < 1.5


@pytest.mark.slow
def test_the_wheel_is_small_and_holds_the_package_alone(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    sys.stdout.write(f"{wheel.name}: {wheel.stat().st_size:,} bytes\n")
    assert wheel.stat().st_size < 1_000_000
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top.split("-")[0] for top in tops} == {"progfix"}
    assert "progfix/py.typed" in names
    assert any(name.endswith("templates/gru.py.txt") for name in names)


@pytest.mark.slow
def test_no_command_warns_of_anything(tmp_path: Path) -> None:
    # Also of what a library would warn of: what it is given is ours.
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(ENTRY), *command],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "Warning" not in done.stderr, f"{command}\n{done.stderr}"
