"""The alignment half of joint training: a group's embeddings and their alignment loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from progfix.alignment import alignment_loss, pad_videos
from progfix.encoders import Encoder
from progfix.training.recipe import Method

__all__ = ["aligned_group", "frames_to_align"]


def aligned_group(
    encoder: Encoder,
    features: Sequence[Tensor],
    method: Method,
    rng: np.random.Generator,
    *,
    step: int,
    epoch: int,
    bf16: bool = False,
) -> tuple[list[Tensor], Tensor]:
    """Embed the videos of a group and compare them with each other.

    Args:
        encoder: The encoder in training.
        features: `(T, ...)` of each video of the group.
        method: How to compare.
        rng: Source of the draws: frames, and GTCC's own.
        step: Steps taken so far, for the method's schedule.
        epoch: Epochs completed so far, likewise.
        bf16: Compute the encoder in bfloat16 where that loses little. What it returns is
            compared in float32: the losses' sums and exponentials need it.

    Returns:
        The embeddings `(T, D)` of whole videos, and the scalar alignment loss of the
        group; both with gradients for the encoder.
    """
    drop = None
    with torch.autocast(features[0].device.type, torch.bfloat16, enabled=bf16):
        embeddings = [encoder(video) for video in features]
        if encoder.dropout is not None:
            drop = torch.stack([encoder.dropout(video).mean(dim=0) for video in embeddings])
    if bf16:
        embeddings = [video.float() for video in embeddings]
        drop = None if drop is None else drop.float()
    chosen = [
        video[torch.from_numpy(frames_to_align(len(video), method.frames, rng)).to(video.device)]
        for video in embeddings
    ]
    padded, lengths = pad_videos(chosen)
    generator = torch.Generator(padded.device).manual_seed(int(rng.integers(2**63 - 1)))
    loss = alignment_loss(
        method.name,
        padded,
        lengths,
        drop=drop,
        generator=generator,
        step=step,
        epoch=epoch,
        mode=method.losses,
    )
    return embeddings, loss


def frames_to_align(length: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the frames of a video that the alignment loss compares.

    Args:
        length: Frames of the video, at least 1.
        count: Frames wanted; 0 is all.
        rng: Source of the draws.

    Returns:
        Rising, `(min(count, length),)`: one frame from each of `count` equal stretches, or
        all where there are no more than that.
    """
    if count == 0 or length <= count:
        return np.arange(length)
    edges = np.arange(count + 1) * length // count
    return rng.integers(edges[:-1], edges[1:])
