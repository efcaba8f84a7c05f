"""Which prefixes of a batch of videos the head is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Segment
from progfix.training.recipe import Sampling

__all__ = ["Prefixes", "choose_prefixes"]


@dataclass(frozen=True, eq=False)
class Prefixes:
    """Prefixes of a batch, P of them.

    Attributes:
        video: int64 `(P,)`, index of the video within the batch.
        start: int64 `(P,)`, first frame of the segment within the video.
        frames: int64 `(P,)`, length of the prefix, 1 to the segment's duration.
        duration: int64 `(P,)`, of the whole segment; at least that where `censored`.
        censored: bool `(P,)`, the segment goes on beyond the video.
    """

    video: NDArray[np.int64]
    start: NDArray[np.int64]
    frames: NDArray[np.int64]
    duration: NDArray[np.int64]
    censored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.video)


def choose_prefixes(
    videos: Sequence[Sequence[Segment]],
    sampling: Sampling,
    rng: np.random.Generator,
    *,
    use_censored: bool = False,
) -> Prefixes:
    """Choose the prefixes that a batch of videos is trained on.

    With `sampling.frames == "every"`, all prefixes of all segments. Otherwise as the
    failing recipe draws them: per video `samples_per_video` segments with replacement
    among those of at least `min_segment_len` frames, and in each up to
    `frames_per_segment` distinct last frames, at least `min_segment_len` frames in.

    Args:
        videos: The segments of each video of the batch.
        sampling: How to choose.
        rng: Source of the draws.
        use_censored: Whether segments without a known end may be chosen.

    Returns:
        The prefixes; none if no segment is long enough.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce at 3030255, utils/tensorops.py,
    `sample_action_segment_with_multiple_frames`.
    """
    rows: list[tuple[int, Segment, NDArray[np.int64]]] = []
    for index, segments in enumerate(videos):
        usable = [segment for segment in segments if use_censored or not segment.censored]
        if sampling.frames == "every":
            rows += [(index, s, np.arange(1, s.duration + 1)) for s in usable]
            continue
        usable = [s for s in usable if s.duration >= sampling.min_segment_len]
        if not usable:
            continue
        for drawn in rng.integers(len(usable), size=sampling.samples_per_video):
            segment = usable[drawn]
            possible = np.arange(sampling.min_segment_len, segment.duration + 1)
            count = min(sampling.frames_per_segment, len(possible))
            rows.append((index, segment, rng.choice(possible, size=count, replace=False)))
    repeat = np.repeat(np.arange(len(rows)), [len(frames) for _, _, frames in rows])
    video, start, duration = (
        np.array(values, dtype=np.int64)[repeat]
        for values in (
            [index for index, _, _ in rows],
            [segment.start for _, segment, _ in rows],
            [segment.duration for _, segment, _ in rows],
        )
    )
    censored = np.array([segment.censored for _, segment, _ in rows], dtype=np.bool_)[repeat]
    frames = np.concatenate([*(frames for _, _, frames in rows), np.empty(0, np.int64)])
    return Prefixes(video, start, frames.astype(np.int64), duration, censored)
