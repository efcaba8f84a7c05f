"""Predictions made for tests: small, irregular, and the same for the same seed."""

from __future__ import annotations

import itertools

import numpy as np

from progfix.predictions import Predictions, segment_predictions


def made_predictions(
    seed: int = 0,
    *,
    videos: int = 7,
    tasks: int = 3,
    max_duration: int = 30,
    digits: int | None = None,
    gaps: bool = False,
) -> Predictions:
    """Return random predictions of a few videos with 1 to 5 segments each.

    Args:
        seed: Of everything.
        videos: Number of videos.
        tasks: Number of tasks that they are spread over.
        max_duration: Longest segment.
        digits: Round predictions, which makes ties; None leaves them.
        gaps: Leave frames out at random.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for v in range(videos):
        for segment in range(int(rng.integers(1, 6))):
            duration = int(rng.integers(1, max_duration + 1))
            elapsed = np.arange(1, duration + 1)
            if gaps:
                elapsed = elapsed[rng.random(duration) < 0.7]
            if len(elapsed) == 0:
                continue
            noise = rng.normal(scale=0.2, size=len(elapsed))
            prediction = 0.3 + 0.4 * elapsed / duration + noise
            if digits is not None:
                prediction = np.round(prediction, digits)
            parts.append(
                segment_predictions(
                    prediction,
                    video=f"v{v}",
                    task=f"t{v % tasks}",
                    action=f"a{int(rng.integers(4))}",
                    segment=segment,
                    elapsed=elapsed,
                    duration=duration,
                )
            )
    return Predictions.concat(parts)


def cut_by_video(table: Predictions) -> list[Predictions]:
    """Return one chunk per video."""
    starts = [*table.video_starts().tolist(), len(table)]
    return [table.take(slice(a, b)) for a, b in itertools.pairwise(starts)]
