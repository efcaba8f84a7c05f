"""What the groups of a step add up to, in one process or in all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor, nn

from progfix.training.processes import Processes

__all__ = ["StepSums"]


@dataclass
class StepSums:
    """Sums over the groups of a step.

    Attributes:
        groups: Groups with a loss.
        progress: Of their progress losses, not multiplied by lambda.
        alignment: Of their alignment losses.
        aligned: Groups with an alignment loss.
        skipped: Groups that moved nothing, or with own gradients nothing but the head.
        head: Groups whose gradient the head has.
        rest: Groups whose gradient the other parameters have.
        broken: Groups whose loss was not finite.
        frames: Frames of embeddings in training.
        moments: Of these frames, the sum and the sum of squares, float64 `(2, D)`; `(2, 0)`
            where there are none.
    """

    groups: float = 0
    progress: float = 0.0
    alignment: float = 0.0
    aligned: float = 0
    skipped: float = 0
    head: float = 0
    rest: float = 0
    broken: float = 0
    frames: float = 0
    moments: Tensor = field(default_factory=lambda: torch.zeros(2, 0, dtype=torch.float64))

    @property
    def loss(self) -> float:
        """Mean progress loss of the groups; NaN where none had one."""
        return self.progress / self.groups if self.groups else math.nan

    @property
    def mean_alignment(self) -> float | None:
        """Mean alignment loss of the groups, or None without a method."""
        return self.alignment / self.aligned if self.aligned else None

    def add_frames(self, frames: Tensor) -> None:
        """Add embeddings in training, `(N, D)`."""
        wide = frames.double()
        found = torch.stack([wide.sum(dim=0), wide.square().sum(dim=0)]).cpu()
        self.moments = found + self.moments if self.frames else found
        self.frames += len(frames)

    def of_all(
        self, parameters: Sequence[nn.Parameter], width: int, processes: Processes
    ) -> StepSums:
        """Return the sums over all processes.

        A parameter that has a gradient in one process gets one in all; the gradients
        themselves are not exchanged yet.

        Args:
            parameters: All that are trained.
            width: Size D of the embeddings, the same in all processes.
            processes: Who takes part.

        Raises:
            LostProcessError: If a process has gone.
        """
        if processes.size == 1:
            return self
        names = [entry.name for entry in fields(self) if entry.name != "moments"]
        counts = torch.tensor([getattr(self, name) for name in names], dtype=torch.float64)
        has = torch.tensor([p.grad is not None for p in parameters], dtype=torch.float64)
        moments = self.moments if self.frames else self.moments.new_zeros(2, width)
        parts = [counts, has, moments.reshape(-1)]
        total = processes.total(torch.cat(parts)).split([part.numel() for part in parts])
        for parameter, anywhere in zip(parameters, total[1].tolist(), strict=True):
            if anywhere and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        values = dict(zip(names, total[0].tolist(), strict=True))
        return StepSums(**values, moments=total[2].reshape(2, -1))
