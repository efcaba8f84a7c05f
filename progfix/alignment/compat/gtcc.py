"""GTCC as gerardDonahue/GTCC_CVPR2024 computes it."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.alignment.compat.distances import frame_distances
from progfix.alignment.compat.mixture import fit_mixture_lbfgs
from progfix.alignment.gtcc import GTCCDraws, draw_gtcc
from progfix.alignment.videos import Pairs, group_of, positions

__all__ = ["gtcc"]


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
    n_steps: int = 8,
) -> Tensor:
    """GTCC with that project's deviations from the paper.

    Distances are not squared; the mixtures are fitted row by row with L-BFGS, short of
    convergence; 1 / align is unbounded; the window that looks back ends before the frame
    itself; 20 frames are drawn per video, shorter videos fail there (here: all of them are
    taken); the sum is over frames and ordered pairs.

    Args:
        embeddings: (B, T, D).
        lengths: (B,), frames per video, 1 .. T.
        drop: Weights of the drop function, (B, D + 1), or None (`gamma = 1`).
        drop_floor: gamma^(epoch + 1).
        draws: `GTCCDraws`; offset 1 is the project's margin choice 1. Drawn if None.
        n_components: K.
        window: `delta`.
        temperature: `softmax_temp`.
        n_steps: `max_gmm_iters`.

    Returns:
        A scalar; 0 with a zero gradient for one video alone.

    Raises:
        ValueError: If a shape, dtype or length does not fit.

    Source:
        gerardDonahue/GTCC_CVPR2024, utils/loss_functions.py, GTCC_loss; the same in
        Anish-1221/GTCC_CVPR2024_Reproduce.
    """
    group = group_of(embeddings, lengths, centre=False)
    if len(group.lengths) < 2:
        return group.zero()
    draws = draw_gtcc(group.lengths, max_rows=20) if draws is None else draws
    pairs = group.ordered_pairs()
    rows = draws.rows[pairs.first]
    target = rows.clamp_min(0)
    away = frame_distances(pairs.x, pairs.y, pairs.x_lengths, pairs.y_lengths)
    mass = (-away / temperature).exp().detach()
    mass = mass.gather(1, target[..., None].expand(-1, -1, mass.shape[-1]))
    components, weights = _fit_rows(mass, rows, pairs, n_components, n_steps)
    allowed = _windows(target, draws.offset[pairs.first], pairs, window)
    mean = _cycle_back(components, allowed, pairs, temperature)
    align = ((target[..., None] - mean).square() * weights).sum(-1)
    if drop is not None:
        keep = drop_floor + (1 - drop_floor) * _keep(pairs, drop).gather(1, target)
        safe = torch.where(rows >= 0, align, 1)
        align = keep * safe + (1 - keep) / safe
    return align.masked_fill(rows < 0, 0).sum()


def _fit_rows(
    mass: Tensor, rows: Tensor, pairs: Pairs, n_components: int, n_steps: int
) -> tuple[Tensor, Tensor]:
    """Fit each drawn row by itself: components (P, R, K, M) and weights (P, R, K)."""
    size, count, frames = mass.shape
    components = mass.new_zeros(size, count, n_components, frames)
    weights = mass.new_zeros(size, count, n_components)
    for pair, row in (rows >= 0).nonzero().tolist():
        length = int(pairs.y_lengths[pair])
        likeness = mass[pair, :, :length]
        # Summed over the unpadded rows at once: the order of the sum steers the fit.
        alpha = likeness[row] / likeness.sum(1)[row]
        density, share = fit_mixture_lbfgs(alpha, n_components, n_steps=n_steps)
        components[pair, row, :, :length] = density
        weights[pair, row] = share
    return components, weights


def _cycle_back(components: Tensor, allowed: Tensor, pairs: Pairs, temperature: float) -> Tensor:
    """Mean index cycled back to, (P, R, K); the softmax has 1e-6 in its denominator."""
    size, count, n_components, _ = components.shape
    neighbours = components.flatten(1, 2) @ pairs.y
    distance = torch.cdist(neighbours, pairs.x).view(size, count, n_components, -1)
    mass = (-distance / temperature).exp() * allowed[:, :, None]
    beta = mass / (mass.sum(-1, keepdim=True) + 1e-6)
    return beta @ positions(pairs.x.shape[1], beta)


def _windows(target: Tensor, offset: Tensor, pairs: Pairs, share: float) -> Tensor:
    """Frames that each row may cycle back to, (P, R, T).

    [i, i + width) ahead or [i - width, i) back; a frame among the first (last) `width` may
    always reach all of the first (last) `width`.
    """
    lengths = pairs.x_lengths[:, None, None]
    width = (lengths.double() * share).round()  # to even on ties, as Python's round
    row, column = target[..., None], torch.arange(pairs.x.shape[1], device=target.device)
    back = offset[:, None, None] * width
    inside = (column >= row - back) & (column < row + width - back)
    first = (row < width) & (column < width)
    last = (row >= lengths - width) & (column >= lengths - width)
    return (inside | first | last) & pairs.x_mask[:, None]


def _keep(pairs: Pairs, drop: Tensor) -> Tensor:
    """Sigmoid of each frame's standardised drop score (unbiased deviation), (P, T)."""
    weights = drop[pairs.second]
    scores = (pairs.x @ weights[:, :-1, None]).squeeze(-1) + weights[:, -1:]
    count = pairs.x_lengths[:, None]
    mean = scores.masked_fill(~pairs.x_mask, 0).sum(-1, keepdim=True) / count
    centred = (scores - mean).masked_fill(~pairs.x_mask, 0)
    variance = centred.square().sum(-1, keepdim=True) / (count - 1)
    return torch.sigmoid(centred / variance.sqrt())
