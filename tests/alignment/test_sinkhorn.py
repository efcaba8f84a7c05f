from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from progfix.alignment import sinkhorn
from tests.alignment.inputs import backward


def problem(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_by_two_by_hand() -> None:
    # By symmetry T = [[p, 1/2 - p], [1/2 - p, p]], and p / (1/2 - p) = exp(1 / epsilon).
    cost = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64)
    plan = sinkhorn(cost, 0.4, tolerance=1e-12).plan
    assert plan[0, 0, 0].item() == pytest.approx(0.5 / (1 + math.exp(-1 / 0.4)))
    assert plan[0, 0, 1].item() == pytest.approx(0.5 / (1 + math.exp(1 / 0.4)))


@pytest.mark.parametrize("epsilon", [0.5, 0.05, 0.01])
def test_matches_pot(epsilon: float) -> None:
    ot = pytest.importorskip("ot")
    cost = problem(3, 20, 14)
    a, b = problem(20, seed=1), problem(14, seed=2)
    a, b = a / a.sum(), b / b.sum()
    solved = sinkhorn(
        cost, epsilon, a.expand(3, -1), b.expand(3, -1), tolerance=1e-10, max_iterations=50_000
    )
    assert solved.converged.all()
    for plan, c in zip(solved.plan, cost, strict=True):
        expected = ot.bregman.sinkhorn_log(a, b, c, epsilon, stopThr=1e-11, numItermax=50_000)
        torch.testing.assert_close(plan, expected, rtol=1e-5, atol=1e-9)


def test_the_marginal_error_is_what_it_says() -> None:
    cost = problem(4, 12, 9)
    solved = sinkhorn(cost, 0.02, max_iterations=3)
    error = (solved.plan.sum(1) - 1 / 9).abs().sum(-1)
    torch.testing.assert_close(solved.marginal_error, error)
    assert not solved.converged.all()
    assert solved.iterations == 3
    torch.testing.assert_close(solved.plan.sum(2), torch.full((4, 12), 1 / 12).double())


def test_a_converged_start_needs_no_iteration() -> None:
    cost = problem(4, 12, 9)
    cold = sinkhorn(cost, 0.02, tolerance=1e-6, max_iterations=10_000)
    warm = sinkhorn(cost, 0.02, tolerance=1e-6, start=(cold.f, cold.g))
    assert cold.iterations > 10
    assert cold.converged.all()
    assert warm.iterations == 0
    torch.testing.assert_close(warm.plan, cold.plan, rtol=1e-4, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3), st.integers(0, 3), st.integers(0))
def test_zero_mass_is_padding(n: int, m: int, more_n: int, more_m: int, seed: int) -> None:
    cost = problem(1, n + more_n, m + more_m, seed=seed % 2**32)
    a, b = torch.zeros(1, n + more_n).double(), torch.zeros(1, m + more_m).double()
    a[:, :n], b[:, :m] = 1 / n, 1 / m
    padded = sinkhorn(cost, 0.1, a, b, tolerance=1e-10, max_iterations=5000).plan
    bare = sinkhorn(cost[:, :n, :m], 0.1, tolerance=1e-10, max_iterations=5000).plan
    torch.testing.assert_close(padded[:, :n, :m], bare, rtol=1e-6, atol=1e-12)
    assert padded.sum().item() == pytest.approx(1)


def test_gradcheck_of_the_plan() -> None:
    epsilon = torch.tensor([0.1, 0.3], dtype=torch.float64)
    a = torch.tensor([[0.2] * 5, [0.25] * 4 + [0]], dtype=torch.float64)
    b = torch.tensor([[0.25] * 4, [0.5, 0.5, 0, 0]], dtype=torch.float64)

    def plan(cost: Tensor) -> Tensor:
        return sinkhorn(cost, epsilon, a, b, tolerance=1e-13, max_iterations=20_000).plan

    assert torch.autograd.gradcheck(plan, problem(2, 5, 4).requires_grad_(), atol=1e-6)


def test_implicit_gradient_is_the_unrolled_one() -> None:
    cost = problem(1, 6, 9).requires_grad_()
    backward((sinkhorn(cost, 0.1, tolerance=1e-12, max_iterations=5000).plan * cost).sum())
    unrolled = cost.detach().clone().requires_grad_()
    f, g = torch.zeros(1, 6).double(), torch.zeros(1, 9).double()
    for _ in range(500):
        f = -torch.logsumexp(g[:, None] - unrolled / 0.1, 2) - math.log(6)
        g = -torch.logsumexp(f[:, :, None] - unrolled / 0.1, 1) - math.log(9)
    plan = (f[:, :, None] + g[:, None] - unrolled / 0.1).exp()
    backward((plan * unrolled).sum())
    torch.testing.assert_close(cost.grad, unrolled.grad, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e10])
def test_any_scale_stays_finite(size: float) -> None:
    cost = (problem(2, 30, 40) * size).float().requires_grad_()
    solved = sinkhorn(cost, 0.05, max_iterations=60)
    backward((solved.plan * cost).sum())
    assert cost.grad is not None
    assert solved.plan.isfinite().all()
    assert cost.grad.isfinite().all()
    torch.testing.assert_close(solved.plan.sum(2), torch.full((2, 30), 1 / 30))


def test_refuses_what_does_not_fit() -> None:
    cost = problem(2, 3, 4)
    with pytest.raises(ValueError, match="epsilon > 0"):
        sinkhorn(cost, 0)
    with pytest.raises(ValueError, match="shape"):
        sinkhorn(cost[0], 0.1)
    with pytest.raises(ValueError, match=r"marginal of shape \(2, 3\)"):
        sinkhorn(cost, 0.1, torch.ones(2, 4) / 4)
    with pytest.raises(ValueError, match="sum to 1"):
        sinkhorn(cost, 0.1, torch.ones(2, 3))
    with pytest.raises(ValueError, match="tolerance > 0"):
        sinkhorn(cost, 0.1, tolerance=0)
    with pytest.raises(ValueError, match="start potentials"):
        sinkhorn(cost, 0.1, start=(torch.zeros(2, 3), torch.zeros(2, 3)))
