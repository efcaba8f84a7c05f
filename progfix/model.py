"""A progress model: an optional encoder and a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from progfix.heads.base import ProgressHead

__all__ = ["ProgressModel"]


class ProgressModel(nn.Module):
    """Frame features of a video in, embeddings out, and progress of their segments.

    Args:
        encoder: Maps one video's features `(T, ...)` to embeddings `(T, D)`; None feeds
            the features to the head as they are.
        head: The progress head for embeddings of size D.
    """

    def __init__(self, encoder: nn.Module | None, head: ProgressHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def embed(self, features: Tensor) -> Tensor:
        """Return the embeddings of a whole video, `(T, ...)` to `(T, D)`."""
        if self.encoder is None:
            return features
        embeddings: Tensor = self.encoder(features)
        return embeddings

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.head.parameters()).device
