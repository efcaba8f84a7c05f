"""Joint training: which loss moves what, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from progfix.alignment import METHODS, draw_gtcc, gtcc, lav, pad_videos, tcc, vava
from progfix.alignment.methods import Mode
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.encoders import Encoder, EncoderKind, new_encoder
from progfix.encoders.build import InitialWeights
from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.solutions import apply
from progfix.training import recipe as recipes
from progfix.training.embeddings import EmbeddingCache
from progfix.training.groups import GroupLosses, group_losses
from progfix.training.joint import aligned_group, frames_to_align
from progfix.training.loop_state import LoopState
from progfix.training.optimisers import build_optimisers
from progfix.training.recipe import Method, MethodName, Recipe
from progfix.training.setup import Setup

NAMES: list[MethodName] = ["tcc", "gtcc", "lav", "vava"]


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def videos() -> list[Video]:
    rng = np.random.default_rng(3)
    return [
        Video(
            name=f"v{index}",
            task="t",
            num_frames=frames,
            segments=(Segment(1, 8, "x"), Segment(10, frames - 1, "y")),
            features=ArrayFeatures(rng.normal(size=(frames, 5)).astype(np.float32)),
        )
        for index, frames in enumerate((20, 26))
    ]


def recipe_of(letters: str, method: Method) -> Recipe:
    return replace(apply(letters), method=method)


def setup_of(recipe: Recipe) -> Setup:
    """A run on two videos, in float64 throughout."""
    torch.manual_seed(1)
    encoder = new_encoder("stacking", (5,), size=4, drop=METHODS[recipe.method.name].uses_drop)
    raw = recipe.method.features == "raw"
    model = ProgressModel(encoder, build_head(recipe.head, 5 if raw else 4), raw=raw).double()
    cache = EmbeddingCache(model, trained=True)
    cache.features = lambda video: torch.from_numpy(video.read()).double()  # type: ignore[method-assign]
    return Setup(
        model=model,
        recipe=recipe,
        train=videos(),
        val=[],
        embeddings=cache,
        counting=cast("Any", None),
        optimisers=build_optimisers(model, recipe),
        seed=0,
        deviation=torch.zeros(4),
    )


def losses_of(setup: Setup) -> GroupLosses:
    losses = group_losses(setup, LoopState(), setup.train)
    assert losses is not None
    return losses


def gradients(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def by_hand(name: MethodName, encoder: Encoder, features: list[torch.Tensor]) -> torch.Tensor:
    """The alignment loss of whole videos straight from the published losses' functions."""
    embeddings = [encoder(video) for video in features]
    padded, lengths = pad_videos(embeddings)
    match name:
        case "tcc":
            return tcc(padded, lengths)
        case "lav":
            return lav(padded, lengths)
        case "vava":
            return vava(padded, lengths)
        case _:
            assert encoder.dropout is not None
            drop = torch.stack([encoder.dropout(e).mean(0) for e in embeddings])
            # The generator that `aligned_group` makes of the same source of draws.
            seed = int(np.random.default_rng(7).integers(2**63 - 1))
            draws = draw_gtcc(lengths, max_rows=20, generator=torch.Generator().manual_seed(seed))
            return gtcc(padded, lengths, drop=drop, drop_floor=0.95, draws=draws)


@pytest.mark.parametrize("name", NAMES)
def test_the_alignment_loss_and_its_gradient_are_the_methods(name: MethodName) -> None:
    torch.manual_seed(2)
    encoder = new_encoder("stacking", (5,), size=4, drop=METHODS[name].uses_drop)
    features = [torch.from_numpy(video.read()).double() for video in videos()]
    method, rng = Method(name, frames=0), np.random.default_rng(7)
    embeddings, loss = aligned_group(encoder, features, method, rng, step=0, epoch=0)
    loss.backward()
    found = gradients(encoder)
    encoder.zero_grad()
    expected = by_hand(name, encoder, features)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    assert len(found) >= 7
    for key, value in gradients(encoder).items():
        torch.testing.assert_close(found[key], value, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(embeddings[1], encoder(features[1]))


def test_the_total_is_the_alignment_plus_lambda_times_the_progress() -> None:
    recipe = recipe_of("", Method("tcc", frames=0, size=4))
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, clip=torch.inf))
    parts = []
    for keep in ("alignment", "progress"):
        setup = setup_of(recipe)
        losses = losses_of(setup)
        loss = losses.alignment if keep == "alignment" else losses.progress
        assert loss is not None
        loss.backward()
        parts.append(gradients(setup.model))
    alignment, progress = parts
    setup = setup_of(recipe)
    losses = losses_of(setup)
    report = setup.optimisers.step(losses.progress, losses.alignment)
    total = gradients(setup.model)
    lam = recipe.objective.progress_lambda
    for name, value in total.items():
        if name.startswith("head."):  # divided by lambda again, untouched by the alignment
            assert name not in alignment
            torch.testing.assert_close(value, progress[name], rtol=1e-9, atol=1e-15)
        else:
            torch.testing.assert_close(value, alignment[name] + lam * progress[name])
    norms = {
        part: sum(float(g.square().sum()) for n, g in total.items() if n.startswith(part)) ** 0.5
        for part in ("head", "encoder")
    }
    assert report.head_share == pytest.approx(
        norms["head"] / (norms["head"] ** 2 + norms["encoder"] ** 2) ** 0.5
    )
    assert report.alignment == pytest.approx(cast("torch.Tensor", losses.alignment).item())


def test_own_gradients_send_nothing_to_the_encoder() -> None:
    setup = setup_of(recipe_of("g", Method("tcc", size=4)))
    losses = losses_of(setup)
    losses.progress.backward(retain_graph=True)
    assert gradients(setup.model.head)
    assert not gradients(cast("Encoder", setup.model.encoder))
    # Without g the same loss reaches every layer of the encoder.
    setup = setup_of(recipe_of("", Method("tcc", size=4)))
    losses_of(setup).progress.backward()
    assert len(gradients(cast("Encoder", setup.model.encoder))) == 7


def test_own_gradients_step_each_part_by_its_own_clip_and_rate() -> None:
    setup = setup_of(recipe_of("g", Method("tcc", size=4)))
    before = {n: p.detach().clone() for n, p in setup.model.named_parameters()}
    losses = losses_of(setup)
    report = setup.optimisers.step(losses.progress, losses.alignment)
    after = {n: p.detach() for n, p in setup.model.named_parameters()}
    moved = {n: float((p - before[n]).abs().max()) for n, p in after.items()}
    # Adam's first step is the rate where the gradient is well above its eps of 1e-8.
    assert moved["head.fc.2.bias"] == pytest.approx(1e-3, rel=1e-3)
    assert 1e-5 < moved["encoder.convolutional_layers.0.weight"] <= 1.0001e-4
    assert report.head_applied == pytest.approx(min(report.head_gradient, 1.0), rel=1e-4)


@pytest.mark.parametrize(("letters", "head_moves"), [("", False), ("g", True)])
def test_an_alignment_loss_too_large_holds_back_no_head_of_its_own(
    letters: str, *, head_moves: bool
) -> None:
    setup = setup_of(recipe_of(letters, Method("tcc", size=4)))
    before = {n: p.detach().clone() for n, p in setup.model.named_parameters()}
    losses = losses_of(setup)
    assert losses.alignment is not None
    report = setup.optimisers.step(losses.progress, losses.alignment + 2e7)
    assert report.skipped
    assert report.moved is head_moves
    for name, parameter in setup.model.named_parameters():
        moves = head_moves and name.startswith("head.")
        assert torch.equal(parameter, before[name]) is not moves, name
    state = LoopState()
    state.count(report)
    assert (state.skipped, state.taken) == (1, int(head_moves))


def test_raw_features_leave_the_encoder_to_the_alignment() -> None:
    setup = setup_of(recipe_of("", Method("tcc", size=4, features="raw")))
    losses = losses_of(setup)
    losses.progress.backward(retain_graph=True)
    assert not gradients(cast("Encoder", setup.model.encoder))
    assert losses.alignment is not None
    losses.alignment.backward()
    assert len(gradients(cast("Encoder", setup.model.encoder))) == 7


def test_draws_follow_from_the_place_alone() -> None:
    setup = setup_of(recipe_of("", Method("gtcc", frames=8, size=4)))
    values = []
    for state in (LoopState(), LoopState(), LoopState(step=1)):
        losses = group_losses(setup, state, setup.train)
        assert losses is not None
        assert losses.alignment is not None
        values.append((float(losses.progress), float(losses.alignment)))
    assert values[0] == values[1]
    assert values[0][0] != values[2][0]
    assert values[0][1] != values[2][1]


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 5))
def test_frames_are_one_of_each_stretch(length: int, count: int, seed: int) -> None:
    frames = frames_to_align(length, count, np.random.default_rng(seed))
    if count == 0 or length <= count:
        assert frames.tolist() == list(range(length))
        return
    assert len(frames) == count
    # Stretch k is [k length / count, (k + 1) length / count), in whole frames.
    for k, frame in enumerate(frames.tolist()):
        assert k * length // count <= frame < (k + 1) * length // count


def test_names_agree_with_those_of_methods_and_encoders() -> None:
    assert get_args(recipes.MethodName) == ("none", *METHODS)
    assert get_args(recipes.Losses) == get_args(Mode)
    assert get_args(recipes.EncoderName) == get_args(EncoderKind)
    assert get_args(recipes.InitialWeights) == get_args(InitialWeights)


def test_initial_weights_keep_the_scale_of_the_features() -> None:
    spread = {}
    features = torch.randn(200, 64, generator=torch.Generator().manual_seed(0))
    for initial in get_args(InitialWeights):
        torch.manual_seed(0)
        embeddings = new_encoder("stacking", (64,), initial=initial)(features)
        spread[initial] = float((embeddings - embeddings.mean(0)).std())
    assert 0.3 < spread["he"] < 3
    assert spread["torch"] < 0.01
