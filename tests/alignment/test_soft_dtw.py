from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from progfix.alignment import soft_dtw
from tests.alignment import oracles
from tests.alignment.inputs import backward


def costs(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("size", "paths"), [(1, 1), (2, 3), (3, 13)])
def test_zero_cost_counts_the_paths(size: int, paths: int) -> None:
    # All paths cost 0, so the soft minimum is -gamma log(number of paths): Delannoy numbers.
    value = soft_dtw(torch.zeros(1, size, size, dtype=torch.float64), 0.5)
    assert value.item() == pytest.approx(-0.5 * math.log(paths))


def test_gradient_is_the_expected_alignment() -> None:
    # 2 x 2, cost 0: three paths, equally likely; all visit the corners, one each the others.
    cost = torch.zeros(1, 2, 2, dtype=torch.float64, requires_grad=True)
    backward(soft_dtw(cost, 0.3).sum())
    assert cost.grad is not None
    expected = torch.tensor([[[1, 1 / 3], [1 / 3, 1]]], dtype=torch.float64)
    torch.testing.assert_close(cost.grad, expected)


@pytest.mark.parametrize(("rows", "columns"), [(1, 7), (6, 6), (9, 4), (4, 9)])
def test_matches_the_loop(rows: int, columns: int) -> None:
    cost = costs(3, rows, columns)
    expected = [oracles.soft_dtw(c, 0.2) for c in cost.numpy()]
    torch.testing.assert_close(soft_dtw(cost, 0.2), torch.tensor(expected, dtype=torch.float64))


def test_matches_tslearn_with_gradient() -> None:
    variants = pytest.importorskip("tslearn.metrics.softdtw_variants")
    cost = costs(3, 7, 9).requires_grad_()
    value = soft_dtw(cost, 0.1)
    backward(value.sum())
    assert cost.grad is not None
    for ours, gradient, c in zip(value, cost.grad, cost.detach(), strict=True):
        oracle = variants.SoftDTW(c, 0.1, be="pytorch", compute_with_backend=True)
        assert ours.item() == pytest.approx(float(oracle.compute()))
        torch.testing.assert_close(gradient, torch.as_tensor(oracle.grad()))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 3), st.integers(0, 3), st.integers(0))
def test_padding_is_not_read(n: int, m: int, more_n: int, more_m: int, seed: int) -> None:
    cost = costs(2, n + more_n, m + more_m, seed=seed % 2**32)
    lengths = torch.tensor([n, n]), torch.tensor([m, m])
    cropped = cost[:, :n, :m].clone().requires_grad_()
    cost.requires_grad_()
    value, expected = soft_dtw(cost, 0.3, *lengths), soft_dtw(cropped, 0.3)
    torch.testing.assert_close(value, expected)
    backward(value.sum())
    backward(expected.sum())
    assert cost.grad is not None
    assert cropped.grad is not None
    torch.testing.assert_close(cost.grad[:, :n, :m], cropped.grad)
    assert cost.grad.sum().item() == pytest.approx(cropped.grad.sum().item())


def test_gradcheck_with_lengths() -> None:
    lengths = torch.tensor([5, 3, 1]), torch.tensor([2, 4, 4])
    cost = costs(3, 5, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: soft_dtw(c, 0.3, *lengths), cost)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_huge_costs_stay_finite(dtype: torch.dtype) -> None:
    cost = (costs(2, 40, 30) * 1e10).to(dtype).requires_grad_()
    value = soft_dtw(cost, 1e-3)
    backward(value.sum())
    assert cost.grad is not None
    assert value.isfinite().all()
    assert cost.grad.isfinite().all()
    assert cost.grad.min() >= 0
    assert cost.grad.max() <= 1.01


def test_a_small_gamma_is_dynamic_time_warping() -> None:
    cost = costs(1, 8, 11)
    hard = np.full((9, 12), np.inf)
    hard[0, 0] = 0
    for i in range(8):
        for j in range(11):
            before = min(hard[i, j], hard[i, j + 1], hard[i + 1, j])
            hard[i + 1, j + 1] = cost[0, i, j].item() + before
    assert soft_dtw(cost, 1e-6).item() == pytest.approx(hard[8, 11], abs=1e-4)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="gamma > 0, found 0"):
        soft_dtw(costs(1, 2, 2), 0)
    with pytest.raises(ValueError, match="shape"):
        soft_dtw(costs(2, 2), 0.1)
    with pytest.raises(ValueError, match=r"lengths in 1 \.\. 2, found 3 \.\. 3"):
        soft_dtw(costs(1, 2, 2), 0.1, torch.tensor([3]))
    with pytest.raises(ValueError, match="one length per cost matrix"):
        soft_dtw(costs(1, 2, 2), 0.1, torch.tensor([1, 2]))
