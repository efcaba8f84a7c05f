"""Soft nearest neighbours, and the frame index that a cycle comes back to.

Embeddings are scaled once by sqrt(2 / (D temperature)); the logits -|x - y|^2 / (D temperature)
are then x . y - |y|^2 / 2 up to a term common to a row, which a softmax ignores: one matrix
product, and nothing else of the size of all pairs of frames.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from progfix.alignment.videos import Group, Pairs, positions

__all__ = ["cycle_logits", "offsets", "scaled_by", "similarities", "soft_index"]


def scaled_by(group: Group, temperature: float) -> Group:
    """The group with embeddings times sqrt(2 / (D temperature)), temperature > 0."""
    scale = (2 / (group.embeddings.shape[-1] * temperature)) ** 0.5
    return replace(group, embeddings=group.embeddings * scale)


def offsets(group: Group) -> Tensor:
    """-|y|^2 / 2 of each frame of a scaled group, -inf on padding, (B, T)."""
    half = group.embeddings.square().sum(-1) * -0.5
    return half.masked_fill(~group.mask, -torch.inf) if group.padded else half


def similarities(pairs: Pairs) -> Tensor:
    """Inner products x_i . y_j of a scaled group's pairs, (P, T, T)."""
    return pairs.x @ pairs.y.mT


def cycle_logits(assignment: Tensor, pairs: Pairs, similarity: Tensor, x_offsets: Tensor) -> Tensor:
    """Logits of the way back from neighbours v = assignment @ y to the frames of x.

    (assignment y) x' and assignment (y x') are the same; the second reuses the similarities
    and is the cheaper for videos of up to about twice as many frames as dimensions.

    Args:
        assignment: (P, Q, T), rows over y summing to 1.
        pairs: Of a scaled group.
        similarity: Theirs, (P, T, T).
        x_offsets: Of x's frames, (P, T).

    Returns:
        (P, Q, T), -inf on x's padding.
    """
    offset = x_offsets[:, None]
    if pairs.x.shape[1] <= 2 * pairs.x.shape[2]:
        return torch.baddbmm(offset, assignment, similarity.mT)
    return torch.baddbmm(offset, assignment @ pairs.y, pairs.x.mT)


def soft_index(logits: Tensor, blocked: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and variance of the index under softmax(logits) along the last dimension.

    Args:
        logits: (..., T).
        blocked: Indices not allowed, broadcastable to logits; at least one per row must be.

    Returns:
        mu = sum_k beta_k k and sum_k beta_k (k - mu)^2, (...) each, in frames and frames^2.
        One backward pass for both, d/dlogit_k = beta_k (k - mu) and beta_k ((k - mu)^2 - var);
        not twice differentiable.
    """
    mean, variance = _SoftIndex.apply(logits, blocked)  # type: ignore[no-untyped-call]
    return mean, variance


class _SoftIndex(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, blocked: Tensor | None) -> tuple[Tensor, Tensor]:
        if blocked is not None:
            logits = logits.masked_fill(blocked, -torch.inf)
        beta = logits.softmax(-1)
        index = positions(logits.shape[-1], logits)
        mean = beta @ index
        variance = (index - mean[..., None]).square_().mul_(beta).sum(-1)
        ctx.save_for_backward(beta, mean, variance)
        ctx.set_materialize_grads(value=False)
        return mean, variance

    @staticmethod
    @once_differentiable
    def backward(
        ctx: FunctionCtx, mean_grad: Tensor | None, variance_grad: Tensor | None
    ) -> tuple[Tensor | None, None]:
        beta, mean, variance = ctx.saved_tensors  # type: ignore[attr-defined]
        deviation = positions(beta.shape[-1], beta) - mean[..., None]
        if variance_grad is None:
            if mean_grad is None:
                return None, None
            return deviation.mul_(mean_grad[..., None]).mul_(beta), None
        # beta (g_m d + g_v (d^2 - var)), as beta ((g_v d + g_m) d - g_v var)
        slope = torch.zeros_like(mean) if mean_grad is None else mean_grad
        factor = torch.addcmul(slope[..., None], variance_grad[..., None], deviation)
        factor.mul_(deviation).sub_((variance_grad * variance)[..., None])
        return factor.mul_(beta), None
