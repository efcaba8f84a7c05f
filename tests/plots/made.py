"""Small predictions and views that the tests of pictures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from progfix.plots.views import Curve, SegmentView
from progfix.predictions import Category, Predictions
from progfix.sources import Source

Array = NDArray[np.float64]
Predict = Callable[[Array], Array]


def video(
    name: str,
    durations: Sequence[int],
    predict: Predict,
    *,
    task: str = "tea",
    actions: Sequence[str] | None = None,
    missing: frozenset[str] = frozenset(),
) -> Predictions:
    """One video; `predict` maps a segment's targets to its predictions."""
    names = actions or [f"act_{place}" for place in range(len(durations))]
    targets = [np.arange(1, length + 1) / length for length in durations]
    rows = sum(durations)
    return Predictions(
        video=Category.full(name, rows),
        task=Category.full(task, rows),
        action=Category.of(np.repeat(names, durations).tolist()),
        segment=np.repeat(np.arange(len(durations)), durations).astype(np.int64),
        elapsed=np.concatenate([np.arange(1, length + 1) for length in durations]).astype(np.int64),
        duration=np.repeat(durations, durations).astype(np.int64),
        target=np.concatenate(targets),
        prediction=np.concatenate([predict(target) for target in targets]),
        missing=missing,
    )


def source(label: str, *chunks: Predictions) -> Source:
    """A source of these chunks, without training durations."""
    return Source(label, "predictions", chunks=lambda: iter(chunks))


def offset(by: float) -> Predict:
    """Predictions that are wrong by the same amount everywhere."""
    return lambda target: target + by


def segment_view(
    duration: int = 10, labels: Sequence[str] = ("a",), *, action: str = "pour_water"
) -> SegmentView:
    """A segment in which the source at place k is wrong by (k + 1) / 20."""
    elapsed = np.arange(1, duration + 1)
    target = elapsed / duration
    curves = tuple(
        Curve(label, elapsed, target, target + (place + 1) / 20)
        for place, label in enumerate(labels)
    )
    return SegmentView("tea", "v1", 0, action, duration, curves, target * 0.8)
