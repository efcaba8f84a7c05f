"""Several processes: what they compute is what one computes on the same groups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import tests
from progfix import runs
from progfix.errors import InputError, LostProcessError
from progfix.training.assemble import Request, assemble
from progfix.training.history import read_history
from progfix.training.prepare import prepare
from progfix.training.processes import ALONE, Processes, joined
from progfix.training.state import SavedTraining, read_training
from tests.training.test_run import assert_same_run
from tests.training.together import ALL, FEW, Case, options_of, run_cases, write_data

pytestmark = pytest.mark.slow

ROOT = Path(tests.__file__).parents[1]


def torchrun(*arguments: str, processes: int = 2) -> list[str]:
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", str(processes), *arguments),
    ]


def environment() -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def together(folder: Path, name: str) -> None:
    write_data(folder)
    script = str(ROOT / "tests" / "training" / "together.py")
    done = subprocess.run(
        torchrun(script, str(folder), name),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def alone(folder: Path, cases: Mapping[str, Case]) -> None:
    write_data(folder)
    run_cases(cases, folder, ALONE)


def tensors(state: SavedTraining) -> dict[str, Tensor]:
    """All weights and buffers, averages and Adam's moments included."""
    parts = {"head": state.head, "encoder": state.encoder or {}, "average": state.average or {}}
    found = {f"{part}.{n}": t for part, values in parts.items() for n, t in values.items()}
    for name, stepper in state.optimisers.items():
        for index, moments in stepper["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
    return found


def assert_close(first: Path, second: Path, within: float) -> None:
    before, after = (tensors(read_training(f / runs.LAST)) for f in (first, second))
    assert before.keys() == after.keys()
    assert len(before) > 10
    for name, value in before.items():
        assert float((value - after[name]).abs().max()) <= within, name


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pair")
    together(folder, "few")
    return folder


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("single")
    alone(folder, {name: case for name, case in FEW.items() if not case.stop})
    return folder


WITHIN = {"float32": 1e-5, "float64": 1e-9}


@pytest.mark.parametrize("name", [name for name in FEW if name not in ("whole", "stopped")])
def test_two_processes_are_one_that_accumulates(pair: Path, single: Path, name: str) -> None:
    assert_close(single / name, pair / name, WITHIN[FEW[name].precision])
    one, two = (read_history(folder / name / runs.HISTORY) for folder in (single, pair))
    assert [row.steps for row in one] == [row.steps for row in two]
    for first, second in zip(one, two, strict=True):
        assert first.train_loss == pytest.approx(second.train_loss, rel=1e-5)
        assert first.val_mae == pytest.approx(second.val_mae, rel=1e-5)
        assert first.head_gradient == pytest.approx(second.head_gradient, rel=1e-4)
    assert (pair / name / runs.PREDICTIONS).exists()


def test_the_cases_take_the_steps_that_they_are_named_for(pair: Path) -> None:
    for name, steps in (("tcc-step", 1), ("vava-50", 50), ("uneven", 6)):
        assert read_history(pair / name / runs.HISTORY)[-1].steps == steps


def test_one_process_is_asked_to_stop_and_both_go_on_bit_for_bit(pair: Path) -> None:
    assert_same_run(pair / "whole", pair / "stopped")
    first, second = (tensors(read_training(pair / n / runs.LAST)) for n in ("whole", "stopped"))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_what_happens_in_one_process_is_told_to_all(pair: Path) -> None:
    told: list[dict[str, Any]] = [
        json.loads((pair / f"told-{rank}.json").read_text()) for rank in (0, 1)
    ]
    assert [one.pop("share") for one in told] == [["a", "c", "e"], ["b", "d"]]
    assert told[0] == told[1]
    assert told[0] == {
        "everywhere": "process 1: expected a file, found none; bring it",
        "first fails": "process 0: expected a file, found none; bring it",
        "first": 0,
        "highest": 5,
    }


def test_every_method_in_two_processes(tmp_path: Path) -> None:
    for name in ("pair", "single"):
        (tmp_path / name).mkdir()
    together(tmp_path / "pair", "all")
    alone(tmp_path / "single", ALL)
    for name, case in ALL.items():
        assert_close(tmp_path / "single" / name, tmp_path / "pair" / name, WITHIN[case.precision])


def test_alone_nothing_is_exchanged() -> None:
    with joined("auto") as processes:
        assert processes is ALONE
    values = torch.ones(2)
    assert ALONE.total(values) is values
    assert ALONE.share([1, 2, 3]) == [1, 2, 3]
    assert ALONE.highest(7) == 7
    assert ALONE.on_first(lambda: 5) == ALONE.everywhere(lambda: 5) == 5


def test_a_step_has_a_group_for_each_process(tmp_path: Path) -> None:
    write_data(tmp_path)
    with pytest.raises(InputError, match="--groups-per-step 2: expected at least 3, a group"):
        prepare(options_of(FEW["whole"], tmp_path, "run"), Processes(size=3))
    options, _ = assemble(Request(processes=3))
    assert options.recipe.optimisation.groups_per_step == 3
    said = {"optimisation.groups_per_step": 6}
    options, _ = assemble(Request(processes=3, settings=said))
    assert options.recipe.optimisation.groups_per_step == 6


@pytest.mark.parametrize(
    ("world", "device", "message"),
    [
        ({"WORLD_SIZE": "2"}, "cpu", "expected what torchrun sets"),
        ({"WORLD_SIZE": "2"}, "mps", "under torchrun, where each process takes its own"),
        ({"WORLD_SIZE": "2"}, "cuda:1", "under torchrun, where each process takes its own"),
    ],
)
def test_processes_that_cannot_join_are_one_error(
    monkeypatch: pytest.MonkeyPatch, world: dict[str, str], device: str, message: str
) -> None:
    for name, value in world.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=message), joined(device):
        pass


def test_the_error_of_a_lost_process_says_how_to_go_on() -> None:
    assert str(LostProcessError("Connection reset", folder=Path("runs/x"))) == (
        "a process of the run was lost (Connection reset); its state is saved, go on under "
        "torchrun with --resume --out runs/x"
    )


def test_the_module_is_the_command() -> None:
    run = [sys.executable, "-m", "progfix", "--version"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.startswith(
        "progfix "
    )
