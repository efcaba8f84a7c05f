"""What the checks look at, and what a check is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.measured import Interval, Probes
from progfix.diagnosis.model import Finding, NotChecked, Skill, Summary

if TYPE_CHECKING:
    from progfix.checkpoints import Checkpoint
    from progfix.diagnosis.scale import OffScale
    from progfix.diagnosis.tasks import TaskErrors

__all__ = ["NO_CHECKPOINT", "Check", "Evidence"]

NO_CHECKPOINT = "needs the checkpoint, not just its predictions"
"""Why a check cannot run that looks at weights or recipe."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything known about a source, collected in one pass over its predictions.

    Attributes:
        summary: Errors, baselines and ranges.
        skill: Against constant and frame counting.
        skill_constant_high: Upper end of the 95 % bootstrap interval over videos of the skill
            against a constant; NaN with a single video.
        skill_counting_high: The same against frame counting.
        rank_with_time: Mean over segments of Spearman's correlation of answers with time; NaN
            where every answer is constant.
        rank_with_time_high: Upper end of its 95 % bootstrap interval over videos.
        curves: Sums about the shape of curves.
        oracles: MAE after each repair; empty without predictions.
        coverage: Share of the targets inside the head's 80 % intervals; NaN without any.
        checkpoint: The opened checkpoint, or None.
        probes: What asking the model again has shown.
        missing: Columns that the predictions did not have.
        no_predictions: Why there are no predictions; None where there are.
        module: Whether the source is somebody's module, of which head and encoder are not told
            apart.
        segments_in_data: Segments with a known end in all splits of the data, where the model
            can be asked about them; else 0.
        off_scale: On what other scale the answers are, which leaves no error to judge; None
            where they are progress.
        tasks: Errors by task; empty where the source has none.
    """

    summary: Summary = field(default_factory=Summary)
    skill: Skill = field(default_factory=Skill)
    skill_constant_high: float = math.nan
    skill_counting_high: float = math.nan
    rank_with_time: float = math.nan
    rank_with_time_high: float = math.nan
    curves: CurveSums = field(default_factory=CurveSums)
    oracles: Mapping[str, float] = field(default_factory=dict)
    coverage: Interval = field(default_factory=Interval)
    checkpoint: Checkpoint | None = None
    probes: Probes = field(default_factory=Probes)
    missing: frozenset[str] = frozenset()
    no_predictions: str | None = None
    module: bool = False
    segments_in_data: int = 0
    off_scale: OffScale | None = None
    tasks: tuple[TaskErrors, ...] = ()


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong.

    Attributes:
        id: The finding's name.
        find: Returns the finding, None where all is well, or why it cannot tell.
        segments: Fewest segments of predictions that it needs; 0 where it needs none.
        needs: What else it needs: the checkpoint, or a part of the probes.
    """

    id: str
    find: Callable[[Evidence], Finding | NotChecked | None]
    segments: int = 0
    needs: Literal["", "checkpoint", "inputs", "embeddings", "step"] = ""

    def run(self, evidence: Evidence) -> Finding | NotChecked | None:
        """Return what `find` returns, or that there are too few predictions for it."""
        if self.segments and evidence.no_predictions is not None:
            return NotChecked(self.id, evidence.no_predictions)
        missing = self._missing(evidence)
        if missing:
            return NotChecked(self.id, missing)
        found = evidence.curves.segments
        if found < self.segments:
            return NotChecked(
                self.id,
                f"{found} {'segment is' if found == 1 else 'segments are'} too few to tell a "
                f"habit from chance; it needs {self.segments}",
            )
        return self.find(evidence)

    def _missing(self, evidence: Evidence) -> str:
        if self.needs == "checkpoint":
            return "" if evidence.checkpoint is not None else NO_CHECKPOINT
        return evidence.probes.not_run.get(self.needs, "")
