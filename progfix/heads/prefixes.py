"""Every prefix of a segment as a batch, for heads that do not stream."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["FRAMES_AT_ONCE", "every_prefix"]

FRAMES_AT_ONCE = 200_000
"""Padded prefix frames that are materialised together (100 MB at 128 float32 columns)."""


def every_prefix(
    last: Callable[[Tensor, Tensor], Tensor],
    embeddings: Tensor,
    lengths: Tensor,
    *,
    frames_at_once: int = FRAMES_AT_ONCE,
) -> Tensor:
    """Answer every prefix of padded segments through a function of whole prefixes.

    Args:
        last: Maps `(P, T, D)` and lengths `(P,)` to `(P,)`.
        embeddings: `(B, T, D)`, padded on the right.
        lengths: int64 `(B,)`, 1 to T.
        frames_at_once: Memory budget in padded frames; at least one prefix is taken.

    Returns:
        `(B, T)`, zero beyond a segment's length.
    """
    frames = embeddings.shape[1]
    ends = torch.arange(1, frames + 1, device=lengths.device)
    segment, end = torch.nonzero(ends <= lengths[:, None], as_tuple=True)
    answers = []
    position = 0
    # Ordered by length, so that a chunk is padded to little more than its prefixes need.
    order = torch.argsort(end, stable=True)
    while position < len(order):
        longest_fit = max(1, frames_at_once // (int(end[order[position]]) + 1))
        rows = order[position : position + longest_fit]
        while len(rows) > 1 and len(rows) * (int(end[rows[-1]]) + 1) > frames_at_once:
            rows = rows[: max(1, frames_at_once // (int(end[rows[-1]]) + 1))]
        padded = int(end[rows[-1]]) + 1
        answers.append(last(embeddings[segment[rows], :padded], end[rows] + 1))
        position += len(rows)
    result = torch.zeros(len(lengths), frames, dtype=answers[0].dtype, device=lengths.device)
    return result.index_put((segment[order], end[order]), torch.cat(answers))
