"""Runs that train an encoder: stopped and resumed, stored and opened again, collapsed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix import runs
from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.moments import Moments
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.encoders import Encoder
from progfix.errors import InputError
from progfix.predict import predict
from progfix.predictions import Predictions
from progfix.predictions_io import load_predictions
from progfix.training.history import read_history
from progfix.training.recipe import EncoderName, Method, MethodName, published_method
from progfix.training.run import resume_run, start_run
from progfix.training.run_options import RunOptions
from progfix.training.state import read_training
from tests.training.test_run import assert_same_run, ignore, options, stop_at
from tests.training.tiny import write_tiny

NAMES: list[MethodName] = ["tcc", "gtcc", "lav", "vava"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataOptions:
    return DataOptions(path=str(write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.h5")))


def joint(
    folder: Path, data: DataOptions, letters: str, method: Method, epochs: int = 2
) -> RunOptions:
    plain = options(folder, letters, epochs=epochs)
    return replace(plain, data=data, recipe=replace(plain.recipe, method=method))


@pytest.mark.parametrize(
    ("letters", "method"),
    [
        ("fghsv", Method("gtcc", size=8, frames=12)),
        ("", Method("vava", size=8, frames=12)),
        ("ab", Method("tcc", size=8, mcn=True)),
    ],
)
def test_a_joint_run_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, data: DataOptions, letters: str, method: Method
) -> None:
    whole = start_run(joint(tmp_path / "whole", data, letters, method), ignore).folder
    stopped = start_run(joint(tmp_path / "stopped", data, letters, method), stop_at(1, 3))
    assert not stopped.finished
    assert resume_run(stopped.folder, ignore, device="cpu").finished
    assert_same_run(whole, stopped.folder)
    first, second = (read_training(f / runs.LAST).encoder for f in (whole, stopped.folder))
    assert first is not None
    assert second is not None
    assert all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("mcn", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_checkpoint_is_the_model_that_was_trained(
    tmp_path: Path, data: DataOptions, name: MethodName, *, mcn: bool
) -> None:
    method = Method(name, size=8, frames=12, mcn=mcn)
    folder = start_run(joint(tmp_path / "run", data, "fgs", method), ignore).folder
    checkpoint = open_checkpoint(folder)
    encoder = checkpoint.model.encoder
    assert isinstance(encoder, Encoder)
    assert encoder.causal
    assert (encoder.dropout is not None) == (name == "gtcc")
    assert checkpoint.recipe is not None
    assert checkpoint.recipe.method == method
    names = {n for n, p in checkpoint.model.named_parameters()}
    moved = set(checkpoint.moments or {})
    assert any(n.startswith("encoder.") for n in moved)
    assert moved <= names
    test = open_dataset(data).split("test")
    again = Predictions.concat(predict(checkpoint.model, test)).prediction
    stored = load_predictions(folder / runs.PREDICTIONS).prediction
    np.testing.assert_allclose(again, stored, atol=1e-7)
    best = min(read_history(folder / runs.HISTORY), key=lambda row: row.val_mae)
    rows = Predictions.concat(predict(checkpoint.model, open_dataset(data).split("val")))
    assert np.abs(rows.prediction - rows.target).mean() == pytest.approx(best.val_mae, abs=1e-7)


def test_the_history_has_both_losses_and_the_share_of_the_head(
    tmp_path: Path, data: DataOptions
) -> None:
    method = Method("vava", size=8, frames=12)
    rows = start_run(joint(tmp_path / "run", data, "", method), ignore).history
    assert list(rows) == read_history(tmp_path / "run" / runs.HISTORY)
    for row in rows:
        assert row.alignment_loss is not None
        assert math.isfinite(row.alignment_loss)
        assert row.head_share is not None
        assert 0 < row.head_share < 1e-3  # lambda is 1e6, and the head's part is divided by it
    alone = start_run(options(tmp_path / "alone", "", epochs=1), ignore).history[0]
    assert alone.alignment_loss is None
    assert alone.head_share == 1.0
    assert read_history(tmp_path / "alone" / runs.HISTORY) == [alone]


def test_a_history_from_before_methods_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(
        "epoch,steps,train_loss,skipped,head_gradient,head_applied,val_mae,val_skill_constant,"
        "val_skill_frame_counting,best,seconds\n1,4,0.25,0,0.1,1e-05,0.24,0.04,-0.1,1,2.5\n"
    )
    (row,) = read_history(path)
    assert (row.train_loss, row.best, row.alignment_loss, row.head_share) == (
        0.25,
        True,
        None,
        None,
    )


def head_moments(folder: Path) -> dict[str, Moments]:
    moments = open_checkpoint(folder).moments or {}
    return {name: value for name, value in moments.items() if name.startswith("head.")}


def spread(folder: Path) -> float:
    low, high = np.quantile(load_predictions(folder / runs.PREDICTIONS).prediction, [0.05, 0.95])
    return float(high - low)


@pytest.mark.parametrize("name", ["tcc", "lav"])
def test_the_failing_recipe_freezes_its_head_and_own_gradients_free_it(
    tmp_path: Path, data: DataOptions, name: MethodName
) -> None:
    method = published_method(name)
    failing = joint(tmp_path / "failing", data, "", method, epochs=3)
    failing = replace(  # lav's sum over 30 frames is as large as vava's in the field
        failing,
        recipe=replace(
            failing.recipe,
            optimisation=replace(failing.recipe.optimisation, skip_above=math.inf),
        ),
    )
    start_run(failing, ignore)
    frozen = head_moments(tmp_path / "failing")
    assert frozen
    assert max(value.rms for value in frozen.values()) < 1e-10
    assert spread(tmp_path / "failing") < 0.1
    start_run(joint(tmp_path / "own", data, "g", method, epochs=3), ignore)
    assert max(value.rms for value in head_moments(tmp_path / "own").values()) > 1e-6
    assert spread(tmp_path / "own") > spread(tmp_path / "failing")


def test_the_seeds_vava_skips_every_step_and_its_head_stays_at_the_beginning(
    tmp_path: Path, data: DataOptions
) -> None:
    # N M / 40 KL alone is beyond 1e7 in the field; here the limit is lowered instead.
    failing = joint(tmp_path / "run", data, "", published_method("vava"), epochs=1)
    optimisation = replace(failing.recipe.optimisation, skip_above=1e4)
    failing = replace(failing, recipe=replace(failing.recipe, optimisation=optimisation))
    (row,) = start_run(failing, ignore).history
    assert row.steps == 0
    assert row.skipped == 4
    assert math.isnan(row.train_loss)
    assert not head_moments(tmp_path / "run")


@pytest.mark.parametrize("mcn", [False, True])
def test_feature_maps_train_resnet(tmp_path: Path, *, mcn: bool) -> None:
    maps = DataOptions(path=str(write_tiny(tmp_path / "maps.h5", (2, 3, 3), tasks=1)))
    method = Method("tcc", encoder="resnet", size=8, mcn=mcn)
    run = joint(tmp_path / "run", maps, "fgs", method, epochs=1)
    start_run(run, ignore)
    encoder = open_checkpoint(tmp_path / "run").model.encoder
    assert isinstance(encoder, Encoder)
    assert encoder.input_shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("shape", "encoder", "message"),
    [
        ((6,), "resnet", "a square feature map per frame for the resnet encoder"),
        ((2, 3, 3), "stacking", "one feature vector per frame for the stacking encoder"),
        ((2, 3, 4), "resnet", "features of shape 2 x 3 x 4"),
    ],
)
def test_features_that_an_encoder_cannot_take_are_one_error(
    tmp_path: Path, shape: tuple[int, ...], encoder: EncoderName, message: str
) -> None:
    other = DataOptions(path=str(write_tiny(tmp_path / "other.h5", shape, tasks=1)))
    method = Method("tcc", encoder=encoder)
    with pytest.raises(InputError, match=message):
        start_run(joint(tmp_path / "run", other, "fgs", method), ignore)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("features", "width"), [("embedding", 8), ("raw", 6)])
def test_a_head_reads_embeddings_or_features(
    tmp_path: Path, data: DataOptions, features: str, width: int
) -> None:
    method = Method("tcc", size=8, frames=12, features=features)  # type: ignore[arg-type]
    start_run(joint(tmp_path / "run", data, "fgs", method, epochs=1), ignore)
    model = open_checkpoint(tmp_path / "run").model
    assert model.head.width == width
    assert model.raw == (features == "raw")
    video = torch.randn(9, 6)
    assert model.embed(video).shape == (9, width)
    assert model.encode(video).shape == (9, 8)
    # The same encoder, frozen, and a new head on either.
    other = "raw" if features == "embedding" else "embedding"
    again = joint(tmp_path / "again", data, "fgs", Method(features=other), epochs=1)  # type: ignore[arg-type]
    start_run(replace(again, init=tmp_path / "run"), ignore)
    second = open_checkpoint(tmp_path / "again").model
    assert second.head.width == 14 - width
    torch.testing.assert_close(second.encode(video), model.encode(video), rtol=0, atol=0)


def test_videos_without_a_companion_cannot_be_aligned(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "lonely.h5", splits=("train", "val", "test"))
    run = joint(tmp_path / "run", DataOptions(path=str(path)), "", Method("tcc"))
    with pytest.raises(InputError, match="at least two training videos of one task"):
        start_run(run, ignore)
