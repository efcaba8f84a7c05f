"""What the alignment metrics take, embedded videos of one task, and what they give, scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.segments import ratio

__all__ = [
    "EmbeddedVideo",
    "Parts",
    "Score",
    "check_width",
    "mean_over_pairs",
    "mean_over_videos",
    "mean_score",
    "stack",
]


@dataclass(frozen=True, eq=False)
class EmbeddedVideo:
    """One video's embeddings and action segments.

    Attributes:
        embeddings: Finite, `(T, D)`, T at least 1.
        start: First frame of each segment, rising, 0-based, `(n,)`.
        end: Last frame of each segment, inclusive, below T, `(n,)`.
        action: Action of each segment, the same integer in all videos of a task, `(n,)`.
        complete: Whether the last segment ends within the video.

    Raises:
        ValueError: If the shapes disagree, a segment lies outside, segments are not ordered
            by start, or an embedding is NaN or infinite.
    """

    embeddings: NDArray[np.floating]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    action: NDArray[np.int64]
    complete: bool = True

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2 or len(self.embeddings) == 0:
            raise ValueError(f"expected embeddings (T, D), found {self.embeddings.shape}")
        if not np.isfinite(self.embeddings).all():
            raise ValueError("expected finite embeddings, found NaN or infinity")
        if not len(self.start) == len(self.end) == len(self.action):
            raise ValueError("expected as many starts as ends and actions")
        inside = (self.start >= 0) & (self.end >= self.start) & (self.end < len(self))
        if not inside.all() or (np.diff(self.start) < 0).any():
            raise ValueError(f"expected segments within {len(self)} frames, ordered by start")

    def __len__(self) -> int:
        return len(self.embeddings)

    @cached_property
    def phases(self) -> NDArray[np.int64]:
        """The action at each frame, -1 in none, `(T,)`; where two meet, the later one."""
        phases = np.full(len(self), -1, dtype=np.int64)
        for start, end, action in zip(self.start, self.end, self.action, strict=True):
            phases[start : end + 1] = action
        return phases

    @cached_property
    def collapsed(self) -> bool:
        """Whether all of several frames have the same embedding, so that none is nearest."""
        return len(self) > 1 and bool((self.embeddings == self.embeddings[0]).all())

    def every(self, step: int) -> EmbeddedVideo:
        """Return each `step`-th frame, cut into segments where the phase changes."""
        phases = self.phases[::step]
        new = np.flatnonzero(np.diff(phases, prepend=phases[0] - 1))
        end = np.append(new[1:], len(phases)) - 1
        kept = phases[new] >= 0
        return EmbeddedVideo(
            self.embeddings[::step], new[kept], end[kept], phases[new[kept]], self.complete
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """What each video, or each ordered pair of videos, brings to a ratio of two sums.

    Attributes:
        total: float64 `(v,)`, or `(v, v)` with 0 where a video meets itself.
        size: How much it counts, of the same shape; 0 where it is undefined.
    """

    total: NDArray[np.float64]
    size: NDArray[np.float64]

    def value(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ratio where each video counts `weights` times, `(b, v)` to `(b,)`.

        A pair counts as often as the product of its two videos; NaN where nothing counts.
        """
        sums = [weights @ part for part in (self.total, self.size)]
        if self.total.ndim == 2:
            sums = [np.einsum("bv,bv->b", part, weights) for part in sums]
        return ratio(*sums)


@dataclass(frozen=True)
class Score:
    """A metric of one task.

    Attributes:
        value: The mean where it is defined; NaN where it is nowhere.
        count: Over how many pairs, frames, videos or boundaries.
        undefined: How many of them were left out because the metric is undefined there.
        parts: What it was computed from, for resampling videos; None where it is no mean
            over videos or pairs of them.
    """

    value: float
    count: int
    undefined: int
    parts: Parts | None = field(default=None, repr=False, compare=False)


def mean_score(values: Iterable[float] | NDArray[np.float64]) -> Score:
    """Return the mean of the values that are not NaN, and both counts."""
    array = np.fromiter(values, dtype=np.float64)
    defined = array[~np.isnan(array)]
    value = float(defined.mean()) if len(defined) else float("nan")
    return Score(value, len(defined), len(array) - len(defined))


def mean_over_videos(values: Sequence[float] | NDArray[np.float64]) -> Score:
    """Return the mean over the videos of a task, `(v,)`, NaN where it is undefined."""
    array = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(array)
    parts = Parts(np.where(defined, array, 0.0), defined.astype(np.float64))
    return replace(mean_score(array), parts=parts)


def mean_over_pairs(values: NDArray[np.float64]) -> Score:
    """Return the mean over ordered pairs of different videos, `(v, v)`, as `mean_over_videos`."""
    other = ~np.eye(len(values), dtype=np.bool_)
    defined = other & ~np.isnan(values)
    parts = Parts(np.where(defined, values, 0.0), defined.astype(np.float64))
    return replace(mean_score(values[other]), parts=parts)


def stack(videos: Sequence[EmbeddedVideo]) -> NDArray[np.float64]:
    """Return the embeddings of all frames of all videos, float64 `(n, D)`."""
    return np.concatenate([video.embeddings for video in videos], dtype=np.float64)


def check_width(videos: Iterable[EmbeddedVideo]) -> None:
    """Check that all embeddings have the same size.

    Raises:
        ValueError: If not.
    """
    widths = {video.embeddings.shape[1] for video in videos}
    if len(widths) > 1:
        raise ValueError(f"expected embeddings of one size, found {sorted(widths)}")
