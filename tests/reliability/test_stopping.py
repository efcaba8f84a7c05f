"""Stopping in time: a limit of time, SIGTERM, one process for one folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from progfix import runs
from progfix.errors import InputError
from progfix.sweeps.cells import parse_cells
from progfix.sweeps.planning import make_plan
from progfix.sweeps.start import carry_on, new_sweep
from progfix.training.interrupts import TIME_OVER, StopRequest, exit_status
from progfix.training.loop import Event, StepDone
from progfix.training.run import resume_run, start_run
from progfix.training.state import read_training
from progfix.training.time_limit import deadline_in
from tests.cli.entry import ENTRY, progfix
from tests.reliability.comparing import assert_same_result
from tests.training.test_run import SMALL, ignore, options


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5400", 5400),
        ("90s", 90),
        ("90m", 5400),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d12h", 129_600),
        (" 2H5 ", 7205),
        ("1:30:00", 5400),
        ("48:00:01", 172_801),
        ("2-12:00:00", 216_000),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    before = time.monotonic()
    assert before + seconds <= deadline_in(text) <= time.monotonic() + seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0:00:00", "1:30", "1:60:00", "1.5h", "30m1h", "-5", "1 h", "h", "2-12"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match=r"1:30:00 or 2-12:00:00, found .*; write it in"):
        deadline_in(text)


def test_statuses() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, TIME_OVER)
    assert [exit_status(number) for number in numbers] == [130, 143, 124]


def test_room_is_kept_for_what_took_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    # At 0, 2 and 3 s: the longest stretch is 2 s, so 3 x 2 + 10 = 16 s have to be left. The
    # deadline is at 27: at 11 they are, at 11.5 they are not.
    clock = iter([0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 11.5])
    monkeypatch.setattr("progfix.training.interrupts.time.monotonic", lambda: next(clock))
    stop = StopRequest(deadline=27.0)
    assert [stop.asked() for _ in range(11)] == [0] * 10 + [TIME_OVER]


def test_a_signal_comes_before_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = StopRequest(deadline=time.monotonic() - 1)
    stop.receive(signal.SIGTERM, None)
    assert stop.asked() == signal.SIGTERM


@pytest.mark.parametrize("place", [(1, 1), (1, 4), (2, 2)])
def test_a_run_that_its_time_stopped_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[int, int]
) -> None:
    whole = start_run(options(tmp_path / "whole", epochs=2), ignore).folder
    over = False

    def observe(event: Event) -> None:
        nonlocal over
        over = isinstance(event, StepDone) and (event.epoch, event.step) == place

    asked = StopRequest.asked
    monkeypatch.setattr(StopRequest, "asked", lambda self: TIME_OVER if over else asked(self))
    stopped = start_run(options(tmp_path / "run", epochs=2), observe)
    assert not stopped.finished
    assert read_training(stopped.folder / runs.LAST).loop.step == place[1]
    over = False
    assert resume_run(stopped.folder, ignore, device="cpu").finished
    assert_same_result(whole, stopped.folder)


@pytest.mark.slow
def test_no_time_for_a_step_is_said_and_costs_nothing(tmp_path: Path) -> None:
    progfix(
        "train", "--data", str(SMALL.path), "--epochs", "2", "--out", "run", "--time-limit", "1",
        folder=tmp_path, status=TIME_OVER,
    )  # fmt: skip
    done = progfix(
        "train", "--resume", "--out", "run", "--time-limit", "0:00:01",
        folder=tmp_path, status=TIME_OVER,
    )  # fmt: skip
    assert "stopped before the time limit after epoch 0" in done.stderr
    assert "`progfix train --resume --out run`; there was no time for a step" in done.stderr
    resume_run(tmp_path / "run", ignore, device="cpu")


def test_a_limit_where_nothing_is_trained_is_refused(tmp_path: Path) -> None:
    done = progfix("train", "--dry-run", "--time-limit", "1h", folder=tmp_path, status=2)
    assert done.stderr.startswith("error: --time-limit: expected a run to stop, found --dry-run")


@pytest.mark.slow
def test_a_limit_of_time_is_kept(tmp_path: Path) -> None:
    began = time.monotonic()
    progfix(
        "train", "--data", str(SMALL.path), "--epochs", "100000", "--out", "run",
        "--time-limit", "40s", folder=tmp_path, status=TIME_OVER,
    )  # fmt: skip
    assert time.monotonic() - began < 40
    assert read_training(tmp_path / "run" / runs.LAST).loop.steps > 0


@pytest.mark.slow
def test_a_sweep_keeps_its_limit_and_goes_on(tmp_path: Path) -> None:
    asked = ("--data", str(SMALL.path), "--solutions", "f,g", "--seeds", "1", "--jobs", "1")
    began = time.monotonic()
    done = progfix(
        "sweep", *asked, "--epochs", "100000", "--out", "s", "--time-limit", "60",
        folder=tmp_path, status=TIME_OVER,
    )  # fmt: skip
    assert time.monotonic() - began < 60
    assert "stopped before the time limit; every state is saved" in done.stderr
    assert read_training(tmp_path / "s/f-seed0" / runs.LAST).loop.steps > 0
    assert not (tmp_path / "s/g-seed0").exists()
    assert json.loads((tmp_path / "s/sweep.json").read_text())["result"] is None


@pytest.mark.slow
def test_a_sweep_that_is_terminated_saves_in_seconds_and_goes_on(tmp_path: Path) -> None:
    asked = ("--data", str(SMALL.path), "--solutions", "f,g", "--seeds", "1", "--jobs", "2")
    process = subprocess.Popen(
        [ENTRY, "sweep", *asked, "--epochs", "100000", "--out", "s"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    states = [tmp_path / "s" / name / runs.BEST for name in ("f-seed0", "g-seed0")]
    deadline = time.monotonic() + 120
    while not all(state.exists() for state in states):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 15
    assert process.returncode == 143
    assert "go on with `progfix sweep --resume --out s`" in said
    for state in states:
        assert read_training(state.with_name(runs.LAST)).loop.steps > 0
        resume_run(state.parent, ignore, device="cpu", deadline=time.monotonic())


def test_two_processes_never_share_a_new_folder(tmp_path: Path) -> None:
    # The other one has just taken the folder and not yet written its configuration.
    asked = options(tmp_path / "run", epochs=1)
    runs.new_run(tmp_path / "run", "f")
    with runs.locked(tmp_path / "run"), pytest.raises(InputError, match="going on now"):
        start_run(asked, ignore)
    assert not (tmp_path / "run" / runs.CONFIG).exists()
    # And it is the other's when that has written it meanwhile.
    runs.write_config(tmp_path / "run", replace(asked, seed=7).to_config())
    with pytest.raises(InputError, match="a run that is already there"):
        start_run(asked, ignore)
    assert runs.read_config(tmp_path / "run")["seed"] == 7


def test_numbered_folders_are_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [runs.new_run(None, "f").name for _ in range(3)] == ["f-1", "f-2", "f-3"]


def test_what_a_kill_left_before_the_configuration_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / runs.LOCK).touch()
    (folder / ".config.0123abcd.json").write_text('{"format"')
    start_run(options(folder, epochs=1), ignore)
    assert not (folder / ".config.0123abcd.json").exists()
    (folder / "mine.txt").touch()
    with pytest.raises(InputError):
        start_run(options(folder, epochs=1), ignore)


def test_a_sweep_whose_time_is_over_starts_nothing(tmp_path: Path) -> None:
    plan = make_plan(parse_cells(["f"]), [0], data=SMALL)
    outcome = carry_on(
        new_sweep(plan, tmp_path / "s"), jobs=1, device="cpu", deadline=time.monotonic()
    )
    assert outcome.stopped_by == TIME_OVER
    assert outcome.result is None
    assert [path.name for path in (tmp_path / "s").iterdir() if path.is_dir()] == []
