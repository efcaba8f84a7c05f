"""Video alignment with variations in action order (VAVA): transport with temporal priors.

    T = argmin <T, D> - lambda1 I(T) + lambda2 KL(T || P),   marginals uniform,
    loss(X, Y) = <T, D> / dims + contrast_weight (C(X) + C(Y) + C(X, Y)).

D holds the squared distances, bordered by a virtual frame at cost zeta that takes what matches
nothing. I and P are the inverse difference moment and the prior density of `temporal_priors`,
inside the problem: its kernel is P exp((lambda1 moment - D) / lambda2).

C(X) is the intra-video contrast per dimension, a mean over pairs of frames, far pairs with
weight 1 and near ones with 1/((i - j)^2 + 1). C(X, Y) = softplus((best - worst) /
inter_temperature) wants each frame nearer to its most than to its least transported
counterpart (mean squared distances per dimension, X's plus Y's frames).

Source: Liu et al., Learning to Align Sequential Actions in the Wild, CVPR 2022, section 3;
settings: the authors' published loss.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad, softplus

from progfix.alignment.contrast import intra_video_contrast, time_gaps
from progfix.alignment.distances import squared_distances
from progfix.alignment.priors import Priors, temporal_priors
from progfix.alignment.sinkhorn import sinkhorn
from progfix.alignment.videos import Group, Pairs, full_precision, group_of

__all__ = ["consistency_share", "vava"]


def consistency_share(step: int) -> float:
    """Share of the consistency prior, phi, after `step` training steps.

    phi = 0.999^floor(sqrt(step + 1)), within [0.001, 0.999].

    The diagonal prior leads at first and yields to the best matches as embeddings improve.

    Raises:
        ValueError: If step is negative.
    """
    if step < 0:
        raise ValueError(f"expected step >= 0, found {step}")
    return min(max(0.999 ** math.isqrt(step + 1), 0.001), 0.999)


def vava(
    embeddings: Tensor,
    lengths: Tensor,
    *,
    phi: float = 0.999,
    lambda1: float = 1.0,
    lambda2: float = 0.1,
    scale_with_length: bool = True,
    zeta: float = 0.5,
    prior_width: float = 2.0,
    virtual_distance: float = 5.0,
    contrast_weight: float = 0.5,
    window: float = 15,
    margin: float = 2.0,
    inter_temperature: float = 0.5,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
) -> Tensor:
    """Optimal transport under temporal priors plus contrast, a mean over unordered pairs.

    Args:
        embeddings: (B, T, D); half precision is computed in float32.
        lengths: (B,), frames per video, 1 .. T.
        phi: Share of the consistency prior, in (0, 1); see `consistency_share`.
        lambda1: Weight of the inverse difference moment, >= 0, squared embedding units.
        lambda2: Weight of the Kullback-Leibler term, > 0, squared embedding units.
        scale_with_length: Multiply lambda1 by N + M, lambda2 by N M / 4, as the authors do.
        zeta: Cost of the virtual frame, >= 0, squared embedding units.
        prior_width: Deviation of the Gaussian priors, > 0, frames.
        virtual_distance: Prior distance of the virtual frame, > 0, frames.
        contrast_weight: Weight of the three contrast terms, >= 0.
        window: Half-width of a frame's neighbourhood, frames, >= 0.
        margin: Contrast margin, > 0, squared embedding units per dimension.
        inter_temperature: Softness of C(X, Y), > 0, same units.
        max_iterations: Sinkhorn iterations at most, >= 1.
        tolerance: Marginal error (L1) at which Sinkhorn stops, > 0.

    Returns:
        A scalar. Without a second video: its contrast, as if paired with itself.

    Raises:
        ValueError: If a shape, dtype or length does not fit, or a parameter is out of range.
    """
    scales = (lambda2, prior_width, virtual_distance, margin, inter_temperature)
    _check(phi, (lambda1, zeta, contrast_weight, window), scales)
    with full_precision(embeddings.device):
        group = group_of(embeddings, lengths)
        within = contrast_weight * _contrast(group, window, margin)
        if len(group.lengths) < 2:
            return 2 * within.sum()
        pairs = group.unordered_pairs()
        distance = squared_distances(pairs.x, pairs.y)
        cost = pad(distance, (1, 0, 1, 0), value=zeta)
        priors = temporal_priors(distance, pairs, phi, prior_width, virtual_distance)
        weights = _weights(pairs, lambda1, lambda2, scale_with_length)
        plan = transport_plan(cost, priors, pairs, *weights, tolerance, max_iterations)
        between = contrast_weight * _between(distance, plan.detach(), pairs, inter_temperature)
        transport = (plan * cost).sum((1, 2)) / embeddings.shape[-1]
        return (transport + within[pairs.first] + within[pairs.second] + between).mean()


def _weights(
    pairs: Pairs, lambda1: float, lambda2: float, scale_with_length: bool
) -> tuple[Tensor, Tensor]:
    """Both lambdas of each pair, (P,) each."""
    n, m = pairs.x_lengths, pairs.y_lengths
    ones = torch.ones_like(n, dtype=pairs.x.dtype)
    if not scale_with_length:
        return lambda1 * ones, lambda2 * ones
    return lambda1 * ones * (n + m), lambda2 * ones * n * m / 4


def transport_plan(
    cost: Tensor,
    priors: Priors,
    pairs: Pairs,
    lambda1: Tensor,
    lambda2: Tensor,
    tolerance: float,
    max_iterations: int,
) -> Tensor:
    """Solve for T, virtual frames included.

    Args:
        cost: (P, N + 1, M + 1), the virtual frame first.
        priors: Of the same shape.
        pairs: For masks and lengths.
        lambda1: Weight of the inverse difference moment, (P,).
        lambda2: Weight of the Kullback-Leibler term, (P,).
        tolerance: Marginal error (L1) to stop at.
        max_iterations: Iterations at most.

    Returns:
        (P, N + 1, M + 1), 0 on padding, differentiable with respect to cost.
    """
    prior = lambda1[:, None, None] * priors.moment
    prior = prior + lambda2[:, None, None] * priors.log_density
    return sinkhorn(
        cost - prior,
        lambda2,
        _uniform(pairs.x_mask, cost),
        _uniform(pairs.y_mask, cost),
        tolerance=tolerance,
        max_iterations=max_iterations,
    ).plan


def _uniform(mask: Tensor, like: Tensor) -> Tensor:
    weights = pad(mask, (1, 0), value=True).to(like.dtype)
    return weights / weights.sum(-1, keepdim=True)


def _between(distance: Tensor, plan: Tensor, pairs: Pairs, temperature: float) -> Tensor:
    """C(X, Y): softplus of how much farther the best counterpart is than the worst, (P,)."""
    share, dims = plan[:, 1:, 1:], pairs.x.shape[-1]
    valid = pairs.x_mask[:, :, None] & pairs.y_mask[:, None, :]
    most, least = share.masked_fill(~valid, -1), share.masked_fill(~valid, 2)
    difference = torch.zeros_like(distance[:, 0, 0])
    for axis, mask in ((2, pairs.x_mask), (1, pairs.y_mask)):
        best = distance.gather(axis, most.argmax(axis, keepdim=True)).squeeze(axis)
        worst = distance.gather(axis, least.argmin(axis, keepdim=True)).squeeze(axis)
        gap = (best - worst).masked_fill(~mask, 0)
        difference = difference + gap.sum(-1) / mask.sum(-1)
    return softplus(difference / (dims * temperature))


def _contrast(group: Group, window: float, margin: float) -> Tensor:
    gaps = time_gaps(group.embeddings.shape[1], group.embeddings)
    total = intra_video_contrast(
        group,
        window=window,
        margin=margin,
        far_weight=torch.ones_like(gaps),
        near_weight=1 / (gaps.square() + 1),
        per_dimension=True,
    )
    return total / group.lengths.square()


def _check(phi: float, at_least_0: tuple[float, ...], positive: tuple[float, ...]) -> None:
    if not 0 < phi < 1:
        raise ValueError(f"expected phi in (0, 1), found {phi}")
    if min(at_least_0) < 0:
        raise ValueError(
            f"expected lambda1, zeta, contrast_weight and window >= 0, found {at_least_0}"
        )
    if min(positive) <= 0:
        raise ValueError(
            "expected lambda2, prior_width, virtual_distance, margin and inter_temperature > 0, "
            f"found {positive}"
        )
