"""Work done by threads before it is asked for: features read, answers computed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Video
from progfix.features import finite_features, require_features

__all__ = ["ReadAhead", "computed_ahead"]

Features = NDArray[np.float32]
Item = TypeVar("Item")


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
        self._readers = readers
        self._pool: ThreadPoolExecutor | None = None
        self._budget = budget
        self._waiting: deque[Video] = deque()
        self._held: dict[Video, tuple[int, Future[Features]]] = {}
        self._bytes = 0

    def announce(self, videos: Iterable[Video]) -> None:
        """Say which videos will be asked for next, in order; others are forgotten."""
        if not self._readers:
            return
        self._forget()
        self._waiting = deque(videos)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._readers, "progfix-read")
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
        """End the threads, after what they are reading; what is announced later has new ones."""
        self._forget()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _forget(self) -> None:
        for _, future in self._held.values():
            future.cancel()
        self._held.clear()
        self._bytes = 0
        self._waiting.clear()

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


def computed_ahead(items: Generator[Item]) -> Generator[Item]:
    """Yield what a generator yields; a thread computes the next item meanwhile.

    The generator is closed when this one is. What it raises is raised here.
    """
    end = object()
    with ThreadPoolExecutor(1, "progfix-compute") as pool:
        coming = pool.submit(next, items, end)
        try:
            while (item := coming.result()) is not end:
                coming = pool.submit(next, items, end)
                yield item  # type: ignore[misc]  # not the end
        finally:
            coming.cancel()
            pool.shutdown()
            items.close()
