"""Contrast within one video, which keeps an alignment loss from collapsing it to a point."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.distances import squared_distances
from progfix.alignment.videos import Group, positions

__all__ = ["intra_video_contrast", "time_gaps"]


def time_gaps(length: int, like: Tensor) -> Tensor:
    """|i - j| in frames, (length, length), in the dtype of `like`."""
    index = positions(length, like)
    return (index[:, None] - index[None]).abs()


def intra_video_contrast(
    group: Group,
    *,
    window: float,
    margin: float,
    far_weight: Tensor,
    near_weight: Tensor,
    per_dimension: bool,
) -> Tensor:
    """Pull near frames together, push far ones apart up to a margin.

        C(X) = sum_ij far_ij [|i - j| > window] max(0, margin - D_ij)
             + sum_ij near_ij [|i - j| <= window] D_ij,   D_ij = |x_i - x_j|^2.

    Args:
        group: B videos.
        window: Half-width of the neighbourhood, frames, >= 0.
        margin: Distance beyond which far frames are left alone, squared embedding units.
        far_weight: Weights of far pairs, broadcastable to (B, T, T).
        near_weight: Weights of near pairs, likewise.
        per_dimension: Whether D_ij is divided by D, the number of dimensions.

    Returns:
        The sum over all pairs of frames of each video, (B,).

    Source:
        Haresh et al., Learning by Aligning Videos in Time, CVPR 2021, section 3.3; Liu et
        al., Learning to Align Sequential Actions in the Wild, CVPR 2022, section 3.4.
    """
    distance = squared_distances(group.embeddings, group.embeddings)
    if per_dimension:
        distance = distance / group.embeddings.shape[-1]
    far = time_gaps(distance.shape[-1], distance) > window
    terms = torch.where(far, far_weight * (margin - distance).relu(), near_weight * distance)
    valid = group.mask[:, :, None] & group.mask[:, None, :]
    return terms.masked_fill(~valid, 0).sum((1, 2))
