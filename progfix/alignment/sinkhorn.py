"""Entropic optimal transport: a batched Sinkhorn solver in the log domain.

The potentials live in the log domain, where no cost over- or underflows. Between two log
updates, a few sweeps scale the current plan itself with matrix-vector products, and are
absorbed into the potentials (Schmitzer, Stabilized Sparse Scaling Algorithms for Entropy
Regularized Transport Problems, 2019, section 3): a sweep costs a tenth of a log update.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from progfix.alignment.transport_gradient import attach_gradient

__all__ = ["Transport", "sinkhorn"]

_SWEEPS = 20
_LARGEST_SCALING = 1e6
"""A sweep that scales beyond this is discarded: its plan had underflowed."""


@dataclass(frozen=True)
class Transport:
    """A solved batch of transport problems.

    Attributes:
        plan: (P, N, M), differentiable with respect to the cost. Rows sum to `a` exactly.
        f: Potentials of the rows, (P, N), in units of cost; detached. -inf where a is 0.
        g: Potentials of the columns, (P, M), likewise. Pass (f, g) on as a warm start.
        marginal_error: `sum_j |sum_i plan_ij - b_j|` per problem, (P,), detached.
        iterations: Updates of both potentials that were made; 0 if `start` was good enough.
        converged: Whether each marginal error is within the tolerance, (P,).
    """

    plan: Tensor
    f: Tensor
    g: Tensor
    marginal_error: Tensor
    iterations: int
    converged: Tensor


def sinkhorn(
    cost: Tensor,
    epsilon: float | Tensor,
    a: Tensor | None = None,
    b: Tensor | None = None,
    *,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    start: tuple[Tensor, Tensor] | None = None,
) -> Transport:
    """Solve min_T <T, cost> + epsilon KL(T || a b^T) with marginals a and b, per problem.

    Args:
        cost: (P, N, M), finite, also where a or b is 0.
        epsilon: Regularisation, > 0, in units of cost: one number, or (P,).
        a: Row marginals, (P, N), >= 0, each row summing to 1; uniform by default. 0 is
            padding: it takes part in nothing.
        b: Column marginals, (P, M), likewise.
        tolerance: Stop once every problem's marginal error (L1) is at most this, > 0.
        max_iterations: Updates of both potentials at most, >= 1.
        start: Potentials (f, g) of an earlier, similar problem; a converged start needs
            no iteration.

    Returns:
        The plans with potentials and the marginal errors reached. The gradient through the
        plan is implicit (memory does not grow with the iterations).

    Raises:
        ValueError: If a shape does not fit or a number is out of range.

    Source:
        Cuturi, Sinkhorn Distances, NeurIPS 2013; log domain: Peyre and Cuturi,
        Computational Optimal Transport, 2019, section 4.4.
    """
    _check(cost, tolerance, max_iterations)
    epsilon = _per_problem(epsilon, cost)
    a = _marginal(a, cost, 1)
    b = _marginal(b, cost, 2)
    with torch.no_grad():
        scaled = cost.detach() / epsilon[:, None, None]
        g = _start(start, epsilon, b)
        log_plan, f, g, error, iterations = _solve(
            scaled, a, b, g, tolerance=tolerance, max_iterations=max_iterations
        )
    plan = attach_gradient(cost, log_plan, epsilon)
    return Transport(
        plan=plan,
        f=f * epsilon[:, None],
        g=g * epsilon[:, None],
        marginal_error=error,
        iterations=iterations,
        converged=error <= tolerance,
    )


def _solve(
    cost: Tensor, a: Tensor, b: Tensor, g: Tensor, *, tolerance: float, max_iterations: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, int]:
    """Iterate on cost / epsilon; returns the plan, f, g, the marginal errors and a count."""
    log_a, log_b = a.log(), b.log()
    iterations = 0
    while True:
        f, plan = _row_update(cost, g, log_a)
        column_sums = plan.sum(1)
        error = (column_sums - b).abs().sum(-1)
        if iterations >= max_iterations or bool((error <= tolerance).all()):
            return plan, f, g, error, iterations
        sweeps = min(_SWEEPS, max_iterations - iterations)
        u, v = _sweep(plan, a, b, column_sums, sweeps)
        usable = (_usable(u, a) & _usable(v, b))[:, None]
        g = torch.where(usable, g + v.log(), _column_update(cost, f, log_b))
        iterations += sweeps


def _row_update(cost: Tensor, g: Tensor, log_a: Tensor) -> tuple[Tensor, Tensor]:
    """Meet the row marginals, given g: f, and the plan, which cannot overflow."""
    score = g[:, None, :] - cost
    peak = score.amax(-1, keepdim=True)
    plan = score.sub_(peak).exp_()
    mass = plan.sum(-1, keepdim=True)
    f = log_a - (peak + mass.log()).squeeze(-1)
    return f, plan.mul_(log_a.exp()[..., None] / mass)


def _column_update(cost: Tensor, f: Tensor, log_b: Tensor) -> Tensor:
    return log_b - torch.logsumexp(f[:, :, None] - cost, dim=1)


def _sweep(
    plan: Tensor, a: Tensor, b: Tensor, column_sums: Tensor, sweeps: int
) -> tuple[Tensor, Tensor]:
    """Scale columns by v and rows by u towards the marginals, with vector-matrix products."""
    u = torch.ones_like(a)
    v = _ratio(b, column_sums)
    transposed = plan.mT.contiguous()  # on CPU ten times the speed of matrix-vector products
    for _ in range(sweeps - 1):
        u = _ratio(a, torch.bmm(v[:, None], transposed).squeeze(1))
        v = _ratio(b, torch.bmm(u[:, None], plan).squeeze(1))
    return u, v


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient, 0 where the numerator is (padding)."""
    return torch.where(numerator > 0, numerator / denominator, 0)


def _usable(scaling: Tensor, marginal: Tensor) -> Tensor:
    bounded = (scaling > 1 / _LARGEST_SCALING) & (scaling < _LARGEST_SCALING)
    return (bounded | (marginal == 0)).all(-1)


def _start(start: tuple[Tensor, Tensor] | None, epsilon: Tensor, b: Tensor) -> Tensor:
    """Column potentials to begin with, over epsilon; f follows from them."""
    if start is None:
        return torch.where(b > 0, 0, -torch.inf).to(b.dtype)
    g = start[1]
    if g.shape != b.shape:
        raise ValueError(
            f"expected start potentials of shape {tuple(b.shape)}, found {tuple(g.shape)}"
        )
    g = g.detach().to(b.dtype) / epsilon[:, None]
    return torch.where(b > 0, g.nan_to_num(), -torch.inf)


def _check(cost: Tensor, tolerance: float, max_iterations: int) -> None:
    if cost.ndim != 3 or 0 in cost.shape[1:] or not cost.is_floating_point():
        raise ValueError(
            "expected floating-point costs of shape (problems, rows, columns), "
            f"found {cost.dtype} of shape {tuple(cost.shape)}"
        )
    if not tolerance > 0 or max_iterations < 1:
        raise ValueError(
            "expected tolerance > 0 and max_iterations >= 1, "
            f"found {tolerance} and {max_iterations}"
        )


def _per_problem(epsilon: float | Tensor, cost: Tensor) -> Tensor:
    values = torch.as_tensor(epsilon, dtype=cost.dtype, device=cost.device).expand(len(cost))
    if not bool((values > 0).all()):
        raise ValueError(f"expected epsilon > 0, found {values.tolist()}")
    return values


def _marginal(marginal: Tensor | None, cost: Tensor, axis: int) -> Tensor:
    shape = (cost.shape[0], cost.shape[axis])
    if marginal is None:
        return cost.new_full(shape, 1 / shape[1])
    if marginal.shape != shape:
        raise ValueError(f"expected a marginal of shape {shape}, found {tuple(marginal.shape)}")
    marginal = marginal.detach().to(dtype=cost.dtype, device=cost.device)
    total = marginal.sum(-1)
    if bool((marginal < 0).any()) or bool(((total - 1).abs() > 1e-3).any()):
        raise ValueError(f"expected marginals >= 0 that sum to 1, found sums {total.tolist()}")
    return marginal
