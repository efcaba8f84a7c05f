"""Splits drawn afresh, for data whose own test split is too small to decide anything."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from progfix.data.dataset import Video

__all__ = ["resplit"]


def resplit(videos: Sequence[Video], seed: int) -> tuple[Video, ...]:
    """Deal the splits that the videos have out again, at random within each task.

    Every task keeps as many training, validation and test videos as it had; videos in no
    split stay in none. The draw depends on the seed and the names alone, not on the order
    of the videos.

    Args:
        videos: Videos with splits.
        seed: Of the draw, at least 0.

    Returns:
        The videos in the same order.
    """
    dealt: dict[tuple[str, str], str | None] = {}
    for task in {video.task for video in videos}:
        own = sorted(
            (video for video in videos if video.task == task and video.split is not None),
            key=lambda video: video.name,
        )
        splits = sorted(str(video.split) for video in own)
        random = np.random.default_rng([seed, zlib.crc32(task.encode())])
        for video, place in zip(own, random.permutation(len(own)).tolist(), strict=True):
            dealt[task, video.name] = splits[place]
    return tuple(replace(v, split=dealt.get((v.task, v.name))) for v in videos)
