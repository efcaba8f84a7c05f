"""A sample of segments, what a model makes of them, and what it answers to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from progfix.data.dataset import Segment, Video
from progfix.predictions import progress_targets
from progfix.sources.source import Probing

__all__ = ["Asked", "Question", "Sample", "spread_out", "take_sample"]

VIDEOS = 32
"""Videos that are asked about, evenly spread over all of them."""

FRAMES = 12_000
"""Frames of segments that are asked about, at most (one segment more than fits) ..."""

COSTLY_FRAMES = 3_000
"""... and with each other input, for a head that runs anew over every prefix."""


@dataclass(frozen=True, eq=False)
class Asked:
    """One segment of the sample.

    Attributes:
        place: Index of its video within the sample.
        segment: Where it lies.
        embeddings: `(L, D)`.
        answer: What the model answers, `(L,)`.
        target: float64 `(L,)`.
    """

    place: int
    segment: Segment
    embeddings: Tensor
    answer: NDArray[np.float64]
    target: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Question:
    """Another input for a segment, and which of its answers are compared.

    Attributes:
        asked: The segment.
        embeddings: The other input, `(n, D)`.
        places: Frames of it whose answers count, `(m,)`.
        frames: The frames of the segment that they are compared with, `(m,)`.
    """

    asked: Asked
    embeddings: Tensor
    places: NDArray[np.int64]
    frames: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Segments of evenly spread videos with the model's answers.

    Attributes:
        probing: The model.
        videos: The videos.
        segments: Their uncensored segments.
    """

    probing: Probing
    videos: Sequence[Video]
    segments: Sequence[Asked]

    def columns(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of each embedding column, `(D,)` each."""
        every = torch.cat([asked.embeddings for asked in self.segments])
        return every.mean(dim=0), every.std(dim=0, correction=0)

    def affordable(self) -> Sample:
        """Return the part that can be asked about again and again: less of a costly head's."""
        if self.probing.streams:
            return self
        queues: list[list[Asked]] = [[] for _ in self.videos]
        for asked in self.segments:
            queues[asked.place].append(asked)
        lengths = [[asked.segment.duration for asked in queue] for queue in queues]
        kept = _in_turn(lengths, COSTLY_FRAMES)
        parts = [queue[:number] for queue, number in zip(queues, kept, strict=True)]
        return replace(self, segments=[asked for part in parts for asked in part])

    def stands_for(self) -> NDArray[np.float64]:
        """Return how many frames of its video a frame of each video's segments stands for.

        Returns:
            `(v,)`, all frames of the video's segments with a known end over those that are in
            the sample, so at least 1; NaN for a video of which there are none.
        """
        taken = np.zeros(len(self.videos))
        for asked in self.segments:
            taken[asked.place] += len(asked.target)
        every = [sum(s.duration for s in v.segments if not s.censored) for v in self.videos]
        taken[taken == 0] = np.nan
        return np.array(every) / taken

    def ask(self, questions: Sequence[Question]) -> NDArray[np.float64]:
        """Return sums of what the answers to questions show, by video of the sample.

        Returns:
            `(v, 4)`: frames, |new answer - old answer|, |new answer - target|, and |old
            answer - target|.
        """
        answers = self.probing.answer([question.embeddings for question in questions])
        sums = np.zeros((len(self.videos), 4))
        for question, answer in zip(questions, answers, strict=True):
            new = answer.progress[question.places]
            old = question.asked.answer[question.frames]
            target = question.asked.target[question.frames]
            sums[question.asked.place] += (
                len(new),
                np.abs(new - old).sum(),
                np.abs(new - target).sum(),
                np.abs(old - target).sum(),
            )
        return sums


def spread_out(videos: Sequence[Video], number: int) -> list[Video]:
    """Return up to `number` videos with uncensored segments, evenly spread over all."""
    usable = [v for v in videos if any(not s.censored for s in v.segments)]
    picked = np.unique(np.linspace(0, len(usable) - 1, min(number, len(usable))).astype(np.intp))
    return [usable[index] for index in picked] if usable else []


def take_sample(probing: Probing) -> Sample:
    """Choose segments within the budget and ask the model about them.

    Every video of the sample gives its segments in turn, so that a small budget still
    spreads over all of them.
    """
    videos = spread_out(probing.videos.videos, VIDEOS)
    queues = [_from_the_middle([s for s in v.segments if not s.censored]) for v in videos]
    kept = _in_turn([[s.duration for s in queue] for queue in queues], FRAMES)
    cut = [
        (place, segment, embeddings[segment.start : segment.end + 1])
        for place, (video, queue) in enumerate(zip(videos, queues, strict=True))
        for embeddings in ([probing.embed(video)] if kept[place] else [])
        for segment in queue[: kept[place]]
    ]
    answers = probing.answer([embeddings for _, _, embeddings in cut])
    asked = [
        Asked(place, segment, embeddings, answer.progress, progress_targets(segment.duration))
        for (place, segment, embeddings), answer in zip(cut, answers, strict=True)
    ]
    return Sample(probing, videos, asked)


def _from_the_middle(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments, the middle one first: beginnings and ends of videos are alike."""
    left = list(segments)
    return [left.pop(len(left) // 2) for _ in segments]


def _in_turn(queues: Sequence[Sequence[int]], budget: int) -> list[int]:
    """Return how many to take of each queue of lengths, one of each in turn, up to a budget."""
    kept, total = [0] * len(queues), 0
    for turn in range(max(map(len, queues), default=0)):
        for place, queue in enumerate(queues):
            if turn < len(queue) and total < budget:
                kept[place] += 1
                total += queue[turn]
    return kept
