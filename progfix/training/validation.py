"""How good the head is on the validation videos, after an epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from progfix.data.dataset import Video
from progfix.frame_counting import FrameCounting
from progfix.heads.base import ProgressHead
from progfix.predict import cut_segments, frames_table, predict_segments
from progfix.training.embeddings import EmbeddingCache
from progfix.training.processes import ALONE, Processes

__all__ = ["Score", "validate"]

_VIDEOS_PER_CHUNK = 16


@dataclass(frozen=True)
class Score:
    """Frame-pooled errors on the validation videos.

    Attributes:
        mae: Of the head.
        constant: Of the constant 0.5.
        frame_counting: Of frame counting on the training durations.
        frames: Number of frames; with none the errors are NaN.
    """

    mae: float
    constant: float
    frame_counting: float
    frames: int

    @property
    def skill_constant(self) -> float:
        """1 - MAE / MAE of the constant."""
        return 1.0 - self.mae / self.constant

    @property
    def skill_frame_counting(self) -> float:
        """1 - MAE / MAE of frame counting; NaN where frame counting makes no error."""
        return 1.0 - self.mae / self.frame_counting if self.frame_counting else float("nan")


def validate(
    head: ProgressHead,
    videos: Sequence[Video],
    embeddings: EmbeddingCache,
    counting: FrameCounting,
    processes: Processes = ALONE,
    *,
    between: Callable[[], None] = lambda: None,
) -> Score:
    """Return the score of a head on videos; the head is left in training mode.

    Args:
        head: The head.
        videos: Validation videos with features.
        embeddings: Where their embeddings come from.
        counting: Frame counting fitted on the training durations.
        processes: Who shares the videos; all get the same score.
        between: Called before every chunk of videos; what it raises ends the validation.

    Raises:
        LostProcessError: If a process has gone.
    """
    sums = np.zeros(3)
    frames = 0
    head.eval()
    mine = processes.share(v for v in videos if any(not s.censored for s in v.segments))
    embeddings.announce(mine)
    for first in range(0, len(mine), _VIDEOS_PER_CHUNK):
        between()
        chunk = mine[first : first + _VIDEOS_PER_CHUNK]
        segments = [s for video in chunk for s in cut_segments(video, embeddings.get(video))]
        table = frames_table(chunk, predict_segments(head, segments))
        constant = np.full(len(table), 0.5)
        for place, answer in enumerate((table.prediction, constant, counting.predict(table))):
            sums[place] += np.abs(answer - table.target).sum()
        frames += len(table)
    head.train()
    total = processes.total(torch.tensor([*sums, float(frames)], dtype=torch.float64)).numpy()
    mae, mae_constant, mae_counting = total[:3] / total[3] if total[3] else np.full(3, np.nan)
    return Score(float(mae), float(mae_constant), float(mae_counting), int(total[3]))
