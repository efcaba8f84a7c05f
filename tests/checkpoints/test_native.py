"""Our own files: what goes in comes out, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from progfix.checkpoints import Checkpoint, open_checkpoint
from progfix.checkpoints.moments import Moments
from progfix.checkpoints.native import save_native
from progfix.checkpoints.provenance import Provenance
from progfix.checkpoints.reading import safe_load
from progfix.encoders import Encoder, ResnetEncoder
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.solutions import SOLUTIONS, apply, conflicts
from progfix.training.recipe import SEED_RECIPE, Recipe
from tests.checkpoints.made import head_of, small_encoder

DURATIONS: dict[str, NDArray[np.int64]] = {
    "crack egg": np.array([3, 9, 4]),
    "stir": np.array([], dtype=np.int64),
    "größer": np.array([700]),
}
DATA: dict[str, object] = {"path": "x.json", "skip_tasks": ["a", "b"], "frame_rate": 4.0}
MOMENTS = {"head.gru.weight_ih_l0": Moments(1e-12, 3.5, 60)}


def saved(path: Path, model: ProgressModel, recipe: Recipe = SEED_RECIPE) -> Path:
    save_native(
        path,
        model=model,
        provenance=Provenance(recipe, DURATIONS, DATA, {"mae": 0.125, "loss": float("nan")}),
        epoch=4,
        moments=MOMENTS,
    )
    return path


def model_for(recipe: Recipe, encoder: Encoder | None = None) -> ProgressModel:
    return ProgressModel(encoder, head_of(recipe.head))


def assert_same_model(checkpoint: Checkpoint, model: ProgressModel) -> None:
    old, new = model.state_dict(), checkpoint.model.state_dict()
    assert list(new) == list(old)
    assert all(torch.equal(new[name], old[name]) for name in old)


def test_everything_comes_back(tmp_path: Path) -> None:
    model = model_for(SEED_RECIPE)
    checkpoint = open_checkpoint(saved(tmp_path / "checkpoint.pt", model))
    assert_same_model(checkpoint, model)
    assert checkpoint.kind == "progfix"
    assert checkpoint.model.encoder is None
    assert not checkpoint.model.training
    assert checkpoint.recipe == SEED_RECIPE
    assert checkpoint.epoch == 4
    assert checkpoint.data == DATA
    assert checkpoint.moments == MOMENTS
    assert checkpoint.notes == ()
    assert checkpoint.durations is not None
    assert list(checkpoint.durations) == list(DURATIONS)
    for action, frames in DURATIONS.items():
        assert checkpoint.durations[action].dtype == np.int64
        assert checkpoint.durations[action].tolist() == frames.tolist()
    metrics = checkpoint.payload["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["mae"] == 0.125


def recipes() -> list[Recipe]:
    found = [SEED_RECIPE]
    for letters in [*SOLUTIONS, "ab", "abe", "bdf", "fgs", "abceg"]:
        if not conflicts(letters, SEED_RECIPE.head):
            found.append(apply(letters))
    pooled = Recipe(head=HeadSpec(kind="pooled", extra=("position",), last_bias=-2.0))
    normalised = Recipe(head=HeadSpec(normalise=True, dropout=0.2))
    return [*found, pooled, normalised]


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.solution or "baseline")
def test_every_head_comes_back(tmp_path: Path, recipe: Recipe) -> None:
    model = model_for(recipe)
    checkpoint = open_checkpoint(saved(tmp_path / "x.pt", model, recipe))
    assert checkpoint.recipe == recipe
    assert_same_model(checkpoint, model)
    embeddings, lengths = torch.randn(2, 9, 8), torch.tensor([9, 4])
    with torch.no_grad():
        answers = checkpoint.model.head(embeddings, lengths)
        torch.testing.assert_close(answers, model.head(embeddings, lengths), rtol=0, atol=0)


@pytest.mark.parametrize(
    "encoder",
    [
        small_encoder(),
        small_encoder(drop=(4,)),
        ResnetEncoder(channels=2, temporal_depth=3, widths=(6, 8)),
    ],
)
def test_a_frozen_encoder_comes_back(tmp_path: Path, encoder: Encoder) -> None:
    model = model_for(SEED_RECIPE, encoder.requires_grad_(requires_grad=False))
    checkpoint = open_checkpoint(saved(tmp_path / "x.pt", model))
    assert_same_model(checkpoint, model)
    rebuilt = checkpoint.model.encoder
    assert isinstance(rebuilt, Encoder)
    assert type(rebuilt) is type(encoder)
    assert rebuilt.options == encoder.options
    features = torch.randn(7, *encoder.input_shape)
    with torch.no_grad():
        torch.testing.assert_close(checkpoint.model.embed(features), encoder(features))


def test_the_users_encoder_comes_back(tmp_path: Path, gtcc_path: Path) -> None:
    model = open_checkpoint(gtcc_path).model
    checkpoint = open_checkpoint(saved(tmp_path / "x.pt", model, Recipe(head=model.head.spec)))
    assert_same_model(checkpoint, model)


def test_no_data_yet(tmp_path: Path) -> None:
    save_native(
        tmp_path / "x.pt",
        model=model_for(SEED_RECIPE),
        provenance=Provenance(SEED_RECIPE, {}, {}, {}),
        epoch=0,
    )
    checkpoint = open_checkpoint(tmp_path / "x.pt")
    assert checkpoint.durations == {}
    assert checkpoint.data == {}
    assert checkpoint.moments is None


def test_a_foreign_encoder_cannot_be_saved(tmp_path: Path) -> None:
    model = ProgressModel(nn.Identity(), head_of(HeadSpec()))
    with pytest.raises(ValueError, match="Identity"):
        saved(tmp_path / "x.pt", model)


def change(payload: dict[str, Any], field: str, value: object) -> None:
    *sections, last = field.split(".")
    for name in sections:
        payload = payload[name]
    if value is KeyError:
        del payload[last]
    else:
        payload[last] = value


@pytest.mark.parametrize(
    ("field", "value", "where", "found"),
    [
        ("format", "progfix-checkpoint/9", "format", "'progfix-checkpoint/9'"),
        ("recipe", KeyError, "recipe", "None"),
        ("recipe.extra", 1, "recipe.extra", "'extra'"),
        ("recipe.head.kind", "lstm", "recipe.head.kind", "'lstm'"),
        ("recipe.head.extra", ["position"], "head.gru.weight_ih_l0", "shape (192, 8)"),
        ("recipe.head.hidden", -5, "recipe.head.hidden", "-5"),
        ("recipe.head.hidden", 10**4, "head.gru.weight_ih_l0", "shape (192, 8)"),
        ("recipe.head.hidden", 10**30, "recipe.head.hidden", "1000"),
        (
            "recipe.head",
            {"kind": "pooled", "initial_state": "learned"},
            "recipe.solution",
            "only a GRU",
        ),
        ("recipe.solution", "../..", "recipe.solution", "'../..'"),
        ("head", KeyError, "head.weights", "NoneType"),
        ("head.width", -3, "x.pt: head.width", "-3"),
        ("head.width", "8", "x.pt: head.width", "None"),
        ("head.width", 10**6, "head.gru.weight_ih_l0", "shape (192, 8)"),
        ("head.weights.h0", torch.zeros(1, 1, 64), "head.h0", "shape (1, 1, 64)"),
        ("head.weights.fc.0.bias", torch.tensor([float("nan")] * 32), "fc.0.bias", "32 values"),
        ("encoder.weights", {"x": torch.ones(1)}, "x.pt", "x"),
        ("encoder.options", {"temporal_depth": 10**9}, "temporal_depth", "1000000000"),
        ("durations", KeyError, "durations", "[]"),
        ("durations.counts", torch.tensor([1, 2]), "durations", "frames"),
        ("durations.counts", torch.tensor([5, 0, -1]), "durations", "frames"),
        ("durations.frames", torch.tensor([1.0]), "durations", "frames"),
        ("moments", {"head.x": [1.0, 2.0]}, "moments.head.x", "[1.0, 2.0]"),
    ],
)
def test_files_that_contradict_themselves(
    tmp_path: Path, field: str, value: object, where: str, found: str
) -> None:
    encoder = ResnetEncoder(channels=2, widths=(6, 8))
    path = saved(tmp_path / "x.pt", model_for(SEED_RECIPE, encoder))
    payload: dict[str, Any] = safe_load(path)
    if field.startswith("head.weights."):
        payload["head"]["weights"][field.removeprefix("head.weights.")] = value
    else:
        change(payload, field, value)
    torch.save(payload, path)
    with pytest.raises(InputError) as caught:
        open_checkpoint(path)
    assert any(where in problem.where for problem in caught.value.problems)
    assert any(found in problem.found for problem in caught.value.problems)


def test_an_encoder_of_another_size_than_the_head(tmp_path: Path) -> None:
    model = ProgressModel(small_encoder(), head_of(HeadSpec(), width=9))
    with pytest.raises(InputError, match="embedding size 8, found 9"):
        open_checkpoint(saved(tmp_path / "x.pt", model))


def test_an_existing_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "x.pt", model_for(SEED_RECIPE))
    before = path.read_bytes()

    def full_disk(payload: object, file: Any) -> None:
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(InputError, match="No space left on device"):
        saved(path, model_for(SEED_RECIPE))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
