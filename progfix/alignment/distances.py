"""Distances between the frames of paired videos."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["squared_distances"]


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances, (P, N, D) and (P, M, D) -> (P, N, M).

    By the expansion of the square, so that no (P, N, M, D) tensor exists. Frames should be
    centred (`group_of` does so): the error is about 1e-7 of the squared norms in float32.
    """
    squares = x.square().sum(-1)[:, :, None] + y.square().sum(-1)[:, None, :]
    return torch.baddbmm(squares, x, y.transpose(1, 2), alpha=-2).clamp_min(0)
