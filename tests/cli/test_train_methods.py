"""`progfix train --method`: each method as a user types it, and what opens the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from progfix.cli.app import app
from progfix.cli.train_view import TrainingView
from progfix.training.history import EpochRow, read_history
from progfix.training.loop import StepDone
from progfix.training.optimisers import StepReport
from progfix.training.run import RunResult
from tests.training.tiny import write_tiny

TINY = ("--embedding-size", "8", "--epochs", "1")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def progfix(*arguments: str | Path, status: int = 0) -> str:
    """Run the command in this process, check its exit status, and return what it said."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == status, f"{done.stdout}\n{done.stderr}"
    return done.stderr if status else done.stdout


@pytest.mark.parametrize(
    ("method", "flags"),
    [
        ("tcc", ("--features", "raw")),
        ("gtcc", ("--mcn", "--alignment-frames", "12")),
        ("lav", ("--encoder", "naive")),
        ("vava", ("--solution", "ab", "--progress-lambda", "1000000")),
    ],
)
def test_each_method_trains(here: Path, method: str, flags: tuple[str, ...]) -> None:
    data = write_tiny(here / "tiny.h5")
    done = progfix("train", "--method", method, *flags, *TINY, "--data", data, "--out", "run")
    assert done.startswith("run: 1 epoch\n")
    (row,) = read_history(here / "run" / "history.csv")
    assert row.steps == 4
    assert row.alignment_loss is not None
    recipe = json.loads((here / "run" / "config.json").read_text())["recipe"]
    assert recipe["method"]["name"] == method
    assert recipe["method"]["causal"] is True


def test_a_joint_run_opens_everywhere_and_runs_again(here: Path) -> None:
    data = write_tiny(here / "tiny.h5")
    progfix("train", "--method", "tcc", *TINY, "--mcn", "--data", data)
    (run,) = (here / "runs").iterdir()
    assert run.name.startswith("tcc-")
    assert "MAE" in progfix("diagnose")
    evaluated = progfix("eval", run, "--alignment", "--json")
    assert json.loads(evaluated)["sources"]
    progfix("viz", "--num-segments", "1")
    progfix("train", "--config", run, "--features", "raw", "--out", "again")
    recipe = json.loads((here / "again" / "config.json").read_text())["recipe"]
    assert (recipe["method"]["name"], recipe["method"]["mcn"]) == ("tcc", True)
    assert recipe["method"]["features"] == "raw"


def test_the_published_run_is_written_in_the_users_layout_and_named_untrained(
    here: Path,
) -> None:
    data = write_tiny(here / "tiny.h5")
    published = ("--mcn", "--no-causal", "--losses", "gtcc", "--initial-weights", "torch")
    arguments = ("--method", "tcc", *published, "--alignment-frames", "0", "--data", data)
    progfix(
        "train", "--solution", "baseline", "--epochs", "2", *arguments, "--out", "run",
    )  # fmt: skip
    said = json.loads(progfix("diagnose", "run", "--json"))
    assert "untrained-head" in {finding["id"] for finding in said["findings"]}
    # A checkpoint in their layout: a new head on its frozen encoder writes one again.
    progfix("train", "--init", "run", "--solution", "g", "--epochs", "1")


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (
            ("--mcn", "--encoder", "naive", "--alignment-frames", "0"),
            ("--encoder: ", "--mcn: ", "--alignment-frames: "),
        ),
        (("--features", "raw"), ("--features: expected an encoder",)),
        (("--method", "tcc", "--batch-videos", "1"), ("--batch-videos: expected at least 2",)),
        (("--method", "tcc", "--encoder", "naive", "--no-causal"), ("--causal: expected",)),
        (("--method", "sgd"), ("sgd",)),
    ],
)
def test_flags_that_do_nothing_or_contradict_are_refused(
    here: Path, arguments: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    said = progfix("train", *arguments, status=2)
    for message in messages:
        assert message in said
    assert not (here / "runs").exists()


def test_the_bar_shows_both_losses_and_the_share_of_the_head() -> None:
    view = TrainingView("x")
    for progress, alignment, share in ((0.2, 4.0, 1e-6), (0.3, 8.0, 3e-6)):
        report = StepReport(progress, alignment, 0.1, share, 1e-11, moved=True)
        view.observe(StepDone(1, 2, 1, 4, report))
    (task,) = view._progress.tasks
    assert task.fields["losses"] == "progress 0.2500, alignment 6, head 2e-06 of the gradient"


def test_skipped_steps_are_said(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    row = EpochRow(1, 0, 0.25, 3, 0.1, 0.1, 0.21, 0.15, -0.05, True, 1.0)
    TrainingView("x").report(RunResult(here, True, None, (row,)))
    said = capsys.readouterr().err
    assert "note: 3 groups skipped" in said
    assert "s takes segments of any length" in said
