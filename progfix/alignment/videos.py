"""A group of videos as one padded tensor: validation, masks, and its pairs.

Every alignment loss takes the same two arguments, `embeddings` (B, T, D) and `lengths`
(B,), and compares all videos of the group with each other. What they share is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Group", "Pairs", "full_precision", "group_of", "pad_videos", "positions"]


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch autocast off: distances and exponentials in 8 mantissa bits are no loss."""
    with torch.autocast(device_type=device.type, enabled=False):
        yield


def pad_videos(videos: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack videos of different lengths.

    Args:
        videos: B tensors of shape (T_b, D).

    Returns:
        Embeddings (B, max T_b, D), zero beyond each video's end, and lengths (B,), int64.

    Raises:
        ValueError: If there is no video.
    """
    if not videos:
        raise ValueError("expected at least one video, found none")
    lengths = torch.tensor([len(video) for video in videos], device=videos[0].device)
    return torch.nn.utils.rnn.pad_sequence(list(videos), batch_first=True), lengths


def positions(length: int, like: Tensor) -> Tensor:
    """Frame indices 0 .. length - 1 as numbers, (length,), in the dtype of `like`."""
    return torch.arange(length, dtype=like.dtype, device=like.device)


@dataclass(frozen=True)
class Pairs:
    """P pairs of videos of a group, ready to compare.

    Attributes:
        first: Index of the first video of each pair, (P,).
        second: Index of the second, (P,).
        x: Embeddings of the first, (P, T, D).
        y: Embeddings of the second, (P, T, D).
        group: The group they are of.
    """

    first: Tensor
    second: Tensor
    x: Tensor
    y: Tensor
    group: Group

    def __len__(self) -> int:
        """Return P."""
        return len(self.first)

    @property
    def x_mask(self) -> Tensor:
        """True on frames of the first, (P, T)."""
        return self.group.mask.index_select(0, self.first)

    @property
    def y_mask(self) -> Tensor:
        """True on frames of the second, (P, T)."""
        return self.group.mask.index_select(0, self.second)

    @property
    def x_lengths(self) -> Tensor:
        """Frames of the first, (P,)."""
        return self.group.lengths.index_select(0, self.first)

    @property
    def y_lengths(self) -> Tensor:
        """Frames of the second, (P,)."""
        return self.group.lengths.index_select(0, self.second)


@dataclass(frozen=True)
class Group:
    """The videos that one loss value is taken over.

    Attributes:
        embeddings: (B, T, D), float32 or float64, exactly 0 on padding.
        lengths: (B,), int64.
        mask: (B, T), True on frames, False on padding.
        padded: Whether there is any padding; without, masking is skipped.
    """

    embeddings: Tensor
    lengths: Tensor
    mask: Tensor
    padded: bool

    def zero(self) -> Tensor:
        """A scalar 0 that still carries a (zero) gradient to every embedding."""
        return (self.embeddings * 0).sum()

    def ordered_pairs(self, *, include_self: bool = False) -> Pairs:
        """All (i, j), i != j, row by row: B (B - 1) pairs, or B^2 with the self-pairs."""
        size = len(self.lengths)
        grid = torch.ones(size, size, dtype=torch.bool, device=self.lengths.device)
        if not include_self:
            grid.fill_diagonal_(False)
        return self._pairs(grid)

    def unordered_pairs(self) -> Pairs:
        """All (i, j), i < j: B (B - 1) / 2 pairs, for losses that are symmetric."""
        size = len(self.lengths)
        grid = torch.ones(size, size, dtype=torch.bool, device=self.lengths.device)
        return self._pairs(grid.triu(1))

    def _pairs(self, grid: Tensor) -> Pairs:
        first, second = grid.nonzero(as_tuple=True)
        return Pairs(
            first=first,
            second=second,
            x=self.embeddings.index_select(0, first),
            y=self.embeddings.index_select(0, second),
            group=self,
        )


def group_of(embeddings: Tensor, lengths: Tensor, *, centre: bool = True) -> Group:
    """Check a padded batch and bring it into the form that the losses compute with.

    Half precision is widened to float32. The mean frame is taken off (`centre`): every loss
    depends on differences alone, and embeddings far from the origin would otherwise lose
    them to rounding.

    Args:
        embeddings: (B, T, D), any floating dtype. Padding may hold anything, NaN included.
        lengths: (B,), integers in 1 .. T.
        centre: Whether to subtract the mean over all frames (a constant to the gradient).

    Raises:
        ValueError: If a shape, a dtype or a length is not as above.
    """
    padded = _check(embeddings, lengths) < embeddings.shape[1]
    lengths = lengths.to(device=embeddings.device, dtype=torch.int64)
    wide = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
    mask = torch.arange(wide.shape[1], device=wide.device) < lengths[:, None]
    frames = wide.masked_fill(~mask[..., None], 0) if padded else wide
    if centre:
        frames = frames - frames.detach().sum((0, 1)) / lengths.sum()
        frames = frames.masked_fill(~mask[..., None], 0) if padded else frames
    return Group(frames, lengths, mask, padded)


def _check(embeddings: Tensor, lengths: Tensor) -> int:
    """Raise if anything is off; returns the shortest length."""
    if embeddings.ndim != 3 or 0 in embeddings.shape:
        raise ValueError(
            f"expected embeddings of shape (videos, frames, dimensions), all at least 1, "
            f"found {tuple(embeddings.shape)}"
        )
    if not embeddings.is_floating_point():
        raise ValueError(f"expected floating-point embeddings, found {embeddings.dtype}")
    if lengths.shape != embeddings.shape[:1]:
        raise ValueError(
            f"expected one length per video, shape ({embeddings.shape[0]},), "
            f"found {tuple(lengths.shape)}"
        )
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise ValueError(f"expected integer lengths, found {lengths.dtype}")
    low, high = (int(bound) for bound in lengths.aminmax())
    if low < 1 or high > embeddings.shape[1]:
        raise ValueError(
            f"expected lengths in 1 .. {embeddings.shape[1]} (the padded length), "
            f"found {low} .. {high}"
        )
    return low
