"""Distances and softmaxes in the order of operations of gerardDonahue/GTCC_CVPR2024.

Some of that project's gradients are dominated by rounding (a TCC variance of nearly 0 is
divided by), so that agreement to 1e-4 needs its sums in its order, not only its formulas.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["frame_distances", "soft_assignment"]

_EXPANDED_ABOVE = 25
"""Rows beyond which torch.cdist expands the square; a padded batch must choose per pair."""


def frame_distances(x: Tensor, y: Tensor, x_lengths: Tensor, y_lengths: Tensor) -> Tensor:
    """|x_i - y_j|, not squared, (P, N, D) and (P, M, D) -> (P, N, M).

    Args:
        x: (P, N, D).
        y: (P, M, D).
        x_lengths: Rows of x without padding, (P,). They decide, as torch.cdist does for each
            pair alone, whether the square is expanded.
        y_lengths: Rows of y without padding, (P,).
    """
    small = (x_lengths <= _EXPANDED_ABOVE) & (y_lengths <= _EXPANDED_ABOVE)
    expanded = torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")
    if not bool(small.any()):
        return expanded
    direct = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.where(small[:, None, None], direct, expanded)


def soft_assignment(distance: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """softmax_j(-distance_ij / temperature) over the frames in `mask` (P, M), (P, N, M)."""
    logits = (-distance / temperature).masked_fill(~mask[:, None], -torch.inf)
    return logits.mT.softmax(1).mT
