"""How the runs of a sweep stand while it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from progfix.sweeps.plan import PlannedRun

__all__ = ["RunState", "State"]

State = Literal["waiting", "running", "done", "kept", "stopped", "failed"]


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        run: Which run.
        state: "kept" was finished before this sweep was resumed.
        share: Of its epochs, in [0, 1].
        epoch: Epochs completed.
        epochs: Epochs in all.
        val_mae: Smallest validation MAE so far.
        val_skill: Skill over frame counting in that epoch.
        seconds: Since it was started.
        reason: Why it failed.
    """

    run: PlannedRun
    state: State
    share: float = 0.0
    epoch: int = 0
    epochs: int = 0
    val_mae: float = math.nan
    val_skill: float = math.nan
    seconds: float = 0.0
    reason: str = ""
