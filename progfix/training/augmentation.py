"""Segments of a batch, cut out and varied: time warp and feature noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from progfix.data.dataset import Segment, Video
from progfix.training.recipe import Augmentation

__all__ = ["vary", "warp_frames"]


def warp_frames(duration: int, factor: float) -> Tensor:
    """Return which frames make a segment that lasts `factor` times as long.

    Args:
        duration: Frames of the segment, at least 1.
        factor: Above 0.

    Returns:
        int64 `(max(1, round(duration * factor)),)`, rising, from the first to the last
        frame where there are two or more.
    """
    count = max(1, round(duration * factor))
    return torch.linspace(0, duration - 1, count).round().long()


def vary(
    videos: Sequence[Video],
    embeddings: Sequence[Tensor],
    augmentation: Augmentation,
    deviation: Tensor,
    rng: np.random.Generator,
) -> tuple[list[Tensor], list[list[Segment]]]:
    """Return a batch of videos with their segments varied and their background left out.

    Args:
        videos: The batch.
        embeddings: `(T, D)` of each.
        augmentation: How much to vary.
        deviation: Standard deviation of each column over the training frames, `(D,)`.
        rng: Source of the draws.

    Returns:
        For each video the embeddings of its segments, one after the other, `(T', D)`, and
        where they are in it, actions and censoring unchanged. Progress follows the warp: a
        segment played faster has a smaller duration.
    """
    pieces = [
        [_varied(whole[s.start : s.end + 1], augmentation, deviation, rng) for s in v.segments]
        for v, whole in zip(videos, embeddings, strict=True)
    ]
    placed = []
    for video, parts in zip(videos, pieces, strict=True):
        ends = np.cumsum([len(part) for part in parts])
        placed.append(
            [
                replace(segment, start=int(end) - len(part), end=int(end) - 1)
                for segment, part, end in zip(video.segments, parts, ends, strict=True)
            ]
        )
    return [torch.cat(parts) for parts in pieces], placed


def _varied(
    piece: Tensor, augmentation: Augmentation, deviation: Tensor, rng: np.random.Generator
) -> Tensor:
    if augmentation.time_warp:
        factor = math.exp(rng.uniform(-augmentation.time_warp, augmentation.time_warp))
        piece = piece[warp_frames(len(piece), factor).to(piece.device)]
    if augmentation.feature_noise:
        # Drawn on the CPU, so that a run draws the same on every device.
        seed = int(rng.integers(2**63 - 1))
        noise = torch.randn(piece.shape, generator=torch.Generator().manual_seed(seed))
        piece = piece + augmentation.feature_noise * deviation * noise.to(piece)
    return piece
