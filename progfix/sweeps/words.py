"""What a sweep's numbers mean, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from progfix.evaluation.notices import FEW_VIDEOS
from progfix.sweeps.cells import BASELINE
from progfix.sweeps.result import Difference, SweepResult

__all__ = ["BASELINE_NAMES", "sentence", "sentences"]

BASELINE_NAMES = {
    "constant": "a constant .5",
    "frame_counting": "counting frames",
    "frame_counting_per_action": "counting per action",
}
"""Baselines as a sentence names them."""


def decimal(value: float, digits: int = 3) -> str:
    """Return ".031", without sign."""
    return f"{abs(value):.{digits}f}".removeprefix("0")


def sentence(difference: Difference) -> str:
    """Say whether a cell is better than another one or a baseline, and by how much."""
    name, e = difference.name, difference.mae
    reference = BASELINE_NAMES.get(difference.reference, difference.reference)
    if math.isnan(e.low):
        return f"{name} cannot be told from {reference} on {difference.videos} test video"
    if not difference.certain:
        ends = " to ".join(f"{'-' if end < 0 else '+'}{decimal(end)}" for end in (e.low, e.high))
        return f"{name} is not distinguishable from {reference} (95 % {ends})"
    low, high = sorted((e.low, e.high), key=abs)
    # A difference that is certain should not be shown as one that may be zero.
    digits = next((n for n in (3, 4, 5) if round(low, n)), 6)
    ends = f"{decimal(low, digits)} to {decimal(high, digits)}"
    better = "better" if e.value < 0 else "worse"
    return f"{name} is {better} than {reference} by {decimal(e.value, digits)} (95 % {ends})"


def sentences(result: SweepResult) -> Iterator[str]:
    """Yield what was found: who is best, who beats counting frames, who beats the baseline."""
    trained = result.trained
    best = trained[0].name
    against_best = {cell.name: result.difference(best, cell.name) for cell in trained[1:]}
    ties = [
        name
        for name, found in against_best.items()
        if not found.certain and not math.isnan(found.mae.low)
    ]
    if len(trained) > 1:
        rest = f"; not distinguishable from it: {', '.join(ties)}" if ties else ""
        yield f"smallest error: {best}{rest}"
    for cell in trained[1:]:
        if cell.name not in ties and cell.name != BASELINE:
            yield sentence(against_best[cell.name])
    for cell in trained:
        if cell.name != BASELINE and any(other.name == BASELINE for other in trained):
            yield sentence(result.difference(cell.name, BASELINE))
    for cell in trained:
        yield sentence(result.difference(cell.name, "frame_counting"))
    if all(c.scores["mae"].pooled.value >= _counting(result) for c in trained):
        yield "no cell errs less than counting frames, which sees nothing"
    videos = min((d.videos for d in result.differences), default=FEW_VIDEOS)
    if 1 < videos < FEW_VIDEOS and result.resamples:
        more = "" if result.fresh_splits else "; --fresh-splits draws others for each seed"
        yield f"intervals from {videos} test videos are too narrow: trust them from ten on{more}"


def _counting(result: SweepResult) -> float:
    return next(cell.mae for cell in result.cells if cell.name == "frame_counting")
