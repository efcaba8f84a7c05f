"""Where a run stands, so that it can go on exactly."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

from progfix.training.history import EpochRow
from progfix.training.optimisers import StepReport

__all__ = ["LoopState"]


@dataclass
class LoopState:
    """Where a run stands, between two steps.

    Attributes:
        epoch: Epochs completed.
        step: Batches of the current epoch that are done, skipped ones included.
        steps: Optimisation steps taken in all.
        skipped: Batches skipped in the current epoch.
        loss: Sum of the losses of the current epoch's steps.
        head_gradient: Sum of the norms, likewise.
        head_applied: Sum of the norms, likewise.
        seconds: Wall-clock time spent in the current epoch before a resume.
        history: Rows of the completed epochs.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    skipped: int = 0
    loss: float = 0.0
    head_gradient: float = 0.0
    head_applied: float = 0.0
    seconds: float = 0.0
    history: list[EpochRow] = field(default_factory=list)

    @property
    def best_mae(self) -> float:
        """Smallest validation MAE so far; infinite before the first."""
        return min((row.val_mae for row in self.history if row.best), default=math.inf)

    def to_dict(self) -> dict[str, object]:
        """Return plain containers, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> LoopState:
        """Restore what `to_dict` returned."""
        state = cls(**values)  # type: ignore[arg-type]  # checked by the checkpoint's format
        state.history = [EpochRow(**row) for row in values["history"]]  # type: ignore[attr-defined]
        return state

    def count(self, report: StepReport) -> None:
        """Add a step to the current epoch."""
        self.step += 1
        if report.skipped:
            self.skipped += 1
            return
        self.steps += 1
        self.loss += report.loss
        self.head_gradient += report.head_gradient
        self.head_applied += report.head_applied
