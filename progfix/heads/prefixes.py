"""Every prefix of a segment as a batch, for heads that do not stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

__all__ = ["FRAMES_AT_ONCE", "every_prefix"]

FRAMES_AT_ONCE = 100_000
"""Padded prefix frames that are materialised together (50 MB at 128 float32 columns)."""


def every_prefix(
    last: Callable[[Tensor, Tensor], Tensor],
    embeddings: Tensor,
    lengths: Tensor,
    *,
    frames_at_once: int = FRAMES_AT_ONCE,
) -> Tensor:
    """Answer every prefix of padded segments through a function of whole prefixes.

    Prefixes are taken in chunks of similar length. With gradients and more than one chunk,
    a chunk's activations are computed again in the backward pass instead of being kept, so
    that memory stays within the budget at a third more work.

    Args:
        last: Maps `(P, T, D)` and lengths `(P,)` to `(P, K)`.
        embeddings: `(B, T, D)`, padded on the right.
        lengths: int64 `(B,)`, 1 to T.
        frames_at_once: Memory budget in padded frames; at least one prefix is taken.

    Returns:
        `(B, T, K)`, zero beyond a segment's length.
    """
    frames = embeddings.shape[1]
    ends = torch.arange(1, frames + 1, device=lengths.device)
    segment, end = torch.nonzero(ends <= lengths[:, None], as_tuple=True)
    order = torch.argsort(end, stable=True)
    segment, end = segment[order], end[order]

    def answer(source: Tensor, rows: Tensor, sizes: Tensor) -> Tensor:
        return last(source[rows, : int(sizes[-1])], sizes)

    chunks = list(_chunks((end + 1).tolist(), frames_at_once))
    answers: list[Tensor] = []
    for chunk in chunks:
        inputs = (embeddings, segment[chunk], end[chunk] + 1)
        if torch.is_grad_enabled() and len(chunks) > 1:
            answers.append(checkpoint(answer, *inputs, use_reentrant=False))
        else:
            answers.append(answer(*inputs))
    values = torch.cat(answers)
    result = values.new_zeros(len(lengths), frames, values.shape[1])
    return result.index_put((segment, end), values)


def _chunks(sizes: list[int], budget: int) -> Iterator[slice]:
    """Cut prefixes, ordered by size, so that count x longest stays within the budget."""
    first = 0
    for place, size in enumerate(sizes):
        if place > first and (place - first + 1) * size > budget:
            yield slice(first, place)
            first = place
    yield slice(first, len(sizes))
