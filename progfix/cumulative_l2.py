"""Progress as the length of the path that embeddings have taken: no model of progress at all.

GTCC's progress of a whole video, brought to the progress of an action: the Euclidean path
length since the action's first frame, as a share of the mean length of training segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from progfix.baselines import action_frames
from progfix.data.dataset import Video
from progfix.embedding import Embedder
from progfix.metrics.alignment.video_progress import path_length
from progfix.predictions import Predictions

__all__ = ["CumulativeL2", "PathTotals", "path_totals"]


@dataclass(frozen=True, eq=False)
class PathTotals:
    """Mean path length of whole training segments, in the embeddings' own unit.

    Attributes:
        pooled: Over all segments; NaN without any.
        by_action: Over the segments of each action.
    """

    pooled: float
    by_action: Mapping[str, float]


def path_totals(videos: Sequence[Video], embed: Embedder) -> PathTotals:
    """Measure the uncensored segments of videos.

    Raises:
        InputError: If a video cannot be embedded.
    """
    totals: dict[str, list[float]] = {}
    for video in videos:
        embeddings = embed(video)
        for segment in video.segments:
            if not segment.censored:
                path = path_length(embeddings[segment.start : segment.end + 1])
                totals.setdefault(segment.action, []).append(float(path[-1]))
    everything = [total for of_action in totals.values() for total in of_action]
    return PathTotals(
        float(np.mean(everything)) if everything else float("nan"),
        {action: float(np.mean(of_action)) for action, of_action in totals.items()},
    )


@dataclass(frozen=True, eq=False)
class CumulativeL2:
    """The predictor: path length so far / mean training total, at most 1; 0 at first.

    Where no training path moves (or an action's does not), the answer is 0 until something
    moves, and 1 from then on.

    Attributes:
        train: Videos whose segments give the totals.
        videos: Videos to predict.
        embed: What makes one vector per frame of a video.
        per_action: Divide by the mean of the frame's action, the pooled one for an action
            that training does not show; else by the pooled one.

    Source: Donahue and Elhamifar, GTCC, CVPR 2024 (there for whole videos, unclipped).
    """

    train: Sequence[Video]
    videos: Sequence[Video]
    embed: Embedder
    per_action: bool = False

    @cached_property
    def totals(self) -> PathTotals:
        """Of the training segments, measured when they are first needed."""
        return path_totals(self.train, self.embed)

    def predict(self) -> Iterator[Predictions]:
        """Yield predictions in [0, 1], one chunk per video that has a segment.

        Raises:
            InputError: If a video cannot be embedded.
        """
        for video in self.videos:
            frames = action_frames(video)
            if len(frames):
                yield frames.with_prediction(self._answers(video))

    def _answers(self, video: Video) -> NDArray[np.float64]:
        embeddings, answers = self.embed(video), []
        for segment in video.segments:
            if segment.censored:
                continue
            total = self.totals.pooled
            if self.per_action:
                total = self.totals.by_action.get(segment.action, total)
            path = path_length(embeddings[segment.start : segment.end + 1])
            share = np.divide(path, total, out=(path > 0).astype(np.float64), where=total > 0)
            answers.append(np.minimum(share, 1.0))
        return np.concatenate(answers)
