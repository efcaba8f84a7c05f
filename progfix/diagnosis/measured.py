"""What asking the model again has shown: numbers with intervals over videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.bootstrap import percentile_interval, resample_weights

__all__ = ["EmbeddingProbe", "Interval", "Probe", "Probes", "StepAudit", "StepPart", "ratios"]

_RESAMPLES = 300
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % bootstrap interval over videos; ends are NaN with a single video."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def ratios(numerators: Array, denominators: Array) -> list[Interval]:
    """Return sums of numerators over sums of denominators, with intervals over videos.

    Args:
        numerators: `(v, m)`, sums within each of v videos.
        denominators: `(v,)`, or `(v, m)`.

    Returns:
        m of them; NaN where the denominators sum to 0.
    """
    below = np.broadcast_to(denominators.reshape(len(numerators), -1), numerators.shape)
    values = _divide(numerators.sum(axis=0), below.sum(axis=0))
    if len(numerators) < 2:
        return [Interval(float(value)) for value in values]
    drawn = np.concatenate(
        [
            _divide(weights @ numerators, weights @ below)
            for weights in resample_weights(len(numerators), _RESAMPLES, 0)
        ]
    )
    low, high = percentile_interval(drawn)
    return [Interval(*map(float, ends)) for ends in zip(values, low, high, strict=True)]


def _divide(above: Array, below: Array) -> Array:
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result


@dataclass(frozen=True)
class Probe:
    """What the answers do when the input is changed in one way.

    Attributes:
        name: Of the change.
        what: What it is, in a few words.
        change: Mean absolute difference to the answers on the recorded input.
        mae: MAE of the new answers.
        mae_change: MAE of the new answers less that of the recorded input's, same frames.
        frames: Frames compared.
        videos: Videos they are from.
        embedding_change: Root mean square difference of the embeddings of these frames,
            over their spread; NaN where embeddings themselves were changed.
    """

    name: str
    what: str
    change: Interval
    mae: Interval
    mae_change: Interval
    frames: int
    videos: int
    embedding_change: float = math.nan


@dataclass(frozen=True)
class EmbeddingProbe:
    """What simple predictors read from the embeddings, in videos they were not fitted on.

    Both predictors see the frame's embedding, the mean over the prefix, and the frames
    elapsed; "clock" sees the last alone. Errors of progress are estimates over all frames of the
    videos that were predicted: each sampled frame counts for those that it stands for.

    Attributes:
        videos: Videos that were predicted.
        fitted_on: Videos that were fitted on, each predicted one left out.
        frames: Frames that were predicted, some of every segment.
        mae_head: MAE of the head, from the same frames.
        mae_clock: MAE of the clock.
        mae_linear: MAE of ridge regression.
        mae_neighbours: MAE of the mean over the nearest neighbours.
        saved: MAE of the head less that of the better of the two.
        duration_linear: Share of the clock's squared error about log duration that ridge
            regression takes away; 0 or less where embeddings say nothing of duration.
        duration_neighbours: The same for nearest neighbours.
        action_linear: Share of frames whose action ridge regression names rightly.
        action_neighbours: The same for nearest neighbours.
        action_most_frequent: Share of the most frequent action, which needs no embedding.
    """

    videos: int
    fitted_on: int
    frames: int
    mae_head: float
    mae_clock: float
    mae_linear: Interval
    mae_neighbours: Interval
    saved: Interval
    duration_linear: Interval
    duration_neighbours: Interval
    action_linear: float
    action_neighbours: float
    action_most_frequent: float

    @property
    def mae(self) -> float:
        """MAE of the better predictor."""
        return min(self.mae_linear.value, self.mae_neighbours.value)

    @property
    def duration(self) -> Interval:
        """What the better predictor reads of durations."""
        return max(self.duration_linear, self.duration_neighbours, key=lambda i: i.value)


@dataclass(frozen=True)
class StepPart:
    """What one training step does to the head, or to the encoder.

    Attributes:
        gradient: Norm of the gradient of the total loss, the head's divided by lambda again.
        applied: Norm of what clipping leaves of it.
        update: Norm of the change of the weights.
        weights: Norm of the weights.
        share: Update over the largest that Adam could make at this rate; 1 is free, and far
            below 1 Adam's eps swallows the gradient.
    """

    gradient: float
    applied: float
    update: float
    weights: float
    share: float


@dataclass(frozen=True)
class StepAudit:
    """One step of the recipe, taken on a copy of the model.

    Attributes:
        head: What it does to the head.
        encoder: What it does to the encoder; None where the recipe does not train one.
    """

    head: StepPart
    encoder: StepPart | None


@dataclass(frozen=True)
class Probes:
    """Everything that asking the model again has shown; empty where there is no model.

    Attributes:
        inputs: Changes of the input.
        embeddings: What embeddings carry, or None.
        step: One training step, or None.
        not_run: Why the others were not run, by "inputs", "embeddings" and "step".
    """

    inputs: Sequence[Probe] = ()
    embeddings: EmbeddingProbe | None = None
    step: StepAudit | None = None
    not_run: dict[str, str] = field(default_factory=dict)

    def input(self, name: str) -> Probe | None:
        """Return an input probe by its name; None where it was not run."""
        return next((probe for probe in self.inputs if probe.name == name), None)
