"""What a sweep found: numbers per cell, differences between cells, and what they mean."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from progfix.evaluation import Estimate

__all__ = ["CellResult", "Difference", "Score", "SweepResult"]


@dataclass(frozen=True)
class Score:
    """A metric of a cell.

    Attributes:
        pooled: Over the test videos of all seeds together, with its 95 % interval over
            videos.
        by_seed: Of each seed.
    """

    pooled: Estimate
    by_seed: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Mean of the seeds where it is defined, NaN where it is nowhere."""
        values = self._defined()
        return statistics.fmean(values) if values else math.nan

    @property
    def std(self) -> float:
        """Standard deviation between seeds (n - 1); NaN with fewer than two."""
        values = self._defined()
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def _defined(self) -> list[float]:
        return [value for value in self.by_seed.values() if not math.isnan(value)]


@dataclass(frozen=True)
class CellResult:
    """A cell, or a baseline on the same frames.

    Attributes:
        name: "fghs+feature-noise=1", or "frame_counting".
        is_baseline: Whether it is a baseline, which nobody trained.
        scores: By the names of `progfix.evaluation.METRICS`; errors alone for baselines.
        runs: Folder of each finished seed, by seed; empty for baselines.
        failed: Why seeds failed, by seed.
    """

    name: str
    is_baseline: bool
    scores: Mapping[str, Score]
    runs: Mapping[int, str]
    failed: Mapping[int, str]

    @property
    def mae(self) -> float:
        """Pooled MAE; NaN where no seed finished."""
        return self.scores["mae"].pooled.value if "mae" in self.scores else math.nan


@dataclass(frozen=True)
class Difference:
    """MAE of one cell minus that of another, on the same videos and seeds.

    Attributes:
        name: The one.
        reference: The other, a cell or a baseline.
        mae: `name` minus `reference`, with the paired 95 % interval over videos.
        seeds: Seeds that both have.
        videos: Different videos among them.
    """

    name: str
    reference: str
    mae: Estimate
    seeds: int
    videos: int

    @property
    def certain(self) -> bool:
        """Whether the interval excludes zero."""
        return self.mae.low > 0 or self.mae.high < 0

    def reversed(self) -> Difference:
        """Return the same with the roles changed."""
        e = self.mae
        turned = Estimate(-e.value, -e.high, -e.low, e.count, e.undefined)
        return Difference(self.reference, self.name, turned, self.seeds, self.videos)


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Attributes:
        data: What it was measured on, in words.
        fitted_on: What frame counting was fitted on.
        seeds: Of the sweep.
        fresh_splits: Whether each seed had its own splits.
        resamples: Of the bootstrap.
        cells: Ranked by MAE, baselines among them; those without a finished seed last.
        differences: Between all pairs of cells, and of cells with baselines, each once.
    """

    data: str
    fitted_on: str
    seeds: Sequence[int]
    fresh_splits: bool
    resamples: int
    cells: Sequence[CellResult]
    differences: Sequence[Difference]

    @property
    def trained(self) -> list[CellResult]:
        """The cells with at least one finished seed, best first."""
        return [c for c in self.cells if not c.is_baseline and not math.isnan(c.mae)]

    @property
    def failed(self) -> list[tuple[str, int, str]]:
        """Cell, seed and reason of each run that failed."""
        return [(c.name, seed, why) for c in self.cells for seed, why in c.failed.items()]

    def difference(self, name: str, reference: str) -> Difference:
        """Return the difference of two cells, or of a cell and a baseline.

        Raises:
            KeyError: If there is none.
        """
        for found in self.differences:
            if (found.name, found.reference) == (name, reference):
                return found
            if (found.name, found.reference) == (reference, name):
                return found.reversed()
        raise KeyError((name, reference))
