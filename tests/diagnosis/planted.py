"""Predictions with one known disease each, on segments of several kinds of duration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from progfix.frame_counting import frame_counting
from progfix.metrics.segments import row_segments
from progfix.predictions import Category, Predictions

Array = NDArray[np.float64]
Rng = np.random.Generator

MIXES: dict[str, Callable[[Rng, int], NDArray[np.int64]]] = {
    "short": lambda rng, n: rng.integers(3, 13, n),
    "medium": lambda rng, n: _lognormal(rng, n, 50, 0.35),
    "long": lambda rng, n: _lognormal(rng, n, 200, 0.35),
    "wide": lambda rng, n: np.exp(rng.uniform(np.log(5), np.log(300), n)).astype(np.int64),
    "narrow": lambda rng, n: rng.integers(57, 64, n),
}
"""Durations in frames. In "narrow" they hardly differ, so that counting frames is right."""


def _lognormal(rng: Rng, n: int, median: float, sigma: float) -> NDArray[np.int64]:
    return np.maximum(1, np.round(median * np.exp(sigma * rng.standard_normal(n)))).astype(np.int64)


def frames(durations: NDArray[np.int64], *, segments_per_video: int = 5) -> Predictions:
    """Return the frames of these segments, predictions equal to targets."""
    repeat = np.repeat(np.arange(len(durations)), durations)
    first = np.cumsum(durations) - durations
    elapsed = np.arange(len(repeat)) - first[repeat] + 1
    video = repeat // segments_per_video
    target = elapsed / durations[repeat]
    return Predictions(
        Category(video.astype(np.int32), tuple(f"v{i}" for i in range(video.max(initial=0) + 1))),
        Category.full("task", len(repeat)),
        Category((repeat % 4).astype(np.int32), ("cut", "pour", "stir", "wipe")),
        segment=(repeat % segments_per_video).astype(np.int64),
        elapsed=elapsed.astype(np.int64),
        duration=durations[repeat].astype(np.int64),
        target=target,
        prediction=target.copy(),
    )


class Case:
    """Frames to predict, what counting on other segments answers, and a random source."""

    def __init__(self, mix: str, seed: int, segments: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.table = frames(MIXES[mix](self.rng, segments))
        self.counting = frame_counting(MIXES[mix](self.rng, 200))(self.table.elapsed)
        starts = self.table.segment_starts()
        self.segment = row_segments(starts, len(self.table))
        self.segments = len(starts)

    def noise(self, level: float) -> Array:
        values: Array = level * self.rng.standard_normal(len(self.table))
        return values

    def healthy(self, level: float = 0.05) -> Array:
        """Targets bent by a little in each segment, with independent noise at each frame."""
        bend = np.exp(0.25 * self.rng.standard_normal(self.segments))[self.segment]
        return np.clip(self.table.target**bend + self.noise(level), 0, 1)


def _early(case: Case) -> Array:
    early = (case.table.elapsed - 1) * 6 < case.table.duration
    return np.where(early, 0.54 + case.noise(0.02), case.healthy())


def _jagged(case: Case) -> Array:
    phase = case.rng.uniform(0, 2 * np.pi, case.segments)[case.segment]
    teeth = 0.3 * np.sin(2 * np.pi * case.table.elapsed / 5 + phase)
    return np.clip(case.table.target + teeth, 0, 1)


HEALTHY: dict[str, Callable[[Case], Array]] = {
    "oracle": lambda case: case.table.target.copy(),
    "noisy": lambda case: case.healthy(case.rng.uniform(0.01, 0.06)),
    "shy": lambda case: 0.08 + 0.84 * case.healthy(0.03),
    "halfway": lambda case: (case.counting + case.healthy(0.03)) / 2,
}

DISEASES: dict[str, Callable[[Case], Array]] = {
    "constant": lambda case: case.rng.uniform(0.4, 0.6) + case.noise(0.005),
    "flat-middle": lambda case: 0.5 + 0.35 * (case.table.target - 0.5) + case.noise(0.02),
    "plateau": lambda case: np.minimum(case.healthy(0.02), 0.8 + case.noise(0.005)),
    "early": _early,
    "counter": lambda case: case.counting,
    "noisy-counter": lambda case: np.clip(case.counting + case.noise(0.04), 0, 1),
    "jagged": _jagged,
    "random": lambda case: case.rng.uniform(0, 1, len(case.table)),
}

KINDS = HEALTHY | DISEASES


def planted(kind: str, mix: str, seed: int, segments: int = 60) -> Predictions:
    """Return predictions of one kind out of `HEALTHY` or `DISEASES`."""
    case = Case(mix, seed, segments)
    return case.table.with_prediction(KINDS[kind](case))


TASKS = ("boil", "cut", "fry", "pour", "stir")


def in_tasks(table: Predictions) -> Predictions:
    """Return the predictions with every fifth video of the same task."""
    codes = (table.video.codes % len(TASKS)).astype(np.int32)
    return replace(table, task=Category(codes, TASKS))


def in_task(table: Predictions, name: str) -> NDArray[np.bool_]:
    """Return which frames are of a task, `(n,)`."""
    rows: NDArray[np.bool_] = table.task.codes == table.task.names.index(name)
    return rows
