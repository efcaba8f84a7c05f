"""Options that would do nothing are refused, each by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from progfix.cli.opening import DEFAULTS
from progfix.sources import SourceOptions
from tests.cli.evaluating import run
from tests.cli.test_usage import refused

READING = {
    "--reader": "auto",
    "--feature-dir": "x",
    "--fps": "foo",
    "--frame-rate": "2",
    "--splits": "nope",
    "--pairing": "refuse",
    "--skip-tasks": "tea",
    "--background": "",
    "--ends": "inclusive",
}
SMALL = ("--data", "procedures/1:tasks=1,videos=6,dim=4")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    path.write_text("video,target,prediction\nx,.5,.1\nx,1,.9\ny,1,.3\n")
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ours, trained for one epoch."""
    folder = tmp_path_factory.mktemp("idle") / "run"
    run("train", "--epochs", "1", "--out", folder, *SMALL)
    return folder


def assert_named(lines: Sequence[str], *options: str) -> None:
    """Each option has a line of its own, in any order."""
    assert sorted(line.partition(":")[0] for line in lines) == sorted(options)


@pytest.mark.parametrize("command", ["train", "eval", "viz", "diagnose"])
def test_how_to_read_data_needs_data(command: str) -> None:
    lines = refused(command, *(word for pair in READING.items() for word in pair))
    assert_named(lines, *READING)
    assert all(": expected --data beside it, which it says how to read, found" in x for x in lines)


def test_a_run_that_says_its_data_is_read_as_it_was(run_folder: Path) -> None:
    assert_named(refused("eval", run_folder, "--skip-tasks", "procedure-1"), "--skip-tasks")


def test_how_to_read_annotations_needs_annotations(tmp_path: Path) -> None:
    out = tmp_path / "x.h5"
    lines = refused("data", "make", out, "--fps", "foo", "--ends", "half-open")
    assert_named(lines, "--fps", "--ends")
    assert not out.exists()


@pytest.mark.parametrize("command", ["eval", "viz", "diagnose"])
def test_a_predictions_file_has_no_split_and_no_model(
    command: str, predictions: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--split", "test", "--fit-on", "nope", "--device", "cpu", "--head-spec", "elapsed")
    assert_named(refused(command, predictions, *options), *options[::2])
    assert list(tmp_path.iterdir()) == [predictions]


def test_a_predictions_file_with_data_has_durations_to_learn(predictions: Path) -> None:
    lines = refused("eval", predictions, *SMALL, "--split", "val", "--fit-on", "val")
    assert_named(lines, "--split")


def test_a_baseline_runs_no_model(tmp_path: Path) -> None:
    lines = refused("eval", "baseline:constant", *SMALL, "--device", "cpu", "--split", "val")
    assert_named(lines, "--device")


def test_a_run_of_ours_knows_its_head(run_folder: Path) -> None:
    lines = refused("eval", run_folder, "--head-spec", "elapsed", "--device", "cpu")
    assert_named(lines, "--head-spec")


def test_a_split_is_one_of_the_splits(predictions: Path) -> None:
    (line,) = refused("eval", predictions, "--split", "bogus")
    assert line.startswith("--split: expected one of train, val, test, all, found 'bogus'")


@pytest.mark.parametrize(
    ("said", "found"), [("nope", "'nope'"), ("val+", "'val+'"), ("all", "'all'")]
)
def test_durations_are_learnt_on_splits_of_the_data(said: str, found: str) -> None:
    (line,) = refused("eval", "baseline:constant", *SMALL, "--fit-on", said)
    assert line.startswith("--fit-on: expected train or val or test, joined by +, found " + found)


def test_the_help_shows_the_defaults_that_hold() -> None:
    options = SourceOptions()
    assert {name: getattr(options, name) for name in DEFAULTS} == DEFAULTS
