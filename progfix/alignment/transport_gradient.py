"""The derivative of an entropic transport plan, without unrolling the solver."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

__all__ = ["attach_gradient"]

_RIDGE = 1e-10
"""Added to a matrix whose eigenvalues lie in [0, 1]; where the plan falls apart into blocks
the system is singular, and the ridge picks the smallest solution."""


def attach_gradient(cost: Tensor, plan: Tensor, epsilon: Tensor) -> Tensor:
    """The plan as a differentiable function of the cost that it was solved from.

    Args:
        cost: (P, N, M).
        plan: (P, N, M), solved without a graph. Its own row and column sums stand for the
            marginals, so that an unconverged plan is differentiated as the exact solution
            of the problem that it does solve.
        epsilon: The regularisation that it was solved for, (P,).

    Returns:
        `plan`, (P, N, M), with a gradient to `cost`. Not twice differentiable.

    Source:
        Implicit function theorem on the marginal constraints: Luise et al., Differential
        Properties of Sinkhorn Approximation, NeurIPS 2018.
    """
    attached: Tensor = _Plan.apply(cost, plan, epsilon)  # type: ignore[no-untyped-call]
    return attached


def _multipliers(plan: Tensor, row_terms: Tensor, column_terms: Tensor) -> tuple[Tensor, Tensor]:
    """Solve [diag(r) T; T' diag(c)] [alpha; beta] = [row_terms; column_terms], in float64.

    r and c are the row and column sums of T. By symmetric scaling and elimination of the rows
    this is I - K'K with K = r^-1/2 T c^-1/2 over the columns; its null vector sqrt(c) (adding
    a constant to alpha and taking it off beta changes nothing) is filled in.
    """
    rows, columns = plan.sum(2), plan.sum(1)
    row_scale = torch.where(rows > 0, rows.rsqrt(), 0)
    column_scale = torch.where(columns > 0, columns.rsqrt(), 0)
    kernel = plan * row_scale[:, :, None] * column_scale[:, None, :]
    null = columns.sqrt()
    system = null[:, :, None] * null[:, None, :] - kernel.mT @ kernel
    system.diagonal(dim1=1, dim2=2).add_(1 + _RIDGE)
    p = (row_terms * row_scale)[..., None]
    q = (column_terms * column_scale)[..., None]
    factor = torch.linalg.cholesky_ex(system).L
    beta = torch.cholesky_solve(q - kernel.mT @ p, factor)
    alpha = p - kernel @ beta
    return alpha.squeeze(-1) * row_scale, beta.squeeze(-1) * column_scale


class _Plan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, _cost: Tensor, plan: Tensor, epsilon: Tensor) -> Tensor:
        ctx.save_for_backward(plan, epsilon)
        return plan.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        plan, epsilon = ctx.saved_tensors  # type: ignore[attr-defined]
        if plan.shape[2] > plan.shape[1]:  # the system is as large as the shorter side
            return _cost_gradient(plan.mT, grad.mT, epsilon).mT, None, None
        return _cost_gradient(plan, grad, epsilon), None, None


def _cost_gradient(plan: Tensor, grad: Tensor, epsilon: Tensor) -> Tensor:
    wide = plan.double()
    weighted = wide * grad.double()
    alpha, beta = _multipliers(wide, weighted.sum(2), weighted.sum(1))
    response = wide * (alpha[:, :, None] + beta[:, None, :]) - weighted
    return (response / epsilon.double()[:, None, None]).to(plan.dtype)
