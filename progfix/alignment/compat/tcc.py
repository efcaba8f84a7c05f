"""TCC as gerardDonahue/GTCC_CVPR2024 computes it."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.compat.distances import frame_distances, soft_assignment
from progfix.alignment.videos import group_of, positions

__all__ = ["tcc"]


def tcc(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    temperature: float = 0.1,
    variance_weight: float = 0.001,
) -> Tensor:
    """TCC with that project's deviations from the paper.

    Distances are not squared; the variance is taken as sum_k beta_k (k - mu_k)^2, around each
    frame's own mean instead of mu_i, without a floor; every video is also paired with itself;
    the sum over frames is divided by the B^2 pairs.

    Args:
        embeddings: (B, T, D).
        lengths: (B,), frames per video, 1 .. T.
        temperature: `softmax_temp`, > 0.
        variance_weight: `alignment_variance`.

    Returns:
        A scalar. Not finite where a variance vanishes, as in the original.

    Raises:
        ValueError: If a shape, dtype or length does not fit.

    Source:
        gerardDonahue/GTCC_CVPR2024, utils/loss_functions.py, TCC_loss; settings:
        configs/generic_config.py. Anish-1221/GTCC_CVPR2024_Reproduce is identical here.
    """
    pairs = group_of(embeddings, lengths, centre=False).ordered_pairs(include_self=True)
    away = frame_distances(pairs.x, pairs.y, pairs.x_lengths, pairs.y_lengths)
    neighbours = soft_assignment(away, pairs.y_mask, temperature) @ pairs.y
    back = frame_distances(neighbours, pairs.x, pairs.x_lengths, pairs.x_lengths)
    beta = soft_assignment(back, pairs.x_mask, temperature)
    index = positions(pairs.x.shape[1], beta)
    mean = beta @ index
    error = (index - mean).square()
    # `error` is indexed by k here: the deviation of each frame from its own mean.
    variance = (beta @ error.masked_fill(~pairs.x_mask, 0)[..., None]).squeeze(-1)
    valid = pairs.x_mask & (variance > 0)
    safe = torch.where(valid, variance, 1)
    terms = error / safe + variance_weight * (safe.sqrt() + 1e-20).log()
    terms = torch.where(valid, terms, torch.where(pairs.x_mask, torch.nan, 0))
    return terms.sum() / len(pairs)
