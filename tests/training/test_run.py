"""Runs: what a folder holds, and that a stopped run ends as one that was not."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from progfix import runs
from progfix.checkpoints import open_checkpoint
from progfix.data.dataset import ArrayFeatures
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError, TrainingError
from progfix.predictions_io import load_predictions
from progfix.solutions import apply
from progfix.training.history import EpochRow, read_history
from progfix.training.loop import EpochDone, Event, StepDone
from progfix.training.loop_state import LoopState
from progfix.training.recipe import Augmentation
from progfix.training.run import resume_run, start_run
from progfix.training.run_options import RunOptions
from progfix.training.state import read_training

SMALL = DataOptions(path="procedures/1:tasks=2,videos=6,dim=8,noise=0.5")
QUICK = (("fgs", (2, 3)), ("abe", (1, 1)), ("fghs", (2, 4)))
"""Of the recipes and the places to stop at."""


def options(folder: Path, letters: str = "fgs", epochs: int = 3, **changes: object) -> RunOptions:
    recipe = apply(letters)
    optimisation = replace(recipe.optimisation, epochs=epochs, **changes)  # type: ignore[arg-type]
    return RunOptions(
        recipe=replace(recipe, optimisation=optimisation), data=SMALL, folder=folder, device="cpu"
    )


def ignore(_: Event) -> None:
    """An observer that watches nothing."""


def stop_at(epoch: int, step: int, number: signal.Signals = signal.SIGINT):  # type: ignore[no-untyped-def]
    """An observer that sends a signal after a step."""

    def observe(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, step):
            signal.raise_signal(number)

    return observe


def without_clock(rows: list[EpochRow]) -> list[EpochRow]:
    return [replace(row, seconds=0.0) for row in rows]


def tensors(path: Path) -> dict[str, torch.Tensor]:
    return {n: t.clone() for n, t in open_checkpoint(path).model.state_dict().items()}


def assert_same_run(one: Path, other: Path) -> None:
    """Equal bit for bit: weights, optimiser state, history but its clock, predictions."""
    for name, value in tensors(one).items():
        assert torch.equal(value, tensors(other)[name]), name
    first, second = read_training(one / runs.LAST), read_training(other / runs.LAST)
    assert all(torch.equal(v, second.head[n]) for n, v in first.head.items())
    for name, state in first.optimisers.items():
        for index, values in state["state"].items():
            for key, value in values.items():
                assert torch.equal(value, second.optimisers[name]["state"][index][key])
    assert without_clock(read_history(one / runs.HISTORY)) == without_clock(
        read_history(other / runs.HISTORY)
    )
    np.testing.assert_array_equal(
        load_predictions(one / runs.PREDICTIONS).prediction,
        load_predictions(other / runs.PREDICTIONS).prediction,
    )


def test_a_run_folder_holds_what_every_command_starts_from(tmp_path: Path) -> None:
    result = start_run(options(tmp_path / "run"), ignore)
    assert result.finished
    names = {p.name for p in result.folder.iterdir() if not p.name.startswith(".")}
    assert names == {"config.json", "checkpoint.pt", "last.pt", "history.csv", "predictions.h5"}
    config = json.loads((result.folder / "config.json").read_text())
    assert config["format"] == "progfix-run/1"
    assert config["recipe"]["solution"] == "fgs"
    assert RunOptions.from_config(config, "config.json") == replace(
        options(tmp_path), folder=None, device="auto"
    )
    rows = read_history(result.folder / "history.csv")
    assert [row.epoch for row in rows] == [1, 2, 3]
    best = min(rows, key=lambda row: row.val_mae)
    assert open_checkpoint(result.folder).epoch == best.epoch - 1
    assert rows == list(result.history)


def test_training_lowers_the_error(tmp_path: Path) -> None:
    rows = start_run(options(tmp_path / "run", epochs=15, head_lr=1e-2), ignore).history
    assert rows[-1].train_loss < 0.6 * rows[0].train_loss


@pytest.mark.parametrize(
    ("letters", "place"),
    [
        pytest.param(letters, place, marks=() if (letters, place) in QUICK else pytest.mark.slow)
        for letters in ("fgs", "abe", "fghs")
        for place in ((1, 1), (2, 3), (2, 4))
    ],
)
def test_a_run_that_was_stopped_and_resumed_is_the_run_that_was_not(
    tmp_path: Path, letters: str, place: tuple[int, int]
) -> None:
    whole = start_run(options(tmp_path / "whole", letters), ignore).folder
    stopped = start_run(options(tmp_path / "stopped", letters), stop_at(*place))
    assert not stopped.finished
    assert stopped.stopped_by == signal.SIGINT
    assert not (stopped.folder / runs.PREDICTIONS).exists()
    assert resume_run(stopped.folder, ignore, device="cpu").finished
    assert_same_run(whole, stopped.folder)


def test_a_run_with_everything_on_resumes_too(tmp_path: Path) -> None:
    def settings(folder: Path) -> RunOptions:
        plain = options(folder, "fghs", average=0.9, weight_decay=0.01)
        recipe = replace(
            plain.recipe,
            head=replace(plain.recipe.head, dropout=0.2, normalise=True),
            augmentation=Augmentation(time_warp=0.2, feature_noise=0.3),
        )
        return replace(plain, recipe=recipe)

    whole = start_run(settings(tmp_path / "whole"), ignore).folder
    stopped = start_run(settings(tmp_path / "stopped"), stop_at(2, 2)).folder
    resume_run(stopped, ignore, device="cpu")
    assert_same_run(whole, stopped)


def test_sigterm_saves_too(tmp_path: Path) -> None:
    result = start_run(options(tmp_path / "run"), stop_at(1, 2, signal.SIGTERM))
    assert result.stopped_by == signal.SIGTERM
    assert read_training(result.folder / runs.LAST).loop.step == 2


def test_a_finished_run_can_be_given_more_epochs(tmp_path: Path) -> None:
    folder = start_run(options(tmp_path / "short", epochs=2), ignore).folder
    resume_run(folder, ignore, epochs=4, device="cpu")
    long = start_run(options(tmp_path / "long", epochs=4), ignore).folder
    assert_same_run(folder, long)


def test_the_seed_decides(tmp_path: Path) -> None:
    one, two, three = (
        start_run(replace(options(tmp_path / str(i), epochs=1), seed=seed), ignore).folder
        for i, seed in enumerate((5, 5, 6))
    )
    assert_same_run(one, two)
    assert not torch.equal(tensors(one)["head.fc.2.weight"], tensors(three)["head.fc.2.weight"])


def test_an_existing_run_is_never_overwritten(tmp_path: Path) -> None:
    folder = start_run(options(tmp_path / "run", epochs=1), ignore).folder
    before = (folder / "checkpoint.pt").read_bytes()
    with pytest.raises(InputError, match="a run that is already there"):
        start_run(options(folder), ignore)
    assert (folder / "checkpoint.pt").read_bytes() == before


def test_two_processes_do_not_work_on_one_run(tmp_path: Path) -> None:
    folder = start_run(options(tmp_path / "run"), stop_at(1, 1)).folder
    with (
        FileLock(folder / ".lock"),
        pytest.raises(InputError, match="one that is going on now"),
    ):
        resume_run(folder, ignore, device="cpu")


def test_a_loss_that_explodes_keeps_the_last_good_state(tmp_path: Path) -> None:
    # The rate makes the weights overflow within a few steps.
    settings = options(tmp_path / "run", "g", epochs=5, head_lr=1e37, head_clip=1e37)
    with pytest.raises(TrainingError, match="smaller --head-lr"):
        start_run(settings, ignore)
    kept = read_training(tmp_path / "run" / runs.LAST)
    assert kept.loop.steps > 0


def test_nothing_is_created_where_the_input_is_bad(tmp_path: Path) -> None:
    bad = replace(options(tmp_path / "run"), data=DataOptions(path=str(tmp_path / "none.h5")))
    with pytest.raises(InputError):
        start_run(bad, ignore)
    assert not (tmp_path / "run").exists()


def test_the_validation_of_the_history_is_that_of_the_checkpoint(tmp_path: Path) -> None:
    from progfix.data.open import open_dataset
    from progfix.predict import predict
    from progfix.predictions import Predictions

    folder = start_run(options(tmp_path / "run"), ignore).folder
    checkpoint = open_checkpoint(folder)
    rows = Predictions.concat(predict(checkpoint.model, open_dataset(SMALL).split("val")))
    best = min(read_history(folder / runs.HISTORY), key=lambda row: row.val_mae)
    mae = np.abs(rows.prediction - rows.target).mean()
    assert mae == pytest.approx(best.val_mae, abs=1e-9)
    assert 1 - mae / np.abs(0.5 - rows.target).mean() == pytest.approx(best.val_skill_constant)


def test_events_come_in_order(tmp_path: Path) -> None:
    seen: list[Event] = []
    start_run(options(tmp_path / "run", epochs=2), seen.append)
    steps = next(e.steps for e in seen if isinstance(e, StepDone))
    assert len(seen) == 2 * (steps + 1)
    assert [type(e) for e in seen[: steps + 1]] == [StepDone] * steps + [EpochDone]


def test_test_videos_are_looked_at_before_the_work(tmp_path: Path) -> None:
    videos = list(open_dataset(SMALL))
    last = next(video for video in videos if video.split == "test")
    broken = replace(last, features=ArrayFeatures(np.full((last.num_frames, 8), np.nan)))
    write_hdf5(tmp_path / "d.h5", [broken if video is last else video for video in videos])
    data = DataOptions(path=str(tmp_path / "d.h5"))
    with pytest.raises(InputError, match=f"video .*{last.name}: expected finite features"):
        start_run(replace(options(tmp_path / "run", epochs=1), data=data), ignore)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("entry", "value"),
    [("epoch", None), ("epoch", 10**20), ("step", -3), ("loss", "x"), ("history", [None])],
)
def test_a_state_that_contradicts_itself_is_refused(
    tmp_path: Path, entry: str, value: object
) -> None:
    values = {**LoopState(loss=1.0).to_dict(), entry: value}
    with pytest.raises((TypeError, ValueError)):
        LoopState.from_dict(values)


@pytest.mark.parametrize("damage", ["cut", "other", "lacking", "foreign"])
def test_a_state_that_cannot_be_taken_up_is_refused(tmp_path: Path, damage: str) -> None:
    folder = start_run(options(tmp_path / "run", epochs=1), ignore).folder
    last = folder / runs.LAST
    if damage == "cut":
        last.write_bytes(last.read_bytes()[:5000])
    elif damage == "other":
        other = start_run(options(tmp_path / "other", "abe", epochs=1), ignore).folder
        last.write_bytes((other / runs.LAST).read_bytes())
    elif damage == "lacking":
        payload = torch.load(last, weights_only=True)
        del payload["loop"]["epoch"], payload["optimisers"]
        torch.save(payload, last)
    else:
        last.write_bytes(b"not torch")
    before = (folder / runs.BEST).read_bytes()
    with pytest.raises(InputError) as caught:
        resume_run(folder, ignore, epochs=2, device="cpu")
    (problem,) = caught.value.problems
    assert problem.where == str(last)
    assert problem.expected == "the state that the run goes on from"
    assert f"train anew with --config {folder} and another --out" in problem.fix
    assert problem.fix.endswith("checkpoint.pt there is the best model so far")
    assert "\n" not in str(problem)
    assert (folder / runs.BEST).read_bytes() == before


def test_a_run_without_its_state_is_not_begun_again(tmp_path: Path) -> None:
    folder = start_run(options(tmp_path / "run", epochs=1), ignore).folder
    before = (folder / runs.BEST).read_bytes()
    (folder / runs.LAST).unlink()
    with pytest.raises(InputError, match="no such file beside a checkpoint"):
        resume_run(folder, ignore, epochs=2, device="cpu")
    assert (folder / runs.BEST).read_bytes() == before
