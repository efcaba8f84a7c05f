"""Progress of a whole video, told by the length of the path that its embeddings take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_over_videos

__all__ = ["path_length", "video_ogpe", "video_targets"]


def path_length(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how far the embeddings have moved up to each frame, `(T, D)` to `(T,)`.

    The sum of the Euclidean distances of consecutive frames; 0 at the first.
    """
    steps = np.diff(embeddings.astype(np.float64), axis=0)
    return np.concatenate([[0.0], np.sqrt(np.einsum("td,td->t", steps, steps)).cumsum()])


def video_targets(video: EmbeddedVideo, *, variant: Variant = "default") -> NDArray[np.float64]:
    """Return the progress of the procedure at each frame, in [0, 1], never falling, `(T,)`.

    Each of the n segments adds 1/n linearly, and between them progress stands still.

    Args:
        video: With at least one segment.
        variant: "default" adds (i + 1)/(nL) at the i-th of L frames, as the targets of
            actions do; "gtcc" i/(n(L - 1)), so that a segment begins where the last ended.

    Raises:
        ValueError: If the variant is unknown.

    Source: Donahue and Elhamifar, GTCC, CVPR 2024 (gerardDonahue/GTCC_CVPR2024,
    utils/tensorops.py).
    """
    require_variant("video_ogpe", variant)
    targets = np.zeros(len(video))
    for place, (start, end) in enumerate(zip(video.start, video.end, strict=True)):
        length = end - start + 1
        done = np.arange(1, length + 1) / length
        if variant == "gtcc":
            done = np.linspace(0, 1, length)
        targets[start : end + 1] = (place + done) / len(video.start)
    return np.maximum.accumulate(targets)


def video_ogpe(
    train: Sequence[EmbeddedVideo],
    scored: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
) -> Score:
    """Return the video-level OGPE: mean absolute error of a video's progress, over videos.

    The prediction is the length of the path so far, as a share of the mean length of the
    training videos' paths, at most 1; the error is averaged over all frames of a video,
    those in no action included.

    Args:
        train: Videos of the task whose paths make the unit.
        scored: Other videos of the task.
        variant: "gtcc": unclipped; the unit is the mean of the first two scored videos
            (there, of a random batch of two); videos that never move are left out.

    Returns:
        At least 0, lower is better, counted over videos. A video is undefined without a
        segment or where its last goes on beyond it; all are, where no training path moves.

    Raises:
        ValueError: If the variant is unknown.

    Source: "OGPE" of Donahue and Elhamifar, GTCC, CVPR 2024 (utils/evaluation.py).
    """
    require_variant("video_ogpe", variant)
    paths = [path_length(video.embeddings) for video in scored]
    of_unit = paths[:2] if variant == "gtcc" else [path_length(v.embeddings) for v in train]
    unit = float(np.mean([path[-1] for path in of_unit])) if of_unit else 0.0
    errors = []
    for video, path in zip(scored, paths, strict=True):
        still = variant == "gtcc" and path[-1] == 0
        if unit == 0 or still or len(video.start) == 0 or not video.complete:
            errors.append(float("nan"))
            continue
        answer = path / unit if variant == "gtcc" else np.minimum(path / unit, 1.0)
        errors.append(float(np.abs(answer - video_targets(video, variant=variant)).mean()))
    return mean_over_videos(errors)
