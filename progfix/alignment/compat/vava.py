"""VAVA as Anish-1221/GTCC_CVPR2024_Reproduce computes it.

The plan solves <T, D> with regularisation N, the number of x's frames: it is close to uniform,
and no prior takes part. Moment and divergence are added to the loss instead:

    1e6 sum(T) / ((N+1)(M+1)) - (N+M) I(T) + (N M / 40) KL(T || P)
        + contrast_weight (C(X) + C(Y) + C(X, Y)),

whose first term is a constant. The optimality prior compares a row's own index with its best
column (and a column's with its best row), both over N + 1. C(X, Y) adds D where T is largest in
both its row and its column and takes it off where it is smallest. Distances are not squared;
the sum is over ordered pairs.

Source: Anish-1221/GTCC_CVPR2024_Reproduce at 3030255, utils/loss_functions.py, VAVA_loss, and
external_util/ot_pytorch.py, sink. gerardDonahue/GTCC_CVPR2024 differs: it multiplies lambda1 and
lambda2 by the lengths again at each pair, and sqrt(2 pi) into P.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from progfix.alignment.compat.contrast import intra_video_contrast
from progfix.alignment.vava import consistency_share
from progfix.alignment.videos import group_of, positions

__all__ = ["vava"]

_EPSILON = 1e-8
_SCALE = 1e6


def vava(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    step: int = 0,
    zeta: float = 0.5,
    prior_width: float = 0.6,
    contrast_weight: float = 0.5,
    n_iterations: int = 20,
) -> Tensor:
    """VAVA with that project's deviations from the paper (see the module's docstring).

    Args:
        embeddings: (B, T, D).
        lengths: (B,), frames per video, 1 .. T.
        step: `global_step`, which that project feeds the epoch.
        zeta: Cost of the virtual frame.
        prior_width: `delta`.
        contrast_weight: `gamma`.
        n_iterations: `maxIter`; its stopping test never fires.

    Returns:
        A scalar; 0 with a zero gradient for one video alone.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or step is negative.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce at 3030255, utils/loss_functions.py.
    """
    phi = consistency_share(step)
    group = group_of(embeddings, lengths, centre=False)
    if len(group.lengths) < 2:
        return group.zero()
    pairs = group.ordered_pairs()
    cost = pad(torch.cdist(pairs.x, pairs.y), (1, 0, 1, 0), value=zeta)
    rows, columns = pairs.x_lengths[:, None, None] + 1.0, pairs.y_lengths[:, None, None] + 1.0
    valid = _bordered(pairs.x_mask)[:, :, None] & _bordered(pairs.y_mask)[:, None, :]
    plan = _plan(cost, valid, rows, columns, n_iterations)
    consistency, optimality = _gaps(plan.detach(), valid, rows, columns)
    unit = (rows**-2 + columns**-2).sqrt()
    prior = phi * _gaussian((consistency / unit), prior_width)
    prior = prior + (1 - phi) * _gaussian(optimality.sum(0) / (2 * unit), prior_width)
    moment = phi / (consistency.square() + 1)
    moment = moment + (1 - phi) / (0.5 * optimality.square().sum(0) + 1)
    divergence = plan * ((plan + _EPSILON) / (prior + _EPSILON)).log()
    n, m = pairs.x_lengths, pairs.y_lengths
    transport = (
        _SCALE * plan.sum((1, 2)) / ((n + 1) * (m + 1))
        - (n + m) * (plan * moment).sum((1, 2))
        + 0.1 * n * m / 4 * divergence.masked_fill(~valid, 0).sum((1, 2))
    )
    within = intra_video_contrast(group)
    between = ((_corner(plan, valid, 1) - _corner(plan, valid, -1)) * cost).sum((1, 2))
    contrast = within[pairs.first] + within[pairs.second] + between
    return (transport + contrast_weight * contrast).sum()


def _bordered(mask: Tensor) -> Tensor:
    return pad(mask, (1, 0), value=True)


def _plan(cost: Tensor, valid: Tensor, rows: Tensor, columns: Tensor, n_iterations: int) -> Tensor:
    """Unrolled Sinkhorn scaling; the regularisation is the number of x's own frames."""
    kernel = (-cost / (rows - 1)).exp() * valid
    a, b = valid.any(2) / rows[..., 0], valid.any(1) / columns[:, 0]
    u = a.clone()
    for _ in range(n_iterations):
        v = b / _nonzero((u[:, None] @ kernel).squeeze(1))
        u = a / _nonzero((kernel @ v[..., None]).squeeze(-1))
    return u[..., None] * kernel * v[:, None]


def _nonzero(values: Tensor) -> Tensor:
    return torch.where(values == 0, 1, values)


def _gaps(plan: Tensor, valid: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the diagonal (P, n, m), and the two distances to the best match (2, P, n, m)."""
    i = positions(plan.shape[1], plan)[None, :, None]
    j = positions(plan.shape[2], plan)[None, None, :]
    shares = plan.masked_fill(~valid, -1)
    by_row = (i - shares.argmax(2)[:, :, None]).abs() / rows
    by_column = (j - shares.argmax(1)[:, None, :]).abs() / rows
    both = torch.stack([by_row.expand_as(plan), by_column.expand_as(plan)])
    return (j / columns - i / rows).abs(), both


def _gaussian(z: Tensor, width: float) -> Tensor:
    return (-0.5 * (z / width).square()).exp() / (width * math.sqrt(2 * math.pi))


def _corner(plan: Tensor, valid: Tensor, sign: int) -> Tensor:
    """1 where the plan is largest (sign 1) or smallest (-1) in its row and its column."""
    shares = (sign * plan.detach()).masked_fill(~valid, -torch.inf)
    in_row = shares == shares.amax(2, keepdim=True)
    in_column = shares == shares.amax(1, keepdim=True)
    return (in_row & in_column & valid).to(plan.dtype)
