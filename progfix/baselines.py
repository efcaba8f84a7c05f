"""Predictors that see nothing: the bars that a progress head has to clear.

Constant 0.5, uniformly random, frame counting (`progfix.frame_counting`) pooled or per
action, and the oracle. They need durations, no features.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import numpy as np

from progfix.data.dataset import Video
from progfix.frame_counting import FrameCounting
from progfix.predictions import Category, Predictions

__all__ = [
    "BASELINES",
    "CONSTANT",
    "Baseline",
    "action_frames",
    "baseline_predictions",
]

Baseline = Literal["constant", "random", "frame-counting", "frame-counting-per-action", "oracle"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

CONSTANT = 0.5
"""What the constant baseline answers; its MAE is 1/4 on segments of even length."""


def action_frames(*videos: Video) -> Predictions:
    """Return one row per frame of every uncensored segment of videos, predictions NaN.

    Segments keep their index within the video, so that the rows match those of a model.
    """
    kept = [
        (place, i, s)
        for place, video in enumerate(videos)
        for i, s in enumerate(video.segments)
        if not s.censored
    ]
    of_video = [videos[place] for place, _, _ in kept]
    duration = np.array([s.duration for _, _, s in kept], dtype=np.int64)
    rows = int(duration.sum())
    elapsed = np.arange(1, rows + 1) - np.repeat(np.cumsum(duration) - duration, duration)
    of_row = np.repeat(duration, duration)
    return Predictions(
        video=Category.of([video.name for video in of_video]).repeat(duration),
        task=Category.of([video.task for video in of_video]).repeat(duration),
        action=Category.of([s.action for _, _, s in kept]).repeat(duration),
        segment=np.repeat(np.array([i for _, i, _ in kept], dtype=np.int64), duration),
        elapsed=elapsed,
        duration=of_row,
        target=elapsed / of_row,
        prediction=np.full(rows, np.nan),
    )


def baseline_predictions(
    name: Baseline, videos: Iterable[Video], counting: FrameCounting | None, *, seed: int = 0
) -> Iterator[Predictions]:
    """Yield a baseline's predictions, one chunk per video that has a segment.

    Args:
        name: One of `BASELINES`.
        videos: The videos to predict; features are not read.
        counting: Fitted tables, needed by the two counting baselines.
        seed: Of the random baseline, which depends on it and the video's name alone.

    Raises:
        ValueError: If the name is unknown, or counting is asked for without tables.
    """
    if name not in BASELINES:
        raise ValueError(f"expected a baseline out of {', '.join(BASELINES)}, found {name!r}")
    for video in videos:
        frames = action_frames(video)
        match name:
            case "constant":
                answers = np.full(len(frames), CONSTANT)
            case "oracle":
                answers = frames.target
            case "random":
                identity = zlib.crc32(f"{video.task}/{video.name}".encode())
                answers = np.random.default_rng([seed, identity]).random(len(frames))
            case _:
                if counting is None:
                    raise ValueError(f"the baseline {name!r} needs tables fitted on durations")
                answers = counting.predict(frames, per_action=name.endswith("per-action"))
        if len(frames):
            yield frames.with_prediction(answers)
