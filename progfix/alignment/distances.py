"""Distances and soft assignments between the frames of paired videos."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["soft_assignment", "squared_distances"]


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances, (P, N, D) and (P, M, D) -> (P, N, M).

    By the expansion of the square, so that no (P, N, M, D) tensor exists. Frames should be
    centred (`group_of` does so): the error is about 1e-7 of the squared norms in float32.
    """
    squares = x.square().sum(-1)[:, :, None] + y.square().sum(-1)[:, None, :]
    return torch.baddbmm(squares, x, y.transpose(1, 2), alpha=-2).clamp_min(0)


def soft_assignment(
    x: Tensor, y: Tensor, y_mask: Tensor, temperature: float, window: Tensor | None = None
) -> Tensor:
    """Soft nearest neighbours: softmax over j of -|x_i - y_j|^2 / (D temperature).

    |x_i|^2 is common to a row and is left out, which saves four passes over (P, N, M).

    Args:
        x: (P, N, D).
        y: (P, M, D).
        y_mask: Frames of y that exist, (P, M).
        temperature: Softness, > 0, in squared embedding units per dimension.
        window: Frames of y that each row may choose, (P, N, M); all that exist by default.
            Each row needs at least one.

    Returns:
        (P, N, M), rows summing to 1, exactly 0 where not allowed.
    """
    scale = 1.0 / (x.shape[-1] * temperature)
    offset = (y.square().sum(-1) * -scale).masked_fill(~y_mask, -torch.inf)
    logits = torch.baddbmm(offset[:, None], x, y.transpose(1, 2), alpha=2 * scale)
    if window is not None:
        logits = logits.masked_fill(~window, -torch.inf)
    return torch.softmax(logits, dim=-1)
