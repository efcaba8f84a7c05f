"""Padded batches to packed ones, in one gather."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = ["pack"]


def pack(padded: Tensor, lengths: Tensor) -> PackedSequence:
    """Return what `torch.nn.utils.rnn.pack_padded_sequence` does, without sorting a copy first.

    Args:
        padded: `(B, T, D)`, padded on the right.
        lengths: int64 `(B,)`, 1 to T, on any device.

    Returns:
        The sequences, ordered by length; what is computed with them comes back in the order
        given.
    """
    lengths = lengths.cpu()
    order = lengths.argsort(descending=True, stable=True)
    running = lengths[order] > torch.arange(int(lengths.max()))[:, None]
    frame, rank = running.nonzero(as_tuple=True)
    rows = (order[rank] * padded.shape[1] + frame).to(padded.device)
    return PackedSequence(
        padded.flatten(0, 1).index_select(0, rows),
        running.sum(dim=1),
        order.to(padded.device),
        order.argsort().to(padded.device),
    )
