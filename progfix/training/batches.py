"""The order of an epoch: batches of videos of one task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from progfix.data.dataset import Video

__all__ = ["epoch_batches", "generator"]


def generator(seed: int, *place: int) -> np.random.Generator:
    """Return the random generator of one place in a run, such as an epoch and a step.

    A run that is resumed in the middle draws what an uninterrupted one would have drawn,
    since nothing depends on how many draws came before.
    """
    return np.random.default_rng([seed, *place])


def epoch_batches(
    videos: Sequence[Video], batch_videos: int, rng: np.random.Generator
) -> list[list[int]]:
    """Return the batches of one epoch as indices into `videos`.

    The videos of each task are shuffled and cut into batches of `batch_videos` (the last
    of a task may be smaller); then the batches of all tasks are shuffled together.

    Raises:
        ValueError: If `batch_videos` is below 1.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/alignment_training_loop.py.
    """
    if batch_videos < 1:
        raise ValueError(f"expected batches of at least 1 video, found {batch_videos}")
    tasks: dict[str, list[int]] = {}
    for index, video in enumerate(videos):
        if video.segments:
            tasks.setdefault(video.task, []).append(index)
    batches = []
    for indices in tasks.values():
        shuffled = rng.permutation(indices).tolist()
        batches += [
            shuffled[first : first + batch_videos]
            for first in range(0, len(shuffled), batch_videos)
        ]
    return [batches[place] for place in rng.permutation(len(batches))]
