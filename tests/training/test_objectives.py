"""The loss: against a float64 loop over prefixes, for every way of computing it."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from progfix.data.dataset import Segment
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.solutions import apply
from progfix.training.batches import generator
from progfix.training.objectives import early_weights, progress_loss
from progfix.training.recipe import Recipe
from progfix.training.sampling import Prefixes, choose_prefixes


def loop(head: ProgressHead, videos: list[Tensor], prefixes: Prefixes, recipe: Recipe) -> float:
    """One prefix at a time, arithmetic in Python floats."""
    losses = []
    for v, start, frames, duration in zip(
        prefixes.video, prefixes.start, prefixes.frames, prefixes.duration, strict=True
    ):
        prefix = videos[v][start : start + frames]
        raw = head.raw_last(prefix[None], torch.tensor([int(frames)])).item()
        answer = 1 / (1 + math.exp(-raw))
        target = frames / duration
        error = abs(answer - (1 / duration if recipe.head.output == "increment" else target))
        weight = min(1 / max(target, 0.05), 20) if recipe.objective.early_weight else 1
        losses.append(error * weight)
    return float(np.mean(losses))


@pytest.mark.parametrize("letters", ["", "ab", "e", "d", "de", "f", "s", "as", "ds", "efs", "aes"])
@pytest.mark.parametrize("kind", ["gru", "pooled"])
def test_the_loss_is_the_mean_over_prefixes(letters: str, kind: str) -> None:
    if kind == "pooled" and "b" in letters:
        pytest.skip("the pooled head has no initial state")
    recipe = apply(letters)
    torch.manual_seed(0)
    head = build_head(
        recipe.head
        if kind == "gru"
        else recipe.head.__class__(
            kind="pooled", extra=recipe.head.extra, output=recipe.head.output
        ),
        5,
    ).double()
    videos = [torch.randn(40, 5, dtype=torch.float64), torch.randn(25, 5, dtype=torch.float64)]
    segments = [[Segment(2, 11, "a"), Segment(11, 30, "b")], [Segment(0, 0, "a"),
                Segment(3, 24, "b")]]  # fmt: skip
    prefixes = choose_prefixes(segments, recipe.sampling, generator(5))
    loss = progress_loss(head, videos, prefixes, recipe.objective)
    assert loss.item() == pytest.approx(loop(head, videos, prefixes, recipe), abs=1e-9)
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_early_weights_by_hand() -> None:
    # 1/.5 = 2; at .05 and below the cap 20 holds; at 1 nothing is added.
    weights = early_weights(torch.tensor([0.5, 0.05, 0.01, 1.0]))
    torch.testing.assert_close(weights, torch.tensor([2.0, 20.0, 20.0, 1.0]))


def test_the_gradient_reaches_the_embeddings() -> None:
    head = build_head(apply("fs").head, 4)
    video = torch.randn(10, 4, requires_grad=True)
    prefixes = choose_prefixes([[Segment(3, 7, "a")]], apply("s").sampling, generator(0))
    progress_loss(head, [video], prefixes, apply("fs").objective).backward()
    assert video.grad is not None
    touched = video.grad.abs().sum(dim=1) > 0
    assert touched.tolist() == [3 <= i <= 7 for i in range(10)]


def test_repeated_prefixes_count_as_often_as_they_were_drawn() -> None:
    head = build_head(apply("").head, 4)
    video = torch.randn(10, 4)

    def prefixes(frames: list[int]) -> Prefixes:
        n = len(frames)
        return Prefixes(
            np.zeros(n, np.int64), np.zeros(n, np.int64), np.array(frames),
            np.full(n, 10), np.zeros(n, np.bool_),
        )  # fmt: skip

    def loss(frames: list[int]) -> float:
        return progress_loss(head, [video], prefixes(frames), apply("").objective).item()

    assert loss([3, 3, 8]) == pytest.approx((2 * loss([3]) + loss([8])) / 3, rel=1e-6)


def test_all_combinations_share_one_definition() -> None:
    pairs = {(s.head.output, s.objective.early_weight) for s in map(apply, ("", "e", "d", "de"))}
    assert pairs == set(product(("progress", "increment"), (False, True)))
