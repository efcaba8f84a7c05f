"""Which frames of two videos truly correspond: same action, same share of it done."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.videos import EmbeddedVideo

__all__ = ["Matches", "gtcc_matches", "true_matches"]


class Matches(NamedTuple):
    """Valid matches, ordered by frame and match, each once.

    Attributes:
        frame: Frame of the first video, int64 `(m,)`; it occurs once for each match.
        match: Frame of the second video, int64 `(m,)`.
    """

    frame: NDArray[np.int64]
    match: NDArray[np.int64]

    def nearest(
        self, neighbours: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the alignable frames and, for each, the match nearest to its neighbour.

        Args:
            neighbours: Nearest frame of the second video to each frame of the first, `(T,)`.

        Returns:
            Frames, rising, and matches; the earlier one where two are equally near.
        """
        away = np.abs(neighbours[self.frame] - self.match)
        order = np.lexsort((self.match, away, self.frame))
        frames, first = np.unique(self.frame[order], return_index=True)
        return frames, self.match[order][first]


def true_matches(first: EmbeddedVideo, second: EmbeddedVideo) -> Matches:
    """Match frames at the same share of the same action.

    The middle of the k-th of L frames, (k + 1/2) / L, falls into frame
    floor((2k + 1) M / 2L) of an action of M frames. An action that the second video shows
    several times gives one match in each.
    """

    def middle(done: NDArray[np.int64], length: int, other: int) -> NDArray[np.int64]:
        return (2 * done + 1) * other // (2 * length)

    parts = []
    for start, end, action in zip(first.start, first.end, first.action, strict=True):
        frames = np.arange(start, end + 1)
        for place in np.flatnonzero(second.action == action):
            begin, stop = second.start[place], second.end[place]
            parts.append(
                (frames, begin + middle(frames - start, end - start + 1, stop - begin + 1))
            )
    return _collected(parts)


def gtcc_matches(first: EmbeddedVideo, second: EmbeddedVideo) -> Matches:
    """Match frames as GTCC does: all but an action's last frame, spread from end to end.

    Frames start .. end - 1 map onto equally spaced numbers from the other start to the
    other end, rounded; an action of one frame has no match.

    Source: gerardDonahue/GTCC_CVPR2024, utils/tensorops.py.
    """
    parts = []
    for start, end, action in zip(first.start, first.end, first.action, strict=True):
        frames = np.arange(start, end)
        for place in np.flatnonzero(second.action == action):
            spread = np.linspace(second.start[place], second.end[place], len(frames))
            parts.append((frames, np.rint(spread).astype(np.int64)))
    return _collected(parts)


def _collected(parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Matches:
    if not parts:
        return Matches(np.empty(0, np.int64), np.empty(0, np.int64))
    pairs = np.unique(np.concatenate([np.stack(part, axis=1) for part in parts]), axis=0)
    return Matches(pairs[:, 0], pairs[:, 1])
