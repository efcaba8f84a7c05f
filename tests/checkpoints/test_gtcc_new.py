"""A model trained here in the users' layout: their loaders take it, and it is the same model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc_new import expressible_model, write_new_gtcc
from progfix.checkpoints.provenance import Provenance
from progfix.checkpoints.reading import safe_load
from progfix.encoders import MultiprongEncoder, NaiveEncoder, new_encoder
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.solutions import apply
from progfix.training.optimisers import build_optimisers
from progfix.training.recipe import Recipe, published_method
from tests.checkpoints import their_code


def model_of(recipe: Recipe, drop: bool = True) -> ProgressModel:
    torch.manual_seed(0)
    encoder = new_encoder("stacking", (9,), size=16, causal=False, heads=2, drop=drop)
    return ProgressModel(encoder, build_head(recipe.head, 16))


def write(path: Path, letters: str) -> tuple[ProgressModel, dict[str, Any]]:
    """Take one step, write the file, and return the model and what is in it."""
    recipe = replace(apply(letters), method=published_method("gtcc"))
    model = model_of(recipe)
    optimisers = build_optimisers(model, recipe)
    embeddings = model.embed(torch.randn(12, 9))
    answers = model.head(embeddings[None], torch.tensor([12]))
    optimisers.step(answers.mean(), embeddings.square().mean())
    write_new_gtcc(
        path,
        model=model,
        adam=optimisers.state_of(model),
        provenance=Provenance(recipe, {}, {}, {}),
        epoch=4,
        loss=0.25,
    )
    return model, dict(safe_load(path))


@pytest.mark.parametrize(
    ("letters", "commits"),
    [("", ["3030255", "8a6f44d"]), ("ab", ["238da93", "8a6f44d"]), ("ag", ["238da93", "8a6f44d"])],
)
def test_their_loaders_take_the_file(tmp_path: Path, letters: str, commits: list[str]) -> None:
    model, payload = write(tmp_path / "x.pt", letters)
    for commit in commits:
        network, optimiser = their_code.load(commit, payload)
        encoder = model.encoder
        assert encoder is not None
        for name, tensor in encoder.state_dict().items():
            assert torch.equal(getattr(network, name.replace(".", "/")), tensor)
        # The order of the optimiser's state is that of the parameters.
        for parameter in network.parameters():
            entry = optimiser.state.get(parameter)
            assert entry is None or entry["exp_avg"].shape == parameter.shape
        moved = sum(parameter in optimiser.state for parameter in network.parameters())
        assert moved >= 20


@pytest.mark.parametrize("letters", ["", "ab", "b"])
def test_the_file_is_the_model(tmp_path: Path, letters: str) -> None:
    model, payload = write(tmp_path / "x.pt", letters)
    again = open_checkpoint(tmp_path / "x.pt")
    assert again.kind == "gtcc"
    assert (again.epoch, payload["loss"]) == (4, 0.25)
    assert again.recipe == replace(apply(letters), method=published_method("gtcc"))
    assert isinstance(again.model.encoder, MultiprongEncoder)
    assert not again.model.encoder.causal
    features, lengths = torch.randn(20, 9), torch.tensor([20])
    with torch.no_grad():
        embeddings = model.embed(features)
        torch.testing.assert_close(again.model.embed(features), embeddings)
        torch.testing.assert_close(
            again.model.head(embeddings[None], lengths),
            model.head(embeddings[None], lengths),
            rtol=0,
            atol=1e-6,
        )
    assert again.moments is not None
    assert {name.split(".")[0] for name in again.moments} == {"encoder", "head"}


def test_the_configuration_names_what_their_classes_are_built_from(tmp_path: Path) -> None:
    _, payload = write(tmp_path / "x.pt", "")
    config = payload["config"]
    assert config["BASEARCH"]["ARCHITECTURE"] == "temporal_stacking"
    stacking = config["BASEARCH"]["TEMPORAL_STACKING_ARCH"]
    assert (stacking["input_dimensions"], stacking["output_dimensions"]) == (9, 16)
    assert stacking["conv_num_channels"] == 32
    assert config["ARCHITECTURE"]["attn_layers"] == [512, 1024, 512, 512]
    assert config["ARCHITECTURE"]["drop_layers"] == [256, 1024, 512, 256]
    assert config["LOSS_TYPE"] == {"tcc": False, "GTCC": True, "LAV": False, "VAVA": False}
    assert config["PROGRESS_LOSS"]["lambda_fixed"] == 1e6


def changed(what: str) -> ProgressModel:
    head = build_head(HeadSpec(), 16)
    match what:
        case "bare":
            return ProgressModel(new_encoder("stacking", (9,), size=16, causal=False), head)
        case "causal":
            return ProgressModel(new_encoder("stacking", (9,), size=16, heads=2), head)
        case "naive":
            base = NaiveEncoder(input_size=9, widths=(16,))
            return ProgressModel(MultiprongEncoder(base=base, heads=2), head)
        case "maps":
            encoder = new_encoder("resnet", (2, 3, 3), size=16, causal=False, heads=2)
            return ProgressModel(encoder, head)
        case "size":
            encoder = new_encoder("stacking", (9,), size=24, causal=False, heads=2)
            return ProgressModel(encoder, build_head(HeadSpec(), 24))
        case "raw":
            encoder = new_encoder("stacking", (9,), size=16, causal=False, heads=2)
            return ProgressModel(encoder, build_head(HeadSpec(), 9), raw=True)
        case _:
            return model_of(apply("h"))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("bare", "multi-task network"),
        ("causal", "look ahead"),
        ("naive", "naive encoder cannot run"),
        ("maps", "1024 x 14 x 14"),
        ("size", "power of two"),
        ("raw", "read embeddings"),
        ("hazard", "answer progress itself"),
    ],
)
def test_what_their_classes_cannot_hold_is_not_written(
    tmp_path: Path, what: str, reason: str
) -> None:
    model = changed(what)
    assert reason in str(expressible_model(model))
    with pytest.raises(ValueError, match=reason):
        write_new_gtcc(
            tmp_path / "x.pt",
            model=model,
            adam={},
            provenance=Provenance(apply(""), {}, {}, {}),
            epoch=0,
            loss=0.0,
        )
    assert not (tmp_path / "x.pt").exists()
