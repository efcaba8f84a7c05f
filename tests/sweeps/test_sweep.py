"""Sweeps from their cells to their result, in worker processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from filelock import FileLock

from progfix import runs
from progfix.errors import InputError
from progfix.sweeps import SweepOutcome, sweep
from progfix.sweeps.contract import write_sweep
from progfix.sweeps.start import carry_on
from progfix.sweeps.states import RunState
from progfix.training.run import start_run
from tests.training.test_run import assert_same_run, ignore

DATA = "procedures/1:tasks=1,videos=6,dim=4,noise=0.5"
CELLS = ("baseline", "fghs+dropout=0.2")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepOutcome, list[RunState]]:
    states: list[RunState] = []
    outcome = sweep(
        CELLS,
        seeds=2,
        data=DATA,
        settings={"epochs": 2},
        out=tmp_path_factory.mktemp("made") / "sweep",
        jobs=2,
        device="cpu",
        observe=states.append,
    )
    return outcome, states


def test_a_sweep_ends_with_a_result_and_its_files(
    swept: tuple[SweepOutcome, list[RunState]],
) -> None:
    outcome, states = swept
    assert outcome.result is not None
    assert {cell.name for cell in outcome.result.trained} == set(CELLS)
    assert outcome.failed == {}
    assert outcome.stopped_by is None
    names = {path.name for path in outcome.folder.iterdir() if not path.name.startswith(".")}
    of_runs = {f"{cell}-seed{seed}" for cell in CELLS for seed in (0, 1)}
    assert names == of_runs | {"sweep.json", "sweep.md", "sweep.csv", "sweep.png"}
    of_heads = outcome.result.trained
    intervals = next(c for c in of_heads if "fghs" in c.name).scores["coverage"].pooled
    assert 0 <= intervals.value <= 1
    for name in of_runs:
        own = [state for state in states if state.run.name == name]
        assert [own[0].state, own[1].state, own[-1].state] == ["waiting", "running", "done"]
        assert own[-1].epoch == 2
        assert [s.share for s in own] == sorted(s.share for s in own)


def test_a_cell_is_the_run_of_train_bit_for_bit(
    swept: tuple[SweepOutcome, list[RunState]], tmp_path: Path
) -> None:
    plan, folder = swept[0].plan, swept[0].folder
    for run in (plan.runs[0], plan.runs[-1]):
        alone = replace(run.options(tmp_path, "cpu"), cell=None)
        start_run(alone, ignore)
        assert_same_run(tmp_path / run.name, folder / run.name)
        mine, theirs = (runs.read_config(f / run.name) for f in (folder, tmp_path))
        assert mine.pop("cell") == run.cell
        mine.pop("started"), theirs.pop("started")
        assert mine == theirs


def test_cells_are_never_the_newest_run(swept: tuple[SweepOutcome, list[RunState]]) -> None:
    folder = swept[0].folder
    assert runs.newest_run(folder) is None
    assert runs.newest_run(folder.parent) is None


def test_a_finished_sweep_gives_its_result_without_a_worker(
    swept: tuple[SweepOutcome, list[RunState]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("progfix.sweeps.start.train_all", None)
    again = carry_on(swept[0].folder)
    assert again.result is not None
    assert swept[0].result is not None
    assert again.result.cells[0].mae == swept[0].result.cells[0].mae


def test_an_existing_sweep_is_not_overwritten(
    swept: tuple[SweepOutcome, list[RunState]],
) -> None:
    with pytest.raises(InputError, match="a sweep that is there already"):
        sweep(["f"], data=DATA, out=swept[0].folder)


def test_a_run_that_fails_does_not_keep_the_others_from_going_on(tmp_path: Path) -> None:
    # The rate makes the weights overflow within a few steps.
    cells = ["g+head-lr=1e37+head-clip=1e37", "fgs"]
    outcome = sweep(
        cells, seeds=1, data=DATA, settings={"epochs": 5}, out=tmp_path / "s", jobs=1, device="cpu"
    )
    assert list(outcome.failed) == ["g+head-lr=1e+37+head-clip=1e+37-seed0"]
    assert "smaller --head-lr" in next(iter(outcome.failed.values()))
    assert outcome.result is not None
    assert [cell.name for cell in outcome.result.trained] == ["fgs"]
    assert outcome.result.failed[0][:2] == ("g+head-lr=1e+37+head-clip=1e+37", 0)
    assert (tmp_path / "s/fgs-seed0" / runs.PREDICTIONS).exists()


def video_file(path: Path, splits: tuple[str, ...], *, broken: bool = False) -> Path:
    """Write a data set of one video per split, the first with a NaN where it is broken."""
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-data/1"
        for number, split in enumerate(splits):
            group = file.create_group(f"v{number}")
            group.attrs.update({"task": "tea", "fps": 4.0, "split": split})
            features = np.random.default_rng(number).normal(size=(20, 3)).astype(np.float32)
            features[5, 1] = np.nan if broken and not number else 0.0
            group["features"] = features
            group["segments"] = np.array([[1, 8], [9, 19]])
            group.create_dataset("actions", data=["pour", "stir"], dtype=h5py.string_dtype())
    return path


def test_data_that_does_not_do_ends_the_sweep_and_leaves_nothing(tmp_path: Path) -> None:
    data = video_file(tmp_path / "nan.h5", ("train", "val", "test"), broken=True)
    with pytest.raises(InputError, match="v0") as caught:
        sweep(["f", "g"], seeds=1, data=data, out=tmp_path / "s", jobs=2, device="cpu")
    assert len(caught.value.problems) == 1  # the same for both cells
    assert not (tmp_path / "s").exists()


def test_data_without_test_videos_is_refused(tmp_path: Path) -> None:
    data = video_file(tmp_path / "short.h5", ("train", "val"))
    with pytest.raises(InputError, match="in the test split"):
        sweep(["f"], data=data, out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_worker_that_dies_costs_its_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\nread job\necho 'line one\nout of memory' >&2\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr("progfix.sweeps.process.sys.executable", str(dying))
    outcome = sweep(["f", "g"], seeds=1, data=DATA, out=tmp_path / "s", jobs=1, device="cpu")
    assert outcome.result is None
    assert list(outcome.failed) == ["f-seed0", "g-seed0"]
    assert "ended with signal 9; out of memory (all of it in" in outcome.failed["g-seed0"]
    assert (tmp_path / "s/f-seed0.log").read_text() == "line one\nout of memory\n"


def test_only_one_process_works_on_a_sweep(
    swept: tuple[SweepOutcome, list[RunState]], tmp_path: Path
) -> None:
    write_sweep(tmp_path, swept[0].plan)
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(InputError, match="one that is going on now"),
    ):
        carry_on(tmp_path, device="cpu")


def test_settings_that_do_not_exist_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="learning-rate"):
        sweep(["f"], settings={"learning-rate": 1.0})
