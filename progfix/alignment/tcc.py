"""Temporal cycle-consistency with cycle-back regression (TCC)."""

from __future__ import annotations

from torch import Tensor

from progfix.alignment.neighbours import (
    cycle_logits,
    offsets,
    scaled_by,
    similarities,
    soft_index,
)
from progfix.alignment.videos import Pairs, full_precision, group_of, positions

__all__ = ["FRAME_VARIANCE", "tcc"]

FRAME_VARIANCE = 1 / 12
"""Variance of a uniform distribution one frame wide: what a frame index can resolve."""


def tcc(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    temperature: float = 0.1,
    variance_weight: float = 0.001,
    variance_floor: float = FRAME_VARIANCE,
) -> Tensor:
    """Temporal cycle-consistency: out to the other video, back, to the frame one left.

    For frame i of x, with its soft nearest neighbour v~ and the way back beta::

        v~ = sum_j alpha_j y_j,
        beta_k = softmax_k(-|v~ - x_k|^2 / (D temperature)),
        mu = sum_k beta_k k,  var = sum_k beta_k (k - mu)^2,
        loss_i = (i - mu)^2 / var + variance_weight log sqrt(var).

    The mean is over the frames of x, then over all ordered pairs of different videos.

    Args:
        embeddings: (B, T, D); half precision is computed in float32.
        lengths: (B,), frames per video, 1 .. T.
        temperature: Softness of the nearest neighbours, > 0. The paper's bare squared
            distance is 1/D; 0.1 is its authors' setting.
        variance_weight: lambda of the paper, >= 0.
        variance_floor: Smallest variance, frames^2, > 0. Without it the loss of a sharp
            cycle is 0/0; above it the formula is the paper's.

    Returns:
        A scalar, float32 or float64. Without a second video: 0, with a zero gradient.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or a parameter is out of range.

    Source:
        Dwibedi et al., Temporal Cycle-Consistency Learning, CVPR 2019, section 3.2;
        scaling by D and temperature: google-research/google-research,
        tcc/tcc/deterministic_alignment.py and tcc/config.py.
    """
    if temperature <= 0 or variance_floor <= 0 or variance_weight < 0:
        raise ValueError(
            "expected temperature > 0, variance_floor > 0 and variance_weight >= 0, found "
            f"{temperature}, {variance_floor} and {variance_weight}"
        )
    with full_precision(embeddings.device):
        group = group_of(embeddings, lengths)
        if len(group.lengths) < 2:
            return group.zero()
        scaled = scaled_by(group, temperature)
        pairs = scaled.ordered_pairs()
        mean, variance = _cycle(pairs, offsets(scaled))
        error = (positions(mean.shape[-1], mean) - mean).square()
        variance = variance.clamp_min(variance_floor)
        loss = error / variance + 0.5 * variance_weight * variance.log()
        return _mean_over_frames(loss, pairs).mean()


def _cycle(pairs: Pairs, frame_offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the index that each frame cycles back to, (P, T) each."""
    similarity = similarities(pairs)
    away = similarity + frame_offsets.index_select(0, pairs.second)[:, None]
    x_offsets = frame_offsets.index_select(0, pairs.first)
    return soft_index(cycle_logits(away.softmax(-1), pairs, similarity, x_offsets))


def _mean_over_frames(values: Tensor, pairs: Pairs) -> Tensor:
    if not pairs.group.padded:
        return values.mean(-1)
    return values.masked_fill(~pairs.x_mask, 0).sum(-1) / pairs.x_lengths
