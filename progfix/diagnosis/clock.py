"""Does a prediction depend on anything but the frames elapsed?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.predictions import Predictions

__all__ = ["ClockSums"]


@dataclass
class ClockSums:
    """How far a prediction depends on anything but the frames elapsed.

    Predictions and targets are compared among frames with the same `elapsed`: there,
    targets differ by duration only, and a head that merely counts frames does not follow.

    Attributes:
        sums: By elapsed, `(6, longest + 1)`: frames, and sums of prediction p, target u,
            p^2, u^2 and p u.
    """

    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros((6, 0)))

    def update(self, chunk: Predictions) -> None:
        """Add the rows of a chunk."""
        p, u = chunk.prediction, chunk.target
        size = max(self.sums.shape[1], int(chunk.elapsed.max(initial=0)) + 1)
        grown = np.zeros((6, size))
        grown[:, : self.sums.shape[1]] = self.sums
        for row, values in enumerate((np.ones_like(p), p, u, p * p, u * u, p * u)):
            grown[row] += np.bincount(chunk.elapsed, values, minlength=size)
        self.sums = grown

    def response(self) -> float:
        """Return the slope of predictions on targets among frames of equal elapsed.

        1 for a head that knows the duration, 0 for one that only counts frames; NaN where
        no two segments of different duration reach the same frame.
        """
        _, squares, cross = self._within()
        return cross / squares if squares > 1e-12 * max(1.0, self.sums[0].sum()) else math.nan

    def explained(self) -> float:
        """Return the share of the predictions' variance that elapsed explains, in [0, 1].

        NaN where predictions do not vary.
        """
        return self._explained(self.sums[1], self.sums[3], self._within()[0])

    def target_explained(self) -> float:
        """Return the share of the targets' variance that elapsed explains, in [0, 1]."""
        return self._explained(self.sums[2], self.sums[4], self._within()[1])

    def target_spread(self) -> float:
        """Return the standard deviation of the targets among frames of equal elapsed."""
        frames = float(self.sums[0].sum())
        return math.sqrt(max(0.0, self._within()[1]) / frames) if frames else math.nan

    def bias_before(self, elapsed: int) -> tuple[float, int]:
        """Return the sum of prediction - target over frames before `elapsed`, and their number."""
        frames, predicted, target = self.sums[:3, :elapsed]
        return float((predicted - target).sum()), int(frames.sum())

    def _explained(
        self, values: NDArray[np.float64], squares: NDArray[np.float64], within: float
    ) -> float:
        frames = float(self.sums[0].sum())
        if frames == 0:
            return math.nan
        total = float(squares.sum()) - float(values.sum()) ** 2 / frames
        return 1.0 - within / total if total > 1e-9 * frames else math.nan

    def _within(self) -> tuple[float, float, float]:
        """Return the sums of squares and products about the means at equal elapsed."""
        n, p, u, pp, uu, pu = self.sums
        n = np.maximum(n, 1.0)
        return (
            float((pp - p * p / n).sum()),
            float((uu - u * u / n).sum()),
            float((pu - p * u / n).sum()),
        )
