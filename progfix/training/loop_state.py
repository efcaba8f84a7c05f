"""Where a run stands, so that it can go on exactly."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import get_type_hints

from progfix.training.history import EpochRow
from progfix.training.optimisers import StepReport
from progfix.training.validation import Score

__all__ = ["LoopState"]


@dataclass
class LoopState:
    """Where a run stands, between two steps.

    Attributes:
        epoch: Epochs completed.
        step: Batches of the current epoch that are done, skipped ones included.
        steps: Optimisation steps taken in all.
        skipped: Batches of the current epoch that were skipped (`EpochRow.skipped`).
        taken: Steps of the current epoch that moved the head; what follows are sums over
            them.
        loss: Of the progress losses.
        alignment: Of the alignment losses, or None without a method.
        head_gradient: Of the norms.
        head_share: Of the shares.
        head_applied: Of the norms.
        seconds: Wall-clock time spent in the current epoch before a resume.
        history: Rows of the completed epochs.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    skipped: int = 0
    taken: int = 0
    loss: float = 0.0
    alignment: float | None = None
    head_gradient: float = 0.0
    head_share: float = 0.0
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
        """Restore what `to_dict` returned.

        Raises:
            TypeError: If an entry is missing, unknown, or of another type.
            ValueError: If the entries contradict each other.
        """
        state = cls(**values)  # type: ignore[arg-type]  # what it has is looked at here
        state.history = [EpochRow(**row) for row in values["history"]]  # type: ignore[attr-defined]
        for part in (state, *state.history):
            for name, kind in get_type_hints(type(part)).items():
                if name != "history" and not isinstance(getattr(part, name), kind):
                    raise TypeError(f"{name} of {getattr(part, name)!r}")
        counts = (state.step, state.steps, state.skipped, state.taken)
        if state.epoch != len(state.history) or min(counts) < 0:
            found = f"epoch {state.epoch} with {len(state.history)} in the history"
            raise ValueError(f"{found}, and counts {counts}")
        return state

    def count(self, report: StepReport) -> None:
        """Add a step to the current epoch."""
        self.step += 1
        self.skipped += report.skipped
        if not report.moved:
            return
        self.steps += 1
        self.taken += 1
        self.loss += report.loss
        self.head_gradient += report.head_gradient
        self.head_share += report.head_share
        self.head_applied += report.head_applied
        if report.alignment is not None:
            self.alignment = (self.alignment or 0.0) + report.alignment

    def close_epoch(self, score: Score, seconds: float) -> EpochRow:
        """Add the epoch to the history and make ready for the next.

        Args:
            score: On the validation videos.
            seconds: Wall-clock time of the epoch.
        """

        def mean(total: float) -> float:
            return total / self.taken if self.taken else math.nan

        row = EpochRow(
            epoch=self.epoch + 1,
            steps=self.steps,
            train_loss=mean(self.loss),
            skipped=self.skipped,
            head_gradient=mean(self.head_gradient),
            head_applied=mean(self.head_applied),
            val_mae=score.mae,
            val_skill_constant=score.skill_constant,
            val_skill_frame_counting=score.skill_frame_counting,
            best=score.mae < self.best_mae,
            seconds=seconds,
            alignment_loss=None if self.alignment is None else mean(self.alignment),
            head_share=mean(self.head_share),
        )
        self.history.append(row)
        self.epoch += 1
        self.step = self.skipped = self.taken = 0
        self.loss = self.head_gradient = self.head_share = self.head_applied = 0.0
        self.alignment, self.seconds = None, 0.0
        return row
