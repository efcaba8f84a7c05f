"""A step: scaling by lambda, the clips, and why the failing recipe starves its head."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.solutions import apply
from progfix.training.optimisers import build_optimisers


def model_of(letters: str) -> ProgressModel:
    torch.manual_seed(0)
    return ProgressModel(nn.Linear(3, 4), build_head(apply(letters).head, 4))


def gradient_step(letters: str, alignment_scale: float) -> tuple[ProgressModel, dict[str, float]]:
    """One step on fixed data; returns the model and how far encoder and head moved."""
    model = model_of(letters)
    optimisers = build_optimisers(model, apply(letters))
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    features = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    embeddings = model.embed(features)
    answers = model.head(embeddings[None], torch.tensor([6]))
    progress = (answers - torch.linspace(0, 1, 6)).abs().mean()
    optimisers.step(progress, alignment_scale * embeddings.square().mean())
    moved = {"encoder": 0.0, "head": 0.0}
    for name, parameter in model.named_parameters():
        part = name.split(".")[0]
        moved[part] = max(moved[part], (parameter - before[name]).abs().max().item())
    return model, moved


def test_the_failing_recipe_freezes_the_head_and_own_gradients_free_it() -> None:
    # The encoder's gradient of about 1e6 leaves the head 1e-5 x 1e-6, far below Adam's eps.
    _, starved = gradient_step("", alignment_scale=1.0)
    assert starved["encoder"] > 1e-5
    assert starved["head"] < 1e-6
    _, freed = gradient_step("g", alignment_scale=1.0)
    assert freed["head"] > 5e-4  # Adam's first step is the rate, 1e-3


def test_the_global_clip_by_hand() -> None:
    model = ProgressModel(None, build_head(apply("").head, 4))
    optimisers = build_optimisers(model, apply(""))
    weight = dict(model.head.named_parameters())["fc.2.bias"]
    report = optimisers.step(3.0 * weight.sum())
    # d(lambda 3 w)/dw / lambda = 3, clipped to a norm of 1e-5.
    assert report.head_gradient == pytest.approx(3.0, rel=1e-6)
    assert report.head_applied == pytest.approx(1e-5, rel=1e-3)
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(1e-5, rel=1e-3)


def test_own_gradients_use_the_heads_clip_and_rate() -> None:
    model = ProgressModel(None, build_head(apply("g").head, 4))
    optimisers = build_optimisers(model, apply("g"))
    weight = dict(model.head.named_parameters())["fc.2.bias"]
    start = weight.item()
    report = optimisers.step(3.0 * weight.sum())
    assert report.head_applied == pytest.approx(1.0, rel=1e-3)
    assert start - weight.item() == pytest.approx(1e-3, rel=1e-3)


def test_a_batch_with_an_extreme_loss_is_skipped() -> None:
    model = ProgressModel(None, build_head(apply("").head, 4))
    optimisers = build_optimisers(model, apply(""))
    before = {n: p.clone() for n, p in model.named_parameters()}
    report = optimisers.step(11.0 + 0 * model.head.fc[-1].bias.sum())  # type: ignore[operator]
    assert report.skipped
    assert report.finite
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_changes_nothing(bad: float) -> None:
    model = ProgressModel(None, build_head(apply("g").head, 4))
    optimisers = build_optimisers(model, apply("g"))
    before = {n: p.clone() for n, p in model.named_parameters()}
    weight = dict(model.head.named_parameters())["fc.2.bias"]
    report = optimisers.step(bad * weight.sum())
    assert not report.finite
    # A finite loss whose gradient is not: sqrt at 0.
    report = optimisers.step((0 * weight.sum()).sqrt() + 1)
    assert not report.finite
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())


def test_weight_decay_is_decoupled() -> None:
    from dataclasses import replace

    recipe = apply("g")
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, weight_decay=0.5))
    model = ProgressModel(None, build_head(recipe.head, 4))
    weight = dict(model.head.named_parameters())["fc.0.weight"]
    before = weight.detach().clone()
    bias = dict(model.head.named_parameters())["fc.2.bias"]
    build_optimisers(model, recipe).step(bias.sum() + 0 * weight.sum())
    # No gradient on the weight: only decay, w (1 - lr decay).
    torch.testing.assert_close(weight, before * (1 - 1e-3 * 0.5))
