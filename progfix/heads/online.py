"""One frame at a time: what a head carries between frames and what it answers at each."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["OnlineAnswer", "State"]

State = tuple[Tensor, ...]
"""What a head carries from one frame to the next, of B segments. The first entry is the
elapsed, int64 `(B,)`; what follows belongs to the head. Every entry has the segment as its
first axis, and no size grows with the elapsed."""


class OnlineAnswer(NamedTuple):
    """The answer at the current frame of each of B segments, `(B,)` per entry.

    Attributes:
        progress: In [0, 1]; where the head answers a distribution, its median.
        lower: Lower end of the 80 % interval; None where the head gives none.
        upper: Its upper end, or None.
        lower_50: Lower end of the 50 % interval, or None.
        upper_50: Its upper end, or None.
        lower_95: Lower end of the 95 % interval, or None.
        upper_95: Its upper end, or None.
        remaining: Frames left, the current one included: the median, so that `progress` is
            elapsed / (elapsed - 1 + remaining); None where the head does not answer how
            long is left. Seconds left are (remaining - 1) / fps.
        expected_remaining: The mean of the distribution of which `remaining` is the
            median, or None.
    """

    progress: Tensor
    lower: Tensor | None = None
    upper: Tensor | None = None
    lower_50: Tensor | None = None
    upper_50: Tensor | None = None
    lower_95: Tensor | None = None
    upper_95: Tensor | None = None
    remaining: Tensor | None = None
    expected_remaining: Tensor | None = None
