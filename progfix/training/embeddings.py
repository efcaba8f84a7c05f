"""What the head reads of the training videos: kept where memory allows, else streamed."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from progfix.data.dataset import Video
from progfix.model import ProgressModel
from progfix.predict import check_fit
from progfix.read_ahead import ReadAhead

__all__ = ["CACHE_BYTES", "EmbeddingCache"]

CACHE_BYTES = 2 * 1024**3
"""Tensors that are kept; what is beyond it is read anew each time."""


class EmbeddingCache:
    """Videos as the head reads them; the first ones are kept on the CPU within a budget.

    In an epoch every video is asked for once, in a new order: of videos that do not fit all,
    keeping the same ones finds more of them than keeping those asked for last.

    Args:
        model: Whose encoder embeds the videos.
        trained: The encoder is being trained: what is kept are the features, which are
            embedded anew each time. Otherwise a video's embeddings never change.
        budget: Bytes to keep, and a quarter as many of features that are read ahead.
        readers: Threads that read ahead what is announced.
    """

    def __init__(
        self,
        model: ProgressModel,
        *,
        trained: bool = False,
        budget: int = CACHE_BYTES,
        readers: int = 0,
    ) -> None:
        self._model = model
        self._trained = trained
        self._budget = budget
        self._used = 0
        self._kept: dict[tuple[str, str], Tensor] = {}
        self._ahead = ReadAhead(readers, budget // 4)

    def announce(self, videos: Iterable[Video]) -> None:
        """Say which videos will be asked for next, each once, in order."""
        self._ahead.announce(v for v in videos if (v.task, v.name) not in self._kept)

    @torch.no_grad()
    def get(self, video: Video) -> Tensor:
        """Return what the head reads of a video, `(T, D)`, as the model computes.

        Raises:
            InputError: If its features do not fit the model, or are NaN or infinite.
        """
        kept = self._look_up(video)
        return self._model.embed(kept) if self._trained else kept

    def features(self, video: Video) -> Tensor:
        """Return the features of a video, `(T, ...)`, as the model computes.

        Raises:
            InputError: As `get` does.
            ValueError: If embeddings are kept instead.
        """
        if not self._trained:
            raise ValueError("expected an encoder in training, found embeddings that never change")
        return self._look_up(video)

    def close(self) -> None:
        """End the threads that read ahead; what is announced later has new ones."""
        self._ahead.close()

    @torch.no_grad()
    def _look_up(self, video: Video) -> Tensor:
        weight = next(self._model.head.parameters())
        kept = self._kept.get((video.task, video.name))
        if kept is None:
            check_fit(self._model, video)
            kept = torch.from_numpy(self._ahead.take(video))
            if not self._trained:
                kept = self._model.embed(kept.to(weight)).cpu()
            if self._used + kept.nbytes <= self._budget:
                self._kept[video.task, video.name] = kept
                self._used += kept.nbytes
        return kept.to(weight)
