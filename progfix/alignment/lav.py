"""Learning by aligning videos in time (LAV): soft-DTW with contrastive regularisation."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.contrast import intra_video_contrast, time_gaps
from progfix.alignment.distances import squared_distances
from progfix.alignment.soft_dtw import soft_dtw
from progfix.alignment.videos import Group, full_precision, group_of

__all__ = ["lav"]


def lav(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    gamma: float = 0.1,
    contrast_weight: float = 0.5,
    window: float = 10,
    margin: float = 2.0,
    per_frame: bool = True,
) -> Tensor:
    """Soft-DTW between two videos plus a contrastive inverse difference moment in each.

    With squared distances D::

        loss(X, Y) = soft_dtw_gamma(D(X, Y)) + contrast_weight (I(X) + I(Y)),
        I(X) = sum_ij W_ij [|i - j| > window] max(0, margin - D_ij) + [|i - j| <= window] D_ij,

    The mean is over all unordered pairs of different videos.

    Args:
        embeddings: (B, T, D); half precision is computed in float32. The margin is meant
            for embeddings of unit length, as the paper's are.
        lengths: (B,), frames per video, 1 .. T.
        gamma: Smoothing of soft-DTW, > 0, squared embedding units.
        contrast_weight: alpha of the paper, >= 0.
        window: sigma of the paper, frames, >= 0.
        margin: lambda of the paper, > 0, squared embedding units.
        per_frame: False gives the formula as printed, a sum with W_ij = (i - j)^2 + 1. True
            divides it by the pair's mean length and counts time in W as a share of the
            video, W_ij = ((i - j) / length)^2 + 1, as the authors' code does; without, W
            alone reaches 4e4 at 200 frames.

    Returns:
        A scalar, float32 or float64. Without a second video: the contrast term alone, as if
        paired with itself.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or a parameter is out of range.

    Source:
        Haresh et al., Learning by Aligning Videos in Time, CVPR 2021, sections 3.2 and 3.3;
        settings and scaling: trquhuytin/LAV-CVPR21, losses.py and config.py.
    """
    if gamma <= 0 or margin <= 0 or window < 0 or contrast_weight < 0:
        raise ValueError(
            "expected gamma > 0, margin > 0, window >= 0 and contrast_weight >= 0, found "
            f"{gamma}, {margin}, {window} and {contrast_weight}"
        )
    with full_precision(embeddings.device):
        group = group_of(embeddings, lengths)
        contrast = contrast_weight * _contrast(group, window, margin, relative_time=per_frame)
        if len(group.lengths) < 2:
            return (2 * contrast / (group.lengths if per_frame else 1)).sum()
        pairs = group.unordered_pairs()
        cost = squared_distances(pairs.x, pairs.y)
        alignment = soft_dtw(cost, gamma, pairs.x_lengths, pairs.y_lengths)
        loss = alignment + contrast[pairs.first] + contrast[pairs.second]
        if per_frame:
            loss = 2 * loss / (pairs.x_lengths + pairs.y_lengths)
        return loss.mean()


def _contrast(group: Group, window: float, margin: float, *, relative_time: bool) -> Tensor:
    gaps = time_gaps(group.embeddings.shape[1], group.embeddings)
    scale = group.lengths[:, None, None] if relative_time else 1
    return intra_video_contrast(
        group,
        window=window,
        margin=margin,
        far_weight=(gaps / scale).square() + 1,
        near_weight=torch.ones_like(gaps),
        per_dimension=False,
    )
