"""The intra-video contrast of gerardDonahue/GTCC_CVPR2024, shared by its LAV and VAVA."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.contrast import time_gaps
from progfix.alignment.videos import Group

__all__ = ["intra_video_contrast"]


def intra_video_contrast(group: Group, *, window: int = 15, margin: float = 2.0) -> Tensor:
    """Contrast whose attraction within the window is the constant W margin, not a distance.

    Far pairs (|i - j| >= window) give W max(0, margin - |x_i - x_j|) with W = (i - j)^2 + 1
    and distances not squared; near pairs W margin, which has no gradient.

    Args:
        group: B videos.
        window: Frames.
        margin: Embedding units.

    Returns:
        Sums over all pairs of frames, (B,).

    Source:
        gerardDonahue/GTCC_CVPR2024, utils/loss_functions.py, IntraContrast_loss.
    """
    distance = torch.cdist(group.embeddings, group.embeddings)
    gaps = time_gaps(distance.shape[-1], distance)
    hinge = torch.where(gaps >= window, (margin - distance).relu(), margin)
    valid = group.mask[:, :, None] & group.mask[:, None, :]
    return ((gaps.square() + 1) * hinge).masked_fill(~valid, 0).sum((1, 2))
