"""LAV as gerardDonahue/GTCC_CVPR2024 computes it."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.compat.contrast import intra_video_contrast
from progfix.alignment.soft_dtw import soft_dtw
from progfix.alignment.videos import group_of

__all__ = ["lav"]


def lav(
    embeddings: Tensor, lengths: Tensor, *, gamma: float = 0.1, contrast_weight: float = 0.01
) -> Tensor:
    """LAV with that project's deviations from the paper.

    A sum over ordered pairs, so that each pair counts twice; the contrast's attraction has no
    gradient (`compat.contrast`).

    Args:
        embeddings: (B, T, D).
        lengths: (B,), frames per video, 1 .. T.
        gamma: `min_temp`, > 0.
        contrast_weight: `cr_coefficient`.

    Returns:
        A scalar; 0 with a zero gradient for one video alone.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or gamma is not positive.

    Source:
        gerardDonahue/GTCC_CVPR2024, utils/loss_functions.py, LAV_loss; the same in
        Anish-1221/GTCC_CVPR2024_Reproduce.
    """
    group = group_of(embeddings, lengths, centre=False)
    if len(group.lengths) < 2:
        return group.zero()
    pairs = group.unordered_pairs()
    cost = torch.cdist(pairs.x, pairs.y, compute_mode="donot_use_mm_for_euclid_dist").square()
    alignment = soft_dtw(cost.double(), gamma, pairs.x_lengths, pairs.y_lengths)
    contrast = contrast_weight * intra_video_contrast(group)
    return 2 * (alignment + contrast[pairs.first] + contrast[pairs.second]).sum()
