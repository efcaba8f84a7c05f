"""How many CPU threads a small recurrence should use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["SMALL_BATCH", "threads_for"]

SMALL_BATCH = 256
"""Sequences up to which one thread is fastest: a GRU step on them is a few microseconds of
arithmetic, less than it costs to wake other threads; on a busy machine waiting for them
costs ten times the work itself."""


@contextmanager
def threads_for(sequences: int) -> Iterator[None]:
    """Use one CPU thread inside the block for a small batch; restore the number after.

    Args:
        sequences: Sequences that go through a recurrence together.
    """
    before = torch.get_num_threads()
    if sequences <= SMALL_BATCH and before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
