"""Predictors that see nothing: the bars that a progress head has to clear.

Constant 0.5, uniformly random, frame counting ("average index" of de Boer et al., ICCVW
2023) pooled or per action, and the oracle. They need durations, no features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from progfix.predictions import Predictions

__all__ = ["BASELINES", "CountingTable", "FrameCounting", "Statistic", "frame_counting"]

Statistic = Literal["median", "mean"]
BASELINES = ("constant", "random", "frame-counting", "frame-counting-per-action", "oracle")


@dataclass(frozen=True, eq=False)
class CountingTable:
    """What to answer after t frames, for t = 1, 2, ...

    Attributes:
        answers: float64 `(longest,)`, the answer at elapsed t is `answers[t - 1]`; beyond
            the longest duration it is 1.
    """

    answers: NDArray[np.float64]

    def __call__(self, elapsed: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the answer at each elapsed (1-based), float64, in (0, 1]."""
        if len(self.answers) == 0:
            return np.full(len(elapsed), np.nan)
        inside = self.answers[np.minimum(elapsed, len(self.answers)) - 1]
        return np.where(elapsed > len(self.answers), 1.0, inside)


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
        The answers for t up to the longest duration; empty without durations.

    Raises:
        ValueError: If a duration is below 1.

    Source: "average index", de Boer et al., ICCVW 2023 (Frans-db/progress-prediction).
    """
    if statistic not in get_args(Statistic):
        raise ValueError(f"expected statistic median or mean, found {statistic!r}")
    ordered = np.sort(np.asarray(durations, dtype=np.int64))
    if len(ordered) == 0:
        return CountingTable(np.empty(0))
    if ordered[0] < 1:
        raise ValueError(f"expected durations of at least 1 frame, found {ordered[0]}")
    elapsed = np.arange(1, ordered[-1] + 1)
    first = np.searchsorted(ordered, elapsed, side="left")
    if statistic == "mean":
        inverse = np.append(np.cumsum((1.0 / ordered)[::-1])[::-1], 0.0)
        return CountingTable(elapsed * inverse[first] / (len(ordered) - first))
    low = first + (len(ordered) - first - 1) // 2
    high = first + (len(ordered) - first) // 2
    return CountingTable(elapsed / ((ordered[low] + ordered[high]) / 2.0))


@dataclass(frozen=True, eq=False)
class FrameCounting:
    """Frame counting pooled over actions and, beside it, one table for each action.

    Attributes:
        pooled: Table fitted on all durations.
        by_action: Tables by action name; an action that is not in it uses `pooled`.
        fitted_on: What the durations were, for reports: "train split of ...", or
            "leave-one-video-out".
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
            for code, name in enumerate(frames.action.names):
                table = self.by_action.get(name)
                rows = frames.action.codes == code
                if table is not None and rows.any():
                    answers[rows] = table(frames.elapsed[rows])
        return answers
