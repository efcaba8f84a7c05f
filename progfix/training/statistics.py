"""Mean and spread of the embeddings over the training segments' frames."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from progfix.data.dataset import Video
from progfix.training.embeddings import EmbeddingCache

__all__ = ["frame_statistics"]


def frame_statistics(videos: Sequence[Video], embeddings: EmbeddingCache) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each embedding column.

    Args:
        videos: Training videos; only frames inside segments count, a frame in two counts
            twice.
        embeddings: Where their embeddings come from.

    Returns:
        Two float32 `(D,)` on the embeddings' device; the deviation is the population's.

    Raises:
        ValueError: If there is no frame.
    """
    embeddings.announce(videos)
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for video in videos:
        whole = embeddings.get(video)
        for segment in video.segments:
            part = whole[segment.start : segment.end + 1].double()
            # Chan, Golub and LeVeque's update: sums of squares would cancel.
            difference = part.mean(dim=0) - mean.to(part)
            total = count + len(part)
            squares = (
                squares.to(part)
                + (part - part.mean(dim=0)).square().sum(dim=0)
                + difference.square() * (count * len(part) / total)
            )
            mean = mean.to(part) + difference * (len(part) / total)
            count = total
    if count == 0:
        raise ValueError("expected at least one frame in a segment, found none")
    return mean.float(), (squares / count).sqrt().float()
