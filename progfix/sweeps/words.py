"""What a sweep's numbers mean, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from progfix.sweeps.result import BASELINE, Difference, SweepResult

__all__ = ["BASELINE_NAMES", "decimal", "sentence", "sentences"]

BASELINE_NAMES = {
    "constant": "a constant .5",
    "frame_counting": "counting frames",
    "frame_counting_per_action": "counting per action",
}
"""Baselines as a sentence names them."""


def decimal(value: float) -> str:
    """Return ".031", without sign; a dash where it is undefined."""
    return "-" if math.isnan(value) else f"{abs(value):.3f}".removeprefix("0")


def sentence(difference: Difference) -> str:
    """Say whether a cell is better than another one or a baseline, and by how much."""
    name, e = difference.name, difference.mae
    reference = BASELINE_NAMES.get(difference.reference, difference.reference)
    if math.isnan(e.low):
        return f"{name} cannot be told from {reference} on {difference.videos} test video"
    if not difference.certain:
        ends = " to ".join(f"{end:+.3f}".replace("0.", ".", 1) for end in (e.low, e.high))
        return f"{name} is not distinguishable from {reference} (95 % {ends})"
    ends = " to ".join(decimal(end) for end in sorted((e.low, e.high), key=abs))
    better = "better" if e.value < 0 else "worse"
    return f"{name} is {better} than {reference} by {decimal(e.value)} (95 % {ends})"


def sentences(result: SweepResult) -> Iterator[str]:
    """Yield what was found: who is best, who beats counting frames, who beats the baseline."""
    trained = result.trained
    best = trained[0].name
    ties = [cell.name for cell in trained[1:] if not result.difference(best, cell.name).certain]
    if len(trained) > 1:
        rest = f"; not distinguishable from it: {', '.join(ties)}" if ties else ""
        yield f"smallest error: {best}{rest}"
    for cell in trained[1:]:
        if cell.name not in ties and cell.name != BASELINE:
            yield sentence(result.difference(best, cell.name))
    for cell in trained:
        if cell.name != BASELINE and any(other.name == BASELINE for other in trained):
            yield sentence(result.difference(cell.name, BASELINE))
    for cell in trained:
        yield sentence(result.difference(cell.name, "frame_counting"))
    if all(c.scores["mae"].pooled.value >= _counting(result) for c in trained):
        yield "no cell errs less than counting frames, which sees nothing"


def _counting(result: SweepResult) -> float:
    return next(cell.mae for cell in result.cells if cell.name == "frame_counting")
