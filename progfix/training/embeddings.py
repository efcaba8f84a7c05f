"""What the head reads of the training videos, kept where memory allows."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from progfix.data.dataset import Video
from progfix.model import ProgressModel
from progfix.predict import read_video

__all__ = ["CACHE_BYTES", "EmbeddingCache"]

CACHE_BYTES = 2 * 1024**3
"""Tensors that are kept; beyond it the least recently used go."""


class EmbeddingCache:
    """Videos as the head reads them; kept on the CPU within a budget.

    Args:
        model: Whose encoder embeds the videos.
        trained: The encoder is being trained: what is kept are the features, which are
            embedded anew each time. Otherwise a video's embeddings never change.
        budget: Bytes to keep.
    """

    def __init__(
        self, model: ProgressModel, *, trained: bool = False, budget: int = CACHE_BYTES
    ) -> None:
        self._model = model
        self._trained = trained
        self._budget = budget
        self._used = 0
        self._kept: OrderedDict[tuple[str, str], Tensor] = OrderedDict()

    @torch.no_grad()
    def get(self, video: Video) -> Tensor:
        """Return what the head reads of a video, `(T, D)`, on the model's device.

        Raises:
            InputError: If its features do not fit the model, or are NaN or infinite.
        """
        kept = self._look_up(video).to(self._model.device)
        return self._model.embed(kept) if self._trained else kept

    def features(self, video: Video) -> Tensor:
        """Return the features of a video, `(T, ...)`, on the model's device.

        Raises:
            InputError: As `get` does.
            ValueError: If embeddings are kept instead.
        """
        if not self._trained:
            raise ValueError("expected an encoder in training, found embeddings that never change")
        return self._look_up(video).to(self._model.device)

    @torch.no_grad()
    def _look_up(self, video: Video) -> Tensor:
        key = (video.task, video.name)
        kept = self._kept.get(key)
        if kept is None:
            features = read_video(self._model, video)
            kept = (features if self._trained else self._model.embed(features)).cpu()
            self._kept[key] = kept
            self._used += kept.nbytes
            while self._used > self._budget and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._used -= dropped.nbytes
        else:
            self._kept.move_to_end(key)
        return kept
