"""Embeddings of the training videos, computed once where memory allows."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from progfix.data.dataset import Video
from progfix.model import ProgressModel
from progfix.predict import embed_video

__all__ = ["CACHE_BYTES", "EmbeddingCache"]

CACHE_BYTES = 2 * 1024**3
"""Embeddings that are kept; beyond it the least recently used go."""


class EmbeddingCache:
    """What a frozen encoder, or none, makes of videos; kept on the CPU within a budget.

    Args:
        model: Its encoder is frozen, so that a video's embeddings never change.
        budget: Bytes to keep.
    """

    def __init__(self, model: ProgressModel, *, budget: int = CACHE_BYTES) -> None:
        self._model = model
        self._budget = budget
        self._used = 0
        self._kept: OrderedDict[tuple[str, str], Tensor] = OrderedDict()

    @torch.no_grad()
    def get(self, video: Video) -> Tensor:
        """Return the embeddings of a video, `(T, D)`, on the model's device.

        Raises:
            InputError: If its features do not fit the model, or are NaN or infinite.
        """
        key = (video.task, video.name)
        kept = self._kept.get(key)
        if kept is None:
            kept = embed_video(self._model, video).cpu()
            self._kept[key] = kept
            self._used += kept.nbytes
            while self._used > self._budget and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._used -= dropped.nbytes
        else:
            self._kept.move_to_end(key)
        return kept.to(self._model.device)
