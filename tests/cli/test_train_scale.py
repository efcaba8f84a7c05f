"""`progfix train`: the options that scale it, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from progfix.training import run
from progfix.training.execution import Execution
from progfix.training.history import read_history
from progfix.training.prepare import Prepared, prepare
from progfix.training.run_options import RunOptions
from tests.cli.test_train_methods import TINY, progfix
from tests.training.tiny import write_tiny


def test_a_run_goes_on_however_it_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, folder = write_tiny(tmp_path / "tiny.h5"), tmp_path / "run"
    seen: list[Execution] = []

    def noted(options: RunOptions, *rest: object) -> Prepared:
        seen.append(options.execution)
        return prepare(options, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "prepare", noted)
    groups = ("--groups-per-step", "3", "--precision", "bf16")
    how = ("--readers", "0", "--cache-gib", "0.5", "--device", "cpu")
    progfix("train", "--method", "tcc", *TINY, *groups, *how, "--data", data, "--out", folder)
    (row,) = read_history(folder / "history.csv")
    assert row.steps == 2  # of three groups, and of one
    recipe = json.loads((folder / "config.json").read_text())["recipe"]
    assert recipe["optimisation"]["groups_per_step"] == 3
    assert recipe["optimisation"]["precision"] == "bf16"
    more = ("--epochs", "2", "--readers", "4", "--device", "cpu")
    progfix("train", "--resume", "--out", folder, *more)
    assert len(read_history(folder / "history.csv")) == 2
    assert seen == [Execution(readers=0, cache_gib=0.5), Execution(readers=4)]
    assert seen[0].cache_bytes == 2**29
    said = progfix("train", "--resume", "--out", folder, "--groups-per-step", "2", status=2)
    assert "--groups-per-step: expected --out, --epochs" in said


def test_options_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for flags, message in (
        (("--precision", "bf16"), "--precision bf16: expected a method that trains an encoder"),
        (("--compile",), "--compile: expected an encoder in training"),
    ):
        assert message in progfix("train", *flags, "--out", folder, status=2)
    assert not folder.exists()
