"""A progress model: an optional encoder and a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from progfix.heads.base import ProgressHead

__all__ = ["ProgressModel"]


class ProgressModel(nn.Module):
    """Frame features of a video in, embeddings out, and progress of their segments.

    Args:
        encoder: Maps one video's features `(T, ...)` to embeddings `(T, D)`; None takes
            the features for the embeddings.
        head: The progress head for vectors of the size that it reads.
        raw: The head reads the features as they are, whatever the encoder makes of them.
    """

    def __init__(self, encoder: nn.Module | None, head: ProgressHead, *, raw: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.raw = raw

    def embed(self, features: Tensor) -> Tensor:
        """Return what the head reads of a whole video, `(T, ...)` to `(T, D)`."""
        return features if self.raw else self.encode(features)

    def encode(self, features: Tensor) -> Tensor:
        """Return the embeddings of a whole video, `(T, ...)` to `(T, D)`."""
        if self.encoder is None:
            return features
        embeddings: Tensor = self.encoder(features)
        return embeddings

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.head.parameters()).device
