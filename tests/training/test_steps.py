"""Groups of a step: the mean of their gradients, what is skipped, and what follows them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.encoders import new_encoder
from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.solutions import apply
from progfix.training.embeddings import EmbeddingCache
from progfix.training.loop_state import LoopState
from progfix.training.optimisers import Optimisers, build_optimisers
from progfix.training.recipe import Method, Recipe
from progfix.training.setup import Setup
from progfix.training.steps import epoch_steps, take_step
from progfix.training.sums import StepSums


def video(index: int, frames: int, task: str = "t") -> Video:
    rng = np.random.default_rng(index)
    return Video(
        name=f"v{index}",
        task=task,
        num_frames=frames,
        segments=(Segment(0, 7, "x"), Segment(9, frames - 1, "y")),
        features=ArrayFeatures(rng.normal(size=(frames, 5)).astype(np.float32)),
    )


def recipe_of(letters: str, **optimisation: Any) -> Recipe:
    recipe = apply(letters)
    return replace(
        recipe,
        optimisation=replace(recipe.optimisation, **optimisation),
        method=Method("tcc", size=4, frames=0),
    )


def setup_of(recipe: Recipe, videos: list[Video]) -> Setup:
    torch.manual_seed(1)
    encoder = new_encoder("stacking", (5,), size=4)
    model = ProgressModel(encoder, build_head(recipe.head, 4)).double()
    return Setup(
        model=model,
        recipe=recipe,
        train=videos,
        val=[],
        embeddings=EmbeddingCache(model, trained=True),
        counting=cast("Any", None),
        optimisers=build_optimisers(model, recipe),
        seed=0,
        deviation=torch.zeros(4),
    )


def head_only(letters: str, **optimisation: Any) -> tuple[Optimisers, nn.Parameter]:
    recipe = apply(letters)
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, **optimisation))
    model = ProgressModel(None, build_head(recipe.head, 4))
    return build_optimisers(model, recipe), dict(model.head.named_parameters())["fc.2.bias"]


def test_a_step_follows_the_mean_of_its_groups_gradients() -> None:
    optimisers, weight = head_only("g", head_clip=math.inf)
    sums = optimisers.begin()
    for factor in (3.0, 5.0, 1.0):
        optimisers.add(sums, factor * weight.sum())
    report = optimisers.finish(sums)
    # d(3 w)/dw, d(5 w)/dw and d(w)/dw: 9 / 3.
    assert report.head_gradient == pytest.approx(3.0, rel=1e-6)
    assert report.loss == pytest.approx(3.0 * float(weight.detach() + 1e-3), abs=1e-4)
    assert (report.moved, report.skipped, report.finite) == (True, 0, True)


def test_a_group_that_is_too_large_has_no_part_in_the_mean() -> None:
    optimisers, weight = head_only("g", head_clip=math.inf)
    sums = optimisers.begin()
    optimisers.add(sums, 3.0 * weight.sum())
    optimisers.add(sums, 1e3 + 7.0 * weight.sum())  # times lambda of 1e6
    report = optimisers.finish(sums)
    assert report.head_gradient == pytest.approx(3.0, rel=1e-6)
    assert (report.moved, report.skipped) == (True, 1)


def test_one_group_that_is_not_finite_stops_the_step() -> None:
    optimisers, weight = head_only("g")
    before = weight.detach().clone()
    sums = optimisers.begin()
    optimisers.add(sums, 3.0 * weight.sum())
    optimisers.add(sums, math.nan * weight.sum())
    assert not optimisers.finish(sums).finite
    assert torch.equal(weight, before)


def test_an_encoder_has_the_mean_of_the_groups_that_it_is_not_spared() -> None:
    setup = setup_of(recipe_of("g", clip=math.inf, head_clip=math.inf), [])
    encoder = cast("Any", setup.model.encoder)
    weight, bias = encoder.convolutional_layers[0].weight, setup.model.head.fc[-1].bias
    sums = setup.optimisers.begin()
    for progress, alignment in ((1.0, 2.0), (3.0, 1e8), (5.0, 4.0)):
        start = cast("torch.Tensor", bias).sum() * progress
        setup.optimisers.add(
            sums,
            start * 1e-6,
            weight.sum() * 0 + (weight.sum() - weight.sum().detach()) * alignment + alignment,
        )
    report = setup.optimisers.finish(sums)
    assert report.skipped == 1
    assert report.head_gradient == pytest.approx(3e-6, rel=1e-6)  # (1 + 3 + 5) / 3
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.full_like(weight, 3.0))  # (2 + 4) / 2


def test_a_normalisation_follows_the_frames_of_all_groups_after_the_step() -> None:
    videos = [video(i, 20 + 3 * i) for i in range(4)]
    setup = setup_of(recipe_of("gsv", groups_per_step=2), videos)
    head, encoder = setup.model.head, cast("nn.Module", setup.model.encoder)
    head.fit_normalisation(torch.zeros(4), torch.ones(4))
    with torch.no_grad():
        frames = torch.cat([encoder(torch.from_numpy(v.read()).double()) for v in videos])
    (step,) = epoch_steps(setup, 0)
    assert [len(group) for group in step] == [2, 2]
    take_step(setup, LoopState(), step)
    # A twentieth of the frames' mean, from 0; of their mean square, from 1.
    mean = 0.05 * frames.mean(dim=0)
    square = 0.95 + 0.05 * frames.square().mean(dim=0)
    torch.testing.assert_close(head.mean, mean)
    torch.testing.assert_close(head.scale, (square - mean.square()).sqrt())


def test_groups_draw_alike_however_many_a_step_takes() -> None:
    videos = [video(i, 20 + i, task=f"task-{i // 4}") for i in range(8)]
    losses: dict[int, list[float]] = {}
    for size in (1, 2, 4):
        setup = setup_of(recipe_of("", groups_per_step=size, lr=1e-30), videos)
        steps = epoch_steps(setup, 0)
        assert [len(step) for step in steps] == [size] * (4 // size)
        reports = [take_step(setup, LoopState(step=i), step) for i, step in enumerate(steps)]
        losses[size] = [report.loss for report in reports]
    assert losses[2] == pytest.approx(np.reshape(losses[1], (2, 2)).mean(axis=1).tolist())
    assert losses[4] == pytest.approx([float(np.mean(losses[1]))])
    assert len(set(losses[1])) == 4


def test_a_step_without_any_group_to_train_on_moves_nothing() -> None:
    short = replace(video(0, 20), segments=(Segment(0, 1, "x"),))
    setup = setup_of(recipe_of(""), [short])
    report = take_step(setup, LoopState(), [[short]])
    assert (report.moved, report.skipped, report.finite) == (False, 1, True)
    assert math.isnan(report.loss)


def test_sums_add_moments() -> None:
    sums = StepSums()
    sums.add_frames(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    sums.add_frames(torch.tensor([[5.0, 6.0]]))
    assert sums.frames == 3
    assert sums.moments.tolist() == [[9.0, 12.0], [35.0, 56.0]]
