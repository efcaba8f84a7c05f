"""Frame counting, "average index": the bar that sees nothing and a head has to clear.

After t frames it answers t / median(D) over the training durations D >= t, pooled over
actions or per action, and 1 beyond the longest. Where there is no training split to count
on, see `progfix.leave_one_out`.

Source: de Boer et al., Is there progress in activity progress prediction?, ICCVW 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Dataset
from progfix.errors import InputError, Problem
from progfix.predictions import Predictions

__all__ = [
    "CountingTable",
    "FrameCounting",
    "Statistic",
    "fit_counting",
    "frame_counting",
    "tail_scale",
]

Statistic = Literal["median", "mean"]


@dataclass(frozen=True, eq=False)
class CountingTable:
    """What to answer after t frames: t / scale, and 1 beyond the longest training duration.

    Attributes:
        durations: int64 `(k,)`, the distinct training durations in frames, rising.
        scale: float64 `(k,)`; `scale[i]` holds for `durations[i - 1] < t <= durations[i]`.
    """

    durations: NDArray[np.int64]
    scale: NDArray[np.float64]

    def __call__(self, elapsed: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the answer at each elapsed (1-based), float64, in (0, 1]; NaN if untrained."""
        if len(self.durations) == 0:
            return np.full(len(elapsed), np.nan)
        slot = np.searchsorted(self.durations, elapsed)
        inside = elapsed / self.scale[np.minimum(slot, len(self.scale) - 1)]
        return np.where(slot == len(self.durations), 1.0, inside)


def frame_counting(
    durations: NDArray[np.int64] | Sequence[int], *, statistic: Statistic = "median"
) -> CountingTable:
    """Fit the predictor that only counts frames.

    Args:
        durations: Training durations in frames, each at least 1, `(n,)`.
        statistic: "median" answers t / median(D : D >= t), which is optimal for the
            frame-pooled MAE of t / D up to the convexity of 1/D; "mean" answers
            mean(t / D : D >= t).

    Returns:
        The answers; without durations, a table that answers NaN.

    Raises:
        ValueError: If a duration is below 1, or the statistic is unknown.

    Source: "average index", de Boer et al., ICCVW 2023 (Frans-db/progress-prediction).
    """
    distinct, counts = np.unique(np.asarray(durations, dtype=np.int64), return_counts=True)
    if len(distinct) and distinct[0] < 1:
        raise ValueError(f"expected durations of at least 1 frame, found {distinct[0]}")
    return CountingTable(distinct, tail_scale(distinct, counts[None, :], statistic)[0])


def tail_scale(
    durations: NDArray[np.int64], counts: NDArray[np.int64], statistic: Statistic = "median"
) -> NDArray[np.float64]:
    """Return the scale of many counting tables over the same distinct durations.

    Args:
        durations: Distinct durations, rising, `(k,)`.
        counts: How many training segments have them, one row per table, `(r, k)`.
        statistic: "median" of the durations that are at least `durations[i]`, or their
            harmonic "mean", since t / harmonic mean(D) is mean(t / D).

    Returns:
        float64 `(r, k)`, NaN where a table has no duration that long.

    Raises:
        ValueError: If the statistic is unknown.
    """
    if statistic not in get_args(Statistic):
        raise ValueError(f"expected statistic median or mean, found {statistic!r}")
    tail = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    if statistic == "mean":
        inverse = (counts / durations)[:, ::-1].cumsum(axis=1)[:, ::-1]
        mean = np.full(tail.shape, np.nan)
        np.divide(tail, inverse, out=mean, where=tail > 0)
        return mean
    upto = counts.cumsum(axis=1)
    below = upto - counts
    # One search for all rows: each row's cumulative counts are lifted above the row before.
    lift = np.arange(len(counts))[:, None] * (int(upto.max(initial=0)) + 1)
    ladder = (upto + lift).ravel()
    padded = np.append(np.tile(durations, len(counts)), 0)

    def order_statistic(rank: NDArray[np.int64]) -> NDArray[np.int64]:
        return padded[np.searchsorted(ladder, (rank + lift).ravel(), side="right")].reshape(
            rank.shape
        )

    low, high = order_statistic(below + (tail - 1) // 2), order_statistic(below + tail // 2)
    return np.where(tail > 0, (low + high) / 2.0, np.nan)


@dataclass(frozen=True, eq=False)
class FrameCounting:
    """Frame counting pooled over actions and, beside it, one table for each action.

    Attributes:
        pooled: Table fitted on all durations.
        by_action: Tables by action name; an action that is not in it uses `pooled`.
        fitted_on: What the durations were, for reports.
    """

    pooled: CountingTable
    by_action: Mapping[str, CountingTable]
    fitted_on: str = "training durations"

    @classmethod
    def fit(
        cls,
        durations: Mapping[str, NDArray[np.int64]],
        *,
        statistic: Statistic = "median",
        fitted_on: str = "training durations",
    ) -> FrameCounting:
        """Fit both on durations by action name (frames)."""
        everything = (
            np.concatenate(list(durations.values())) if durations else np.empty(0, np.int64)
        )
        return cls(
            frame_counting(everything, statistic=statistic),
            {name: frame_counting(d, statistic=statistic) for name, d in durations.items()},
            fitted_on,
        )

    def predict(self, frames: Predictions, *, per_action: bool = False) -> NDArray[np.float64]:
        """Return the answers for the rows of `frames`, float64 `(n,)`; NaN without durations."""
        answers = self.pooled(frames.elapsed)
        if per_action:
            order = np.argsort(frames.action.codes, kind="stable")
            codes, first = np.unique(frames.action.codes[order], return_index=True)
            for code, rows in zip(codes, np.split(order, first[1:]), strict=True):
                table = self.by_action.get(frames.action.names[code])
                if table is not None:
                    answers[rows] = table(frames.elapsed[rows])
        return answers


def fit_counting(
    data: Dataset, fit_on: str = "train", *, statistic: Statistic = "median"
) -> FrameCounting | None:
    """Fit frame counting on the uncensored segments of a data set's training videos.

    Args:
        data: All splits.
        fit_on: The splits whose durations are used, joined by "+", such as "train+val".
        statistic: As in `frame_counting`.

    Returns:
        The fitted tables, or None where those splits have no segment.

    Raises:
        InputError: If a split is unknown, or, unless it is "train", the data lacks it.
    """
    splits = fit_on.split("+")
    if fit_on != "train" and not set(splits) <= set(data.splits):
        raise InputError(
            Problem(
                "--fit-on",
                f"{' or '.join(data.splits) or 'train'}, joined by +",
                repr(fit_on),
                f"name splits that {data.origin} has",
            )
        )
    durations = data.where(lambda video: video.split in splits).durations()
    segments = sum(len(values) for values in durations.values())
    if segments == 0:
        return None
    return FrameCounting.fit(
        durations, statistic=statistic, fitted_on=f"{fit_on} split, {segments} segments"
    )
