"""Soft dynamic time warping as a wavefront over anti-diagonals.

All cells of an anti-diagonal depend on the two before it alone, so that each is one vector
operation over the whole batch. Costs are laid out by anti-diagonal once; the recursion then
reads and writes contiguous memory on CPU and GPU alike.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import pad

__all__ = ["soft_dtw"]


def soft_dtw(
    cost: Tensor,
    gamma: float,
    x_lengths: Tensor | None = None,
    y_lengths: Tensor | None = None,
) -> Tensor:
    """Soft-DTW of each cost matrix: the soft minimum over all monotone paths of their cost.

        r[i, j] = cost[i, j] + softmin(r[i-1, j], r[i, j-1], r[i-1, j-1]),
        softmin(a) = -gamma log sum_k exp(-a_k / gamma).

    Args:
        cost: (P, N, M), finite. Entries beyond a pair's lengths are not read into its value.
        gamma: Smoothing, > 0, in units of cost.
        x_lengths: Rows of each pair, (P,), 1 .. N; all N by default.
        y_lengths: Columns of each pair, (P,), 1 .. M; all M by default.

    Returns:
        (P,), in cost's dtype. The gradient with respect to cost is the expected alignment,
        entries in [0, 1], from a backward wavefront of its own. Memory: about ten times
        that of cost at its peak, for any N and M. Not twice differentiable.

    Raises:
        ValueError: If gamma, the shape of cost or a length is out of range.

    Source:
        Cuturi and Blondel, Soft-DTW: a Differentiable Loss Function for Time-Series,
        ICML 2017, equations 2 and 3 and algorithms 1 and 2.
    """
    _check(cost, gamma)
    x_lengths = _lengths(x_lengths, cost, 1)
    y_lengths = _lengths(y_lengths, cost, 2)
    if cost.shape[1] > cost.shape[2]:  # a diagonal is as long as the shorter side
        cost, x_lengths, y_lengths = cost.transpose(1, 2), y_lengths, x_lengths
    value: Tensor = _SoftDTW.apply(cost, gamma, x_lengths, y_lengths)  # type: ignore[no-untyped-call]
    return value


def _check(cost: Tensor, gamma: float) -> None:
    if cost.ndim != 3 or 0 in cost.shape[1:] or not cost.is_floating_point():
        raise ValueError(
            "expected floating-point costs of shape (pairs, rows, columns), "
            f"found {cost.dtype} of shape {tuple(cost.shape)}"
        )
    if not gamma > 0:
        raise ValueError(f"expected gamma > 0, found {gamma}")


def _lengths(lengths: Tensor | None, cost: Tensor, axis: int) -> Tensor:
    if lengths is None:
        return torch.full(cost.shape[:1], cost.shape[axis], device=cost.device)
    if lengths.shape != cost.shape[:1]:
        raise ValueError(
            f"expected one length per cost matrix, shape ({cost.shape[0]},), "
            f"found {tuple(lengths.shape)}"
        )
    if len(lengths) and (int(lengths.min()) < 1 or int(lengths.max()) > cost.shape[axis]):
        raise ValueError(
            f"expected lengths in 1 .. {cost.shape[axis]}, "
            f"found {int(lengths.min())} .. {int(lengths.max())}"
        )
    return lengths.to(cost.device)


def _to_diagonals(cost: Tensor) -> Tensor:
    """(P, N, M) -> (N + M - 1, P, N), entry [d, p, i] = cost[p, i, d - i]."""
    size, rows, columns = cost.shape
    width = rows + columns
    flat = pad(cost, (0, rows)).reshape(size, rows * width)
    shifted = flat[:, : rows * (width - 1)].reshape(size, rows, width - 1)
    return shifted.permute(2, 0, 1).contiguous()


def _from_diagonals(diagonals: Tensor, columns: int) -> Tensor:
    """Inverse of `_to_diagonals`: (N + M - 1, P, N) -> (P, N, M)."""
    _, size, rows = diagonals.shape
    width = rows + columns
    flat = diagonals.permute(1, 2, 0).reshape(size, rows * (width - 1))
    return pad(flat, (0, rows)).reshape(size, rows, width)[:, :, :columns]


def _span(diagonal: int, rows: int, columns: int) -> tuple[int, int]:
    return max(0, diagonal - columns + 1), min(rows - 1, diagonal) + 1


def _forward_wave(step: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Run the recursion on scores, -cost / gamma, laid out by diagonals.

    Returns:
        Scores -r / gamma, (diagonals + 2, P, rows + 1), where entry [d + 2, :, i + 1] is cell
        (i, d - i) and the border is -inf but for the start; and the log-sum-exp over each
        cell's predecessors, which takes the memory of `step`.
    """
    diagonals, size, rows = step.shape
    score = step.new_full((diagonals + 2, size, rows + 1), -torch.inf)
    score[0, :, 0] = 0
    for d in range(diagonals):
        low, high = _span(d, rows, columns)
        before = score[d + 1]
        soft = torch.logaddexp(before[:, low:high], before[:, low + 1 : high + 1])
        torch.logaddexp(soft, score[d, :, low:high], out=soft)
        cells = step[d, :, low:high]
        torch.add(soft, cells, out=score[d + 2, :, low + 1 : high + 1])
        cells.copy_(soft)
    return score, step


def _backward_wave(score: Tensor, soft: Tensor, seed: Tensor, columns: int) -> Tensor:
    """Send each cell's weight back to its predecessors, by their shares of its softmin.

    `seed` (diagonals + 2, P, rows + 1) holds 1 at each pair's last cell; it becomes, and is
    returned as, the probability that a path visits the cell. The shares are exp(score of the
    predecessor - soft), both as the forward wave stored them: they are never above 1, however
    large the costs.
    """
    diagonals, _, rows = soft.shape
    for d in range(diagonals - 1, 0, -1):
        low, high = _span(d, rows, columns)
        weight = seed[d + 2, :, low + 1 : high + 1]
        total = soft[d, :, low:high]
        for source, at in ((d + 1, low), (d + 1, low + 1), (d, low)):
            cells = slice(at, at + high - low)
            share = torch.sub(score[source, :, cells], total).exp_()
            seed[source, :, cells].addcmul_(share, weight)
    return seed


class _SoftDTW(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, cost: Tensor, gamma: float, x_lengths: Tensor, y_lengths: Tensor
    ) -> Tensor:
        columns = cost.shape[2]
        score, soft = _forward_wave(_to_diagonals(cost).mul_(-1 / gamma), columns)
        pair = torch.arange(len(cost), device=cost.device)
        end = (x_lengths + y_lengths, pair, x_lengths)
        ctx.save_for_backward(score, soft, *end)
        ctx.columns = columns  # type: ignore[attr-defined]
        return score[end] * -gamma

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None, None]:
        score, soft, *end = ctx.saved_tensors  # type: ignore[attr-defined]
        seed = torch.zeros_like(score)
        seed[tuple(end)] = 1
        visits = _backward_wave(score, soft, seed, ctx.columns)  # type: ignore[attr-defined]
        expected = _from_diagonals(visits[2:, :, 1:], ctx.columns)  # type: ignore[attr-defined]
        return expected * grad[:, None, None], None, None, None
