"""VAVA's temporal priors on the transport plan, with a virtual frame for the unmatched.

Rows 0 .. N and columns 0 .. M: index 0 is the virtual frame, real frame i has index i + 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from progfix.alignment.videos import Pairs, positions

__all__ = ["Priors", "temporal_priors"]


@dataclass(frozen=True)
class Priors:
    """What a transport plan is drawn to, (P, N + 1, M + 1) each; constants to the gradient.

    Attributes:
        log_density: log P, a mixture of two Gaussians: how likely a match is a priori.
        moment: Weights of the inverse difference moment I(T), in (0, 1].
    """

    log_density: Tensor
    moment: Tensor


def temporal_priors(
    distance: Tensor, pairs: Pairs, phi: float, width: float, virtual_distance: float
) -> Priors:
    """Mix the consistency prior (along the diagonal) with the optimality prior (best matches).

    With u = (i + 1) / (N + 1), w = (j + 1) / (M + 1) and unit = sqrt(1/(N+1)^2 + 1/(M+1)^2),

        consistency: d_c = |u - w|,
        optimality:  d_o = (|u - u_best(j)| + |w - w_best(i)|) / 2,
        P = phi G(d_c / unit) + (1 - phi) G(d_o / unit),   G Gaussian with deviation `width`,
        moment = phi / (d_c^2 + 1) + (1 - phi) / (mean of the two squared distances + 1),

    where u_best(j) is the frame of x nearest to frame j of y, w_best(i) that of y nearest
    to i. A match with the virtual frame has the constant distance 3 virtual_distance /
    (N + M + 2) instead.

    Args:
        distance: Squared distances of real frames, (P, N, M); read without gradient.
        pairs: The pairs, for masks and lengths.
        phi: Share of the consistency prior, in (0, 1).
        width: Deviation of the Gaussians, > 0, in frames.
        virtual_distance: Distance of the virtual frame, > 0, in frames.

    Source:
        Liu et al., Learning to Align Sequential Actions in the Wild, CVPR 2022, sections 3.2
        and 3.3; the virtual frame's distance: the authors' published loss.
    """
    distance = distance.detach()
    rows, columns = pairs.x_lengths[:, None, None] + 1.0, pairs.y_lengths[:, None, None] + 1.0
    u = (positions(distance.shape[1] + 1, distance)[None, :, None] + 1) / rows
    w = (positions(distance.shape[2] + 1, distance)[None, None, :] + 1) / columns
    best_u = _best(distance, pairs.x_mask[:, :, None], axis=1).unsqueeze(1) / rows
    best_w = _best(distance, pairs.y_mask[:, None, :], axis=2).unsqueeze(2) / columns
    diagonal = (u - w).abs()
    row_gap, column_gap = (u - best_u).abs(), (w - best_w).abs()
    unit = (rows**-2 + columns**-2).sqrt()
    log_density = torch.logaddexp(
        _log_gaussian(diagonal / unit, width) + math.log(phi),
        _log_gaussian((row_gap + column_gap) / (2 * unit), width) + math.log(1 - phi),
    )
    nearest = (row_gap.square() + column_gap.square()) / 2
    moment = phi / (diagonal.square() + 1) + (1 - phi) / (nearest + 1)
    virtual = 3 * virtual_distance / (rows + columns)
    edge = _edge(distance)
    return Priors(
        log_density=torch.where(edge, _log_gaussian(virtual / unit, width), log_density),
        moment=torch.where(edge, 1 / (virtual.square() + 1), moment),
    )


def _best(distance: Tensor, mask: Tensor, axis: int) -> Tensor:
    """1-based position of the nearest frame along `axis`, the virtual frame's own being 1."""
    nearest = distance.masked_fill(~mask, torch.inf).argmin(axis) + 2
    return torch.nn.functional.pad(nearest, (1, 0), value=1).to(distance.dtype)


def _log_gaussian(z: Tensor, width: float) -> Tensor:
    return -0.5 * (z / width).square() - math.log(width * math.sqrt(2 * math.pi))


def _edge(distance: Tensor) -> Tensor:
    """True where exactly one of the two frames is virtual."""
    edge = torch.zeros(
        distance.shape[1] + 1, distance.shape[2] + 1, dtype=torch.bool, device=distance.device
    )
    edge[0, 1:] = True
    edge[1:, 0] = True
    return edge
