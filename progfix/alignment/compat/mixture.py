"""Mixture fits by L-BFGS, one row at a time, as gerardDonahue/GTCC_CVPR2024 makes them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["fit_mixture_lbfgs"]

_TINY = 1e-30


def fit_mixture_lbfgs(
    probabilities: Tensor, n_components: int, *, n_steps: int = 8
) -> tuple[Tensor, Tensor]:
    """Minimise KL(p || q) + KL(q || p) over a mixture q of K Gaussians on the frame grid.

    Kept as it is for its trajectory: it stops before it has converged, so that another
    optimiser gives other values. `progfix.alignment.mixture.fit_mixture` is the better fit.

    Args:
        probabilities: (M,), summing to 1.
        n_components: K, >= 1.
        n_steps: `max_gmm_iters`: steps of up to 4 iterations each.

    Returns:
        Components (K, M), each summing to 1, and weights (K,), detached.

    Source:
        gerardDonahue/GTCC_CVPR2024, utils/tensorops.py, get_gmm_lfbgf: means start at
        1 + k (M - 2) / K, variances at M and are kept at 0.5 or more, learning rate 0.5,
        history 10, strong Wolfe line search.
    """
    target = probabilities.detach().float()
    frames = len(target)
    index = torch.arange(frames, dtype=torch.float32, device=target.device)
    order = torch.arange(n_components, dtype=torch.float64, device=target.device)
    means = (1 + order * (frames - 2) / n_components).float().requires_grad_()
    variances = torch.full_like(means, frames).requires_grad_()
    scores = torch.ones_like(means).requires_grad_()
    log_target = (target + _TINY).log()

    def components() -> Tensor:
        deviation = variances.clamp_min(0.5).sqrt()[:, None]
        z = (index - means.clamp(0, frames - 1)[:, None]) / deviation
        density = (-0.5 * z.square()).exp() / (deviation * math.sqrt(2 * math.pi))
        return (density.T / density.sum(1)).T

    optimiser = torch.optim.LBFGS(
        [means, variances, scores],
        lr=0.5,
        max_iter=4,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        mixture = scores.softmax(0) @ components()
        log_mixture = (mixture + _TINY).log()
        # Two sums, not one: rounding steers a trajectory that is cut short.
        forward = (target * (log_target - log_mixture)).sum()
        divergence = forward + (mixture * (log_mixture - log_target)).sum()
        divergence.backward()
        return divergence

    with torch.enable_grad():
        for _ in range(n_steps):
            optimiser.step(closure)
    return components().detach(), scores.softmax(0).detach()
