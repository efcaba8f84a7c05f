"""Generalised temporal cycle-consistency (GTCC): many neighbours, many ways back, drops.

The soft nearest neighbours alpha_i of frame i of x are fitted with a mixture of K Gaussians
over y's frames. Component k gives a neighbour v~_k = sum_j g_k(j) y_j, which cycles back to
mu_k = sum_l beta_kl l, within a window of x that holds i (shifted inside at the ends), and

    align_i = sum_k w_k ((i - mu_k)^2 + variance_weight log sqrt(var_k)),
    loss_i = b_i align_i + (1 - b_i) / (align_i + reciprocal_floor),
    b_i = drop_floor + (1 - drop_floor) sigmoid(standardised(x_i . drop_y[:-1] + drop_y[-1])),

standardised over the frames of x. b_i is the probability that the frame has a counterpart; a
frame without one is pushed to align badly. The floor bounds the paper's 1 / align_i. The fit is
a constant to the gradient, as in the authors' code: it flows through the y_j and the way back.

Source: Donahue and Elhamifar, Learning to Predict Activity Progress by Self-Supervised Video
Alignment, CVPR 2024, section 3; settings: gerardDonahue/GTCC_CVPR2024,
utils/loss_functions.py and configs/generic_config.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from progfix.alignment.mixture import fit_mixture
from progfix.alignment.neighbours import (
    cycle_logits,
    offsets,
    scaled_by,
    similarities,
    soft_index,
)
from progfix.alignment.tcc import FRAME_VARIANCE
from progfix.alignment.videos import Group, Pairs, full_precision, group_of

__all__ = ["GTCCDraws", "draw_gtcc", "gtcc"]


@dataclass(frozen=True)
class GTCCDraws:
    """The random choices of one GTCC evaluation.

    Attributes:
        rows: Frames of each video that are cycled, (B, R), int64; -1 is none.
        offset: Where in its cycle-back window a frame lies, per video, (B,): 0 at the start
            (the window looks ahead), 1 at the end (it looks back).
    """

    rows: Tensor
    offset: Tensor


def draw_gtcc(
    lengths: Tensor, *, max_rows: int | None = None, generator: torch.Generator | None = None
) -> GTCCDraws:
    """Draw up to `max_rows` distinct frames of each video (all by default) and a side each.

    Args:
        lengths: (B,), frames per video.
        max_rows: Frames per video at most, >= 1.
        generator: Source of randomness, on the device of `lengths`.

    Raises:
        ValueError: If max_rows is below 1.
    """
    longest = int(lengths.max())
    if max_rows is not None and max_rows < 1:
        raise ValueError(f"expected max_rows >= 1, found {max_rows}")
    count = longest if max_rows is None else min(max_rows, longest)
    device = lengths.device
    keys = torch.rand(len(lengths), longest, generator=generator, device=device)
    keys = keys.masked_fill(torch.arange(longest, device=device) >= lengths[:, None], -1)
    rows = keys.topk(count, dim=1).indices.sort(dim=1).values
    rows = rows.masked_fill(rows >= lengths[:, None], -1)
    offset = torch.randint(2, (len(lengths),), generator=generator, device=device)
    return GTCCDraws(rows, offset.float())


def gtcc(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    drop: Tensor | None = None,
    drop_floor: float = 0.0,
    draws: GTCCDraws | None = None,
    n_components: int = 15,
    window: float = 0.2,
    temperature: float = 0.1,
    variance_weight: float = 0.0,
    reciprocal_floor: float = 1.0,
    em_iterations: int = 10,
) -> Tensor:
    """TCC with several neighbours and learnt drops, a mean over frames and ordered pairs.

    Args:
        embeddings: (B, T, D); half precision is computed in float32.
        lengths: (B,), frames per video, 1 .. T.
        drop: Drop weights, (B, D + 1), the bias last, per video; without, b = 1.
        drop_floor: Smallest b, in [0, 1]; gamma^(epoch + 1) in the paper's schedule.
        draws: The random choices; by default every frame is cycled, in a centred window.
        n_components: K, >= 1.
        window: Width of the cycle-back window as a share of x's frames, in (0, 1].
        temperature: Softness of the nearest neighbours, > 0, as in `tcc`.
        variance_weight: >= 0; 0 in the authors' settings.
        reciprocal_floor: Bounds the reciprocal, frames^2, > 0.
        em_iterations: EM steps of the fit, >= 1.

    Returns:
        A scalar. Without a second video: 0, with a zero gradient.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or a parameter is out of range.

    Source: Donahue and Elhamifar, CVPR 2024, section 3; settings: gerardDonahue/GTCC_CVPR2024.
    """
    _check(temperature, window, drop_floor, reciprocal_floor, variance_weight)
    with full_precision(embeddings.device):
        group = group_of(embeddings, lengths)
        _check_drop(drop, group)
        if len(group.lengths) < 2:
            return group.zero() + (0 if drop is None else (drop * 0).sum())
        draws = _checked(draws, group)
        pairs = group.ordered_pairs()
        rows = draws.rows[pairs.first]
        target = rows.clamp_min(0)
        allowed = _windows(target, draws.offset[pairs.first], pairs, window)
        mean, variance, weights = _cycles(
            scaled_by(group, temperature), target, allowed, n_components, em_iterations
        )
        error = (target[..., None] - mean).square()
        spread = 0.5 * variance.clamp_min(FRAME_VARIANCE).log() if variance_weight else 0
        align = (weights * (error + variance_weight * spread)).sum(-1)
        if drop is not None:
            keep = drop_floor + (1 - drop_floor) * _keep(pairs, drop).gather(1, target)
            align = keep * align + (1 - keep) / (align + reciprocal_floor)
        return _mean_over_rows(align, rows >= 0).mean()


def _mean_over_rows(values: Tensor, chosen: Tensor) -> Tensor:
    return values.masked_fill(~chosen, 0).sum(-1) / chosen.sum(-1)


def _cycles(
    scaled: Group, target: Tensor, allowed: Tensor, n_components: int, em_iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of the index that each component of each frame cycles back to.

    Returns:
        Means, variances and the components' weights, (P, R, K) each.
    """
    pairs, frame_offsets = scaled.ordered_pairs(), offsets(scaled)
    size, rows = target.shape
    similarity = similarities(pairs)
    chosen = target[..., None].expand(-1, -1, similarity.shape[-1])
    away = similarity.detach().gather(1, chosen)
    alpha = (away + frame_offsets.detach().index_select(0, pairs.second)[:, None]).softmax(-1)
    fit = fit_mixture(
        alpha.flatten(0, 1),
        pairs.y_lengths.repeat_interleave(rows),
        n_components,
        n_iterations=em_iterations,
    )
    components = fit.components(pairs.y_mask.repeat_interleave(rows, dim=0))
    components = components.view(size, rows * n_components, -1)
    back = cycle_logits(components, pairs, similarity, frame_offsets.index_select(0, pairs.first))
    back = back.view(size, rows, n_components, -1)
    mean, variance = soft_index(back, ~allowed[:, :, None])
    return mean, variance, fit.weights.view(size, rows, -1)


def _windows(target: Tensor, offset: Tensor, pairs: Pairs, share: float) -> Tensor:
    """Frames that each chosen frame may cycle back to, (P, R, T): `share` of x, shifted inside."""
    width = (pairs.x_lengths * share).round().clamp_min(1)[:, None]
    start = target - (offset[:, None] * (width - 1)).round()
    start = torch.minimum(start.clamp_min(0), pairs.x_lengths[:, None] - width)
    index = torch.arange(pairs.x.shape[1], device=target.device)
    return (index >= start[..., None]) & (index < (start + width)[..., None])


def _keep(pairs: Pairs, drop: Tensor) -> Tensor:
    """Probability that each frame of x has a counterpart in y, before the floor, (P, T)."""
    weights = drop.to(pairs.x.dtype)[pairs.second]
    scores = (pairs.x @ weights[:, :-1, None]).squeeze(-1) + weights[:, -1:]
    count = pairs.x_lengths[:, None]
    mean = scores.masked_fill(~pairs.x_mask, 0).sum(-1, keepdim=True) / count
    centred = (scores - mean).masked_fill(~pairs.x_mask, 0)
    variance = centred.square().sum(-1, keepdim=True) / count
    return torch.sigmoid(centred * (variance + 1e-6).rsqrt())


def _checked(draws: GTCCDraws | None, group: Group) -> GTCCDraws:
    size, longest = group.mask.shape
    if draws is None:
        rows = torch.arange(longest, device=group.mask.device).expand(size, -1)
        half = torch.full((size,), 0.5, device=group.mask.device)
        return GTCCDraws(rows.masked_fill(~group.mask, -1), half)
    if draws.rows.ndim != 2 or len(draws.rows) != size or draws.offset.shape != (size,):
        raise ValueError(
            f"expected draws of shapes ({size}, R) and ({size},), found "
            f"{tuple(draws.rows.shape)} and {tuple(draws.offset.shape)}"
        )
    lengths = group.lengths[:, None].to(draws.rows.device)
    if bool((draws.rows >= lengths).any()) or bool((draws.rows < 0).all(1).any()):
        raise ValueError("expected at least one drawn row per video, all below its length")
    device = group.mask.device
    return GTCCDraws(draws.rows.to(device), draws.offset.to(device))


def _check_drop(drop: Tensor | None, group: Group) -> None:
    expected = (len(group.lengths), group.embeddings.shape[-1] + 1)
    if drop is not None and drop.shape != expected:
        raise ValueError(f"expected drop weights of shape {expected}, found {tuple(drop.shape)}")


def _check(
    temperature: float, window: float, drop_floor: float, floor: float, variance_weight: float
) -> None:
    if temperature <= 0 or floor <= 0 or variance_weight < 0:
        raise ValueError(
            "expected temperature > 0, reciprocal_floor > 0 and variance_weight >= 0, found "
            f"{temperature}, {floor} and {variance_weight}"
        )
    if not 0 < window <= 1 or not 0 <= drop_floor <= 1:
        raise ValueError(
            f"expected window in (0, 1] and drop_floor in [0, 1], found {window} and {drop_floor}"
        )
