"""The first pass over sources: sums over all frames, and one error per segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from progfix.baselines import CONSTANT
from progfix.evaluation.suspicion import unit_hint
from progfix.plots.gather import SegmentTable, Shared
from progfix.plots.sums import FrameSums
from progfix.predictions import Predictions

__all__ = ["Counting", "Survey", "survey"]


class Counting(Protocol):
    """Frame counting, fitted on a training split or leaving out each video in turn."""

    @property
    def fitted_on(self) -> str:
        """What the durations were."""
        ...

    def predict(self, frames: Predictions, *, per_action: bool = False) -> NDArray[np.float64]:
        """Return the answers for the rows of `frames`."""
        ...


@dataclass(frozen=True, eq=False)
class Survey:
    """What all frames of the sources say.

    Attributes:
        labels: Names of the sources.
        sums: Over all frames, one per source.
        tables: Errors of segments, one per source.
        baselines: Over the first source's frames, by name, from least knowledge to most;
            those that could not answer are not there.
    """

    labels: tuple[str, ...]
    sums: tuple[FrameSums, ...]
    tables: tuple[SegmentTable, ...]
    baselines: Mapping[str, FrameSums]

    def notices(self, shared: Shared) -> Iterator[str]:
        """Yield what the user should know about the frames and segments.

        Args:
            shared: The segments that all sources have.
        """
        for label, sums in zip(self.labels, self.sums, strict=True):
            if sums.undefined:
                yield (
                    f"{label}: {sums.undefined:,} of {sums.undefined + sums.frames:,} frames "
                    "have no finite prediction and are left out"
                )
            if sums.outside:
                yield f"{label}: {sums.outside:,} of {sums.frames:,} predictions are outside [0, 1]"
                hint = unit_hint(*sums.quantiles(0.05, 0.95))
                if hint is not None:
                    yield f"{label}: {hint}"
        if shared.others:
            yield (
                f"segments are chosen from the {len(shared.keys):,} that all sources have; as "
                f"{shared.others:,} more are in some of them only, figures of all frames "
                "compare different frames"
            )


def survey(
    labels: Sequence[str],
    streams: Sequence[Iterable[Predictions]],
    counting: Counting,
    observe: Callable[[str], None],
) -> Survey:
    """Read every source once.

    Args:
        labels: Names of the sources.
        streams: Their chunks.
        counting: Fitted frame counting.
        observe: Told, in words, how far the reading is.
    """
    found = Survey(
        tuple(labels),
        tuple(FrameSums() for _ in labels),
        tuple(SegmentTable() for _ in labels),
        {},
    )
    baselines = {
        "constant .5": FrameSums(),
        "frame counting": FrameSums(),
        "frame counting, per action": FrameSums(),
    }
    for place, stream in enumerate(streams):
        for chunk in stream:
            found.sums[place].add(chunk)
            found.tables[place].add(chunk)
            observe(f"{labels[place]}: {found.sums[place].frames:,} frames")
            if place == 0:
                answered = _answers(chunk, counting)
                for baseline, answers in zip(baselines.values(), answered, strict=False):
                    baseline.add(chunk.with_prediction(answers))
    return replace(found, baselines={n: sums for n, sums in baselines.items() if sums.frames})


def _answers(chunk: Predictions, counting: Counting) -> Iterator[NDArray[np.float64]]:
    yield np.full(len(chunk), CONSTANT)
    yield counting.predict(chunk)
    if "action" not in chunk.missing:
        yield counting.predict(chunk, per_action=True)
