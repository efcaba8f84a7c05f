"""Gaussian mixtures over frame indices, fitted to many distributions at once by EM."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from progfix.alignment.videos import positions

__all__ = ["VARIANCE_FLOOR", "Mixture", "fit_mixture"]

VARIANCE_FLOOR = 0.5
"""Smallest variance of a component, frames^2 (gerardDonahue/GTCC_CVPR2024,
utils/tensorops.py)."""

_CACHED_ELEMENTS = 250_000
"""Responsibilities worked on at once on a CPU: about what fits its second-level cache."""


@dataclass(frozen=True)
class Mixture:
    """R mixtures of K Gaussians.

    Attributes:
        means: (R, K), frame indices.
        variances: (R, K), frames^2, at least the floor.
        weights: (R, K), >= 0, each row summing to 1.
    """

    means: Tensor
    variances: Tensor
    weights: Tensor

    def components(self, mask: Tensor) -> Tensor:
        """Each component as a distribution over the frames that exist.

        Args:
            mask: (R, M), at least one True per row.

        Returns:
            (R, K, M), summing to 1 over M, exactly 0 outside of the mask.
        """
        index = positions(mask.shape[1], self.means)
        parts = _rows_at_once(mask, self.means.shape[1])
        out = self.means.new_empty(*self.means.shape, mask.shape[1])
        blocked = None if bool(mask.all()) else ~mask[:, None]
        for rows in parts:
            scale = (2 * self.variances[rows, :, None]).rsqrt()
            score = ((index - self.means[rows, :, None]) * scale).square_().neg_()
            if blocked is not None:
                score.masked_fill_(blocked[rows], -torch.inf)
            torch.softmax(score, dim=-1, out=out[rows])
        return out


def _rows_at_once(values: Tensor, n_components: int) -> list[slice]:
    """Slices of the rows of `values` (R, M) that are worked on together."""
    rows, frames = values.shape
    step = rows
    if values.device.type == "cpu":
        step = max(1, _CACHED_ELEMENTS // (n_components * frames))
    return [slice(start, start + step) for start in range(0, rows, step)]


@torch.no_grad()
def fit_mixture(
    probabilities: Tensor,
    lengths: Tensor,
    n_components: int,
    *,
    n_iterations: int = 10,
    variance_floor: float = VARIANCE_FLOOR,
) -> Mixture:
    """Fit a mixture to each row by expectation-maximisation, vectorised over rows.

    Components start evenly over the row's frames, wide enough to overlap, so that every mode
    has one near it. Responsibilities are softmaxes of log densities.

    Args:
        probabilities: (R, M), >= 0, each row summing to 1 over its first `lengths` frames
            and 0 beyond.
        lengths: (R,), frames of each row, 1 .. M.
        n_components: K, >= 1.
        n_iterations: EM steps, >= 1.
        variance_floor: Smallest variance, frames^2, > 0.

    Returns:
        The mixtures, without gradient.

    Raises:
        ValueError: If n_components, n_iterations or variance_floor is out of range.

    Source:
        Dempster, Laird and Rubin, Maximum Likelihood from Incomplete Data via the EM
        Algorithm, 1977; as a model of soft nearest neighbours: Donahue and Elhamifar,
        Learning to Predict Activity Progress by Self-Supervised Video Alignment, CVPR 2024.
    """
    if n_components < 1 or n_iterations < 1 or variance_floor <= 0:
        raise ValueError(
            "expected n_components >= 1, n_iterations >= 1 and variance_floor > 0, found "
            f"{n_components}, {n_iterations} and {variance_floor}"
        )
    fits = [
        _fit(probabilities[rows], lengths[rows], n_components, n_iterations, variance_floor)
        for rows in _rows_at_once(probabilities, n_components)
    ]
    means, variances, weights = (torch.cat(part) for part in zip(*fits, strict=True))
    return Mixture(means, variances, weights)


def _fit(
    probabilities: Tensor, lengths: Tensor, count: int, n_iterations: int, floor: float
) -> tuple[Tensor, Tensor, Tensor]:
    rows, frames = probabilities.shape
    centre = (frames - 1) / 2  # indices are counted from here: half the rounding error
    index = positions(frames, probabilities) - centre
    features = torch.stack([index, torch.ones_like(index)])
    share = (positions(count, probabilities) + 0.5) / count
    mean = lengths[:, None] * share - (0.5 + centre)
    variance = (lengths[:, None] / (2 * count)).square().expand(rows, count).clamp_min(floor)
    variance = variance.to(mean.dtype)
    weight = torch.full_like(mean, 1 / count)
    for _ in range(n_iterations):
        inverse = (2 * variance).rsqrt()
        # (index - mean) * inverse as one product of inner size 2: a single pass over (R, K, M).
        squares = torch.stack([inverse, -mean * inverse], -1).view(-1, 2) @ features
        squares = squares.view(rows, count, frames).square_()
        log_scale = (weight * inverse).log()[..., None]
        joint = torch.softmax(log_scale - squares, dim=1).mul_(probabilities[:, None])
        weight, mean, variance = _maximise(joint, squares, index, mean, variance, floor)
    return mean + centre, variance, weight


def _maximise(
    joint: Tensor, squares: Tensor, index: Tensor, mean: Tensor, variance: Tensor, floor: float
) -> tuple[Tensor, Tensor, Tensor]:
    """New weights, means and variances; a component without mass stays where it is."""
    mass = joint.sum(-1)
    safe = mass.clamp_min(math.sqrt(torch.finfo(mass.dtype).tiny))
    alive = mass >= safe
    moved = torch.where(alive, (joint @ index) / safe, mean)
    # Second moment about the old mean: squares are already at hand, and nothing cancels.
    spread = squares.mul_(joint).sum(-1) * 2 * variance / safe
    spread = (spread - (moved - mean).square()).clamp_min(floor)
    weight = safe / safe.sum(-1, keepdim=True)
    return weight, moved, torch.where(alive, spread, variance)
