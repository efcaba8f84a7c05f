"""How much memory a run needs at the most, as measured in this process."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import torch

from progfix.data.dataset import Video
from progfix.training.embeddings import CACHE_BYTES
from progfix.training.setup import Setup

__all__ = ["Kept", "device_peak", "process_peak"]


class Kept:
    """What a run keeps of its videos between steps.

    Args:
        setup: The run.
        seen: Validation videos that were looked at, at least one.
    """

    def __init__(self, setup: Setup, seen: Sequence[Video]) -> None:
        embeddings = setup.embeddings
        read = embeddings.features if setup.recipe.method.trains_encoder else embeddings.get
        frame = read(seen[0]).nbytes / seen[0].num_frames
        train, val, of_seen = (
            frame * sum(video.num_frames for video in videos)
            for videos in (setup.train, setup.val, seen)
        )
        self._now, self._in_all = train + of_seen, train + val

    @property
    def fits(self) -> bool:
        """Whether nothing has to be read anew."""
        return self._in_all <= CACHE_BYTES

    @property
    def to_come(self) -> float:
        """Bytes that are not kept yet."""
        return max(0.0, min(self._in_all, CACHE_BYTES) - self._now)


def process_peak() -> float:
    """Return the most bytes that this process has had; NaN where the system does not say."""
    if sys.platform == "win32":
        return math.nan
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def device_peak(device: torch.device) -> float:
    """Return the most bytes of tensors that a CUDA device has held; NaN of another."""
    return float(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else math.nan
