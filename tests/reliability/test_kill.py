"""`kill -9` at any moment: the folder opens, --resume finishes, and nothing differs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from progfix import runs
from tests.cli.entry import ENTRY, progfix
from tests.reliability.comparing import (
    assert_no_leftovers,
    assert_same_result,
    assert_same_sweep,
)
from tests.reliability.forks import Forks
from tests.training.tiny import write_tiny

KINDS = {
    "head": ("--solution", "fghsv", "--average", "0.9"),
    "joint": ("--method", "gtcc", "--mcn", "--embedding-size", "8", "--solution", "fgs"),
    "frozen": ("--init", "encoder", "--solution", "ab"),
}
"""The head alone, an encoder beside it, and a head on a frozen encoder."""

MOMENTS = {"head": 14, "joint": 14, "frozen": 12}
"""Of `train`; with those of `sweep` 50."""

SWEEP_MOMENTS = 10
SWEEP = ("--solutions", "baseline,fgs", "--seeds", "1", "--epochs", "4", "--jobs", "2")


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Path:
    """A folder with data, and a run with an encoder to keep."""
    folder = tmp_path_factory.mktemp("killed")
    write_tiny(folder / "tiny.h5")
    made = train(forks, folder, "encoder", *KINDS["joint"], "--epochs", "1")
    assert made["status"] == 0, made["said"]
    return folder


def train(
    forks: Forks, folder: Path, name: str, *more: str, kill_after: float | None = None
) -> dict[str, object]:
    arguments = ("train", "--data", "tiny.h5", "--out", name, "--device", "cpu", *more)
    return forks.run(*arguments, folder=folder, kill_after=kill_after)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_train_survives_being_killed_at_any_moment(kind: str, place: Path, forks: Forks) -> None:
    more = (*KINDS[kind], "--epochs", "4")
    whole = train(forks, place, f"{kind}-whole", *more)
    assert whole["status"] == 0, whole["said"]
    draw = random.Random(f"kill {kind}")  # noqa: S311
    killed = 0
    for number in range(MOMENTS[kind]):
        name = f"{kind}-{number}"
        share = (number + draw.random()) / MOMENTS[kind]
        after = share * float(str(whole["seconds"]))
        killed += train(forks, place, name, *more, kill_after=after)["status"] == -signal.SIGKILL
        assert_opens(forks, place, name, "diagnose" if number % 4 == 1 else "eval")
        resume = ("train", "--resume", "--out", name, "--device", "cpu")
        if number % 3 == 0:  # once more, on the way
            after = draw.random() * float(str(whole["seconds"])) / 2
            forks.run(*resume, folder=place, kill_after=after)
        done = forks.run(*resume, folder=place)
        if done["status"] == 2:  # killed before there was a configuration: nothing is lost
            assert not (place / name / runs.CONFIG).exists()
            assert "no config.json of a run" in done["said"]
            done = train(forks, place, name, *more)
        assert done["status"] == 0, done["said"]
        assert_same_result(place / f"{kind}-whole", place / name)
        assert_no_leftovers(place / name)
    assert killed >= 0.8 * MOMENTS[kind]


def assert_opens(forks: Forks, place: Path, name: str, command: str) -> None:
    """A command gives a result, or says in one line that there is no checkpoint yet."""
    opened = forks.run(command, name, folder=place)
    there = (place / name / runs.BEST).exists()
    assert opened["status"] == (0 if there else 2), opened["said"]
    if not there:
        assert opened["said"].startswith("error: ")
        assert opened["said"].count("\n") == 1


@pytest.mark.slow
def test_sweep_survives_being_killed_at_any_moment(place: Path) -> None:
    began = time.monotonic()
    progfix("sweep", "--data", "tiny.h5", *SWEEP, "--out", "sweep-whole", folder=place)
    seconds = time.monotonic() - began
    draw = random.Random("kill sweep")  # noqa: S311
    for number in range(SWEEP_MOMENTS):
        name = f"sweep-{number}"
        after = seconds * (number + draw.random()) / SWEEP_MOMENTS
        kill_sweep(place, name, after, workers=bool(number % 2))
        if (place / name / "sweep.json").exists():
            progfix("sweep", "--resume", "--out", name, folder=place)
        else:
            progfix("sweep", "--resume", "--out", name, folder=place, status=2)
            progfix("sweep", "--data", "tiny.h5", *SWEEP, "--out", name, folder=place)
        assert_same_sweep(place / "sweep-whole", place / name)
        assert_no_leftovers(place / name)


def kill_sweep(place: Path, name: str, after: float, *, workers: bool) -> None:
    """Kill a sweep's own process, and its workers with it where a whole job is killed."""
    process = subprocess.Popen(
        [ENTRY, "sweep", "--data", "tiny.h5", *SWEEP, "--out", name],
        cwd=place,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
        )
        process.kill()
        process.wait()
        for child in children.stdout.split() if workers else ():
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
