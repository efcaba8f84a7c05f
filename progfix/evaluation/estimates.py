"""Values with intervals, and the evaluation that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from progfix.evaluation.intervals import (
    Key,
    draw_all,
    group_intervals,
    keyed,
    video_weights,
    with_intervals,
)
from progfix.evaluation.scores import (
    BASELINE_METRICS,
    METRICS,
    baseline_scores,
    counts,
    scores,
)
from progfix.evaluation.sums import BASELINE_COLUMNS, Sums
from progfix.metrics.segments import ratio

__all__ = [
    "BREAKDOWNS",
    "DURATION_BUCKETS",
    "Bin",
    "Breakdown",
    "Estimate",
    "Evaluation",
    "estimate",
]

Breakdown = Literal["task", "action", "duration"]
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)

DURATION_BUCKETS = {"1-5": 1, "6-20": 6, "21-50": 21, "over 50": 51}
"""Buckets of durations in frames, by their shortest."""


@dataclass(frozen=True)
class Estimate:
    """A metric's value.

    Attributes:
        value: NaN where it is undefined.
        low: Lower end of the 95 % bootstrap interval over videos; NaN without resamples and
            with fewer than two videos.
        high: Its upper end.
        count: Over how many units it was taken (`METRICS` has the unit).
        undefined: How many units it could not be taken over, and which are left out.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    count: int = 0
    undefined: int = 0


@dataclass(frozen=True)
class Bin:
    """Errors of the frames whose target, or prediction, lies in (low, high].

    Attributes:
        low: Lower edge.
        high: Upper edge.
        mae: Mean absolute error.
        bias: Mean of prediction - target.
        count: Frames.
    """

    low: float
    high: float
    mae: Estimate
    bias: Estimate
    count: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `Evaluator.compute` returns; `evaluation["mae"].value` is the number.

    Attributes:
        metrics: By the names of `progfix.evaluation.METRICS`.
        baselines: `BASELINE_METRICS` of each baseline on the same frames.
        positions: By position in the action, from the first to the last.
        values: By the value predicted.
        groups: By breakdown and name of the group, its metrics (no quantiles).
        pit: Probability integral transforms in ten bins; None without any. A calibrated
            model fills them evenly.
        fitted_on: What frame counting was fitted on.
        resamples: Of the bootstrap; 0 for no intervals.
        sums: What all of it was computed from.
    """

    metrics: Mapping[str, Estimate]
    baselines: Mapping[str, Mapping[str, Estimate]]
    positions: Sequence[Bin]
    values: Sequence[Bin]
    groups: Mapping[Breakdown, Mapping[str, Mapping[str, Estimate]]]
    pit: Sequence[int] | None
    fitted_on: str
    resamples: int
    sums: Sums = field(repr=False)

    def __getitem__(self, name: str) -> Estimate:
        return self.metrics[name]

    def _repr_html_(self) -> str:
        """Return the metrics that are defined as a table, for a notebook."""
        from progfix.report.markup import table

        rows = [
            (name, f"{e.value:.4g}", f"{e.low:.4g} to {e.high:.4g}" if e.low == e.low else "",
             f"{e.count:,} {METRICS[name].unit}")
            for name, e in self.metrics.items()
            if e.value == e.value
        ]  # fmt: skip
        return table(
            f"frame counting fitted on {self.fitted_on}",
            ("metric", "value", "95 % interval", "over"),
            rows,
        )


def estimate(
    sums: Sums, *, fitted_on: str, resamples: int, seed: int, by: Sequence[Breakdown]
) -> Evaluation:
    """Take all ratios, with bootstrap intervals over videos.

    Args:
        sums: In canonical order.
        fitted_on: What frame counting was fitted on.
        resamples: Of the bootstrap; 0 for no intervals.
        seed: Of the resamples.
        by: Breakdowns to compute.
    """
    parts = {(kind, name): part for kind in by for name, part in _groups(sums, kind)}

    def everything(weights: NDArray[np.float64]) -> dict[Key, NDArray[np.float64]]:
        found = keyed(("metrics",), scores(sums, weights))
        for name, values in baseline_scores(sums, weights).items():
            found |= keyed(("baselines", name), values)
        for kind in ("positions", "values"):
            found |= _binned(sums, weights, kind)
        return found

    taken = with_intervals(everything, sums, video_weights(sums, resamples, seed))
    draws = draw_all(sums, resamples, seed) if by else np.empty((0, 0), np.uint8)
    for key, (part, videos) in parts.items():
        taken |= group_intervals(key, part, draws[:, videos] if len(videos) > 1 else draws[:0])

    def estimates(key: Key, of: Sums, names: Sequence[str]) -> dict[str, Estimate]:
        found = counts(of)
        return {n: Estimate(*taken[*key, n], *found[n]) for n in names if (*key, n) in taken}

    pit = sums.tables["pit"].sum(axis=0)
    groups: dict[Breakdown, dict[str, dict[str, Estimate]]] = {kind: {} for kind in by}
    for (kind, name), (part, _) in parts.items():
        groups[kind][name] = estimates((kind, name), part, list(METRICS))
    return Evaluation(
        metrics=estimates(("metrics",), sums, list(METRICS)),
        baselines={
            name: estimates(("baselines", name), sums, BASELINE_METRICS)
            for name in BASELINE_COLUMNS
        },
        positions=_bins(sums, taken, "positions"),
        values=_bins(sums, taken, "values"),
        groups=groups,
        pit=[int(n) for n in pit] if pit.any() else None,
        fitted_on=fitted_on,
        resamples=resamples,
        sums=sums,
    )


def _binned(sums: Sums, weights: NDArray[np.float64], kind: str) -> dict[Key, NDArray[np.float64]]:
    table = sums.tables[kind].astype(np.float64)
    total = (weights @ table.reshape(len(table), -1)).reshape(len(weights), *table.shape[1:])
    found: dict[Key, NDArray[np.float64]] = {}
    for k in range(table.shape[1]):
        found[kind, str(k), "mae"] = ratio(total[:, k, 1], total[:, k, 0])
        found[kind, str(k), "bias"] = ratio(total[:, k, 2], total[:, k, 0])
    return found


def _bins(sums: Sums, taken: Mapping[Key, tuple[float, float, float]], kind: str) -> list[Bin]:
    count = sums.tables[kind].astype(np.float64)[:, :, 0].sum(axis=0).astype(int).tolist()
    return [
        Bin(
            k / len(count),
            (k + 1) / len(count),
            Estimate(*taken[kind, str(k), "mae"], n),
            Estimate(*taken[kind, str(k), "bias"], n),
            n,
        )
        for k, n in enumerate(count)
    ]


def _groups(sums: Sums, kind: Breakdown) -> Iterator[tuple[str, tuple[Sums, NDArray[np.int64]]]]:
    """Yield the name of each group that has a segment, and its part of the sums."""
    names: Sequence[str]
    match kind:
        case "task":
            names, of_segment = sums.tasks, sums.video_task[sums.index("video")]
        case "action":
            names, of_segment = sums.actions, sums.index("action")
        case "duration":
            names = list(DURATION_BUCKETS)
            shortest = list(DURATION_BUCKETS.values())
            of_segment = np.searchsorted(shortest, sums.index("duration"), side="right") - 1
    order = np.argsort(of_segment, kind="stable")
    groups, first = np.unique(of_segment[order], return_index=True)
    for group, rows in zip(groups.tolist(), np.split(order, first[1:]), strict=True):
        yield names[group], sums.take_segments(rows)
