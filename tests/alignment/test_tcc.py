from __future__ import annotations

import math

import pytest
import torch

from progfix.alignment import pad_videos, tcc
from progfix.alignment.neighbours import soft_index
from tests.alignment import oracles
from tests.alignment.inputs import batch, walks


def test_constant_videos_by_hand() -> None:
    # Neighbours are uniform both ways: mu = (T - 1) / 2 and var = (T^2 - 1) / 12 for every i,
    # and the mean of (i - mu)^2 is that variance too: 1 + lambda log sqrt(var).
    embeddings = torch.ones(3, 5, 2, dtype=torch.float64)
    value = tcc(embeddings, torch.tensor([5, 5, 5]), variance_weight=0.1)
    assert value.item() == pytest.approx(1 + 0.1 * 0.5 * math.log(24 / 12))


def test_a_perfect_cycle_costs_only_the_floor() -> None:
    video = 100 * torch.eye(4, dtype=torch.float64)
    value = tcc(torch.stack([video, video]), torch.tensor([4, 4]))
    assert value.item() == pytest.approx(0.001 * 0.5 * math.log(1 / 12))


@pytest.mark.parametrize("dims", [2, 16])  # both ways to associate the product
def test_matches_the_loop(dims: int) -> None:
    videos = walks(6, 9, 7, dims=dims)
    value = tcc(*pad_videos(videos), temperature=0.3, variance_weight=0.01)
    expected = oracles.tcc([v.numpy() for v in videos], 0.3, 0.01)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_gradcheck() -> None:
    embeddings, lengths = batch(4, 6)
    floor = 1e-3  # below all variances: max(., floor) has a kink
    assert torch.autograd.gradcheck(
        lambda e: tcc(e, lengths, temperature=1.0, variance_floor=floor),
        embeddings.requires_grad_(),
    )


def test_gradcheck_of_the_index() -> None:
    logits = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    blocked = torch.tensor([False, True, False, False, False])
    assert torch.autograd.gradcheck(lambda x: soft_index(x, blocked), logits)
    assert torch.autograd.gradcheck(lambda x: soft_index(x)[0], logits)
    assert torch.autograd.gradcheck(lambda x: soft_index(x)[1], logits)


def test_refuses_parameters_out_of_range() -> None:
    embeddings, lengths = batch(3, 3)
    for name in ("temperature", "variance_floor"):
        with pytest.raises(ValueError, match="> 0"):
            tcc(embeddings, lengths, **{name: 0.0})
