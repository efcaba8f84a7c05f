"""Features read by threads while a step computes, in the order in which they are needed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Video
from progfix.features import finite_features, require_features

__all__ = ["ReadAhead"]

Features = NDArray[np.float32]


class ReadAhead:
    """Reads the videos that come next, and holds them until they are asked for.

    What is read does not depend on the number of threads, nor on when they come to it. They
    are threads, not processes: libhdf5 and NumPy let others compute while they work, and
    nothing has to be copied from one process to another.

    Args:
        readers: Threads; with none every video is read when it is asked for.
        budget: Bytes of features to hold; one video is read ahead even if it is larger.
    """

    def __init__(self, readers: int, budget: int) -> None:
        self._pool = ThreadPoolExecutor(readers, "progfix-read") if readers else None
        self._budget = budget
        self._waiting: deque[Video] = deque()
        self._held: dict[Video, tuple[int, Future[Features]]] = {}
        self._bytes = 0

    def announce(self, videos: Iterable[Video]) -> None:
        """Say which videos will be asked for next, in order; others are forgotten."""
        if self._pool is None:
            return
        for _, future in self._held.values():
            future.cancel()
        self._held.clear()
        self._bytes = 0
        self._waiting = deque(videos)
        self._begin()

    def take(self, video: Video) -> Features:
        """Return a video's features, `(T, ...)`, and begin with the next ones.

        Raises:
            InputError: If they are NaN or infinite, or cannot be read.
        """
        size, future = self._held.pop(video, (0, None))
        self._bytes -= size
        features = finite_features(video) if future is None else future.result()
        self._begin()
        return features

    def close(self) -> None:
        """End the threads, after what they are reading."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _begin(self) -> None:
        """Begin to read what comes next and still has room."""
        while self._pool is not None and self._waiting:
            video = self._waiting[0]
            size = 4 * math.prod(require_features(video).shape)
            if self._held and size + self._bytes > self._budget:
                return
            self._waiting.popleft()
            future = self._pool.submit(finite_features, video)
            self._held[video] = (size, future)
            self._bytes += size
