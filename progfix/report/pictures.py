"""What the page draws beside the diagnosis itself: a density and some segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from progfix.plots.gather import Replay
from progfix.plots.material import Wanted, gather
from progfix.plots.views import Density, SegmentView
from progfix.sources import Source

__all__ = ["Pictures", "kept", "take_pictures"]

_KEPT_ROWS = 2_000_000
_TYPICAL, _WORST = 3, 3


@dataclass(frozen=True, eq=False)
class Pictures:
    """What is drawn of one source, or of two on the same segments.

    Attributes:
        density: Of the last source.
        typical: Segments from the best to the worst.
        worst: Those with the largest errors.
    """

    density: Density
    typical: tuple[SegmentView, ...]
    worst: tuple[SegmentView, ...]


def kept(source: Source) -> Source:
    """Return the source with predictions that are made once, where memory allows."""
    if source.chunks is None:
        return source
    replay = Replay(source.chunks, _KEPT_ROWS)
    return replace(source, chunks=lambda: iter(replay))


def take_pictures(sources: Sequence[Source]) -> Pictures | None:
    """Choose segments by the first source's errors and fetch their curves.

    Args:
        sources: One, or two to lay over each other.

    Returns:
        The pictures; None where a source has no predictions, or no frames.
    """
    if any(source.chunks is None for source in sources):
        return None
    typical = gather(sources, Wanted(_TYPICAL, "spread"))
    if not all(sums.frames for sums in typical.survey.sums):
        return None
    worst = gather(sources, Wanted(_WORST, "worst"))
    density = typical.survey.sums[-1].density(typical.survey.labels[-1])
    return Pictures(density, typical.segments, worst.segments)
