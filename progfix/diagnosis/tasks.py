"""Finding about tasks: is one of them not predicted, which the others hide?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding
from progfix.diagnosis.text import number
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.evaluation.sums import Sums

__all__ = ["LOST_TASK", "TaskErrors", "errors_by_task", "lost_task"]

_TOLD = 3
"""Tasks named in a title."""


@dataclass(frozen=True)
class TaskErrors:
    """Sums over the frames of one task.

    Attributes:
        name: The task.
        segments: Its segments.
        frames: Their frames.
        absolute: Sum of absolute errors.
        constant: That of answering 0.5.
        counting: That of counting frames.
        rank_with_time: Mean over segments of Spearman's correlation of answers with time; NaN
            where every answer is constant.
    """

    name: str
    segments: int
    frames: float
    absolute: float
    constant: float
    counting: float
    rank_with_time: float

    @property
    def lost(self) -> bool:
        """Whether it is predicted no better than by a constant, while counting frames is."""
        no_better = self.absolute > (1 - T.skill_constant) * self.constant
        return no_better and self.segments >= T.segments and self.counting < self.absolute

    def words(self) -> str:
        """Return its name with its error and what that stands beside."""
        falls = "; its answers fall" if self.rank_with_time < T.backwards else ""
        return (
            f"{self.name} (MAE {number(self.absolute / self.frames)}, answering 0.5: "
            f"{number(self.constant / self.frames)}{falls})"
        )


def errors_by_task(sums: Sums) -> tuple[TaskErrors, ...]:
    """Return the sums of every task with a frame, by name; none where there are no tasks."""
    if "task" in sums.missing:
        return ()
    task = sums.video_task[sums.index("video")]
    size = len(sums.tasks)

    def total(column: str) -> list[float]:
        return [float(x) for x in np.bincount(task, sums.column(column), minlength=size)]

    rank = sums.column("spearman")
    known = ~np.isnan(rank)
    ranked = np.bincount(task[known], minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(task[known], rank[known], minlength=size) / ranked
    rows = zip(
        sums.tasks,
        np.bincount(task, minlength=size).tolist(),
        total("frames"),
        total("absolute"),
        total("constant_absolute"),
        total("frame_counting_absolute"),
        mean.tolist(),
        strict=True,
    )
    return tuple(found for row in rows if (found := TaskErrors(*row)).frames)


def lost_task(evidence: Evidence) -> Finding | None:
    """Find tasks no better than a constant, beside others that are predicted well."""
    lost = [task for task in evidence.tasks if task.lost]
    rest = [task for task in evidence.tasks if not task.lost]
    if not lost or not rest:
        return None
    frames, absolute, constant = (
        sum(getattr(task, column) for task in rest) for column in ("frames", "absolute", "constant")
    )
    if absolute > (1 - T.trained_skill) * constant:
        return None
    return Finding(
        "lost-task",
        "error",
        f"{len(lost)} of {len(evidence.tasks)} tasks {'is' if len(lost) == 1 else 'are'} not "
        f"predicted: {_words(lost)}",
        f"The other tasks have an MAE of {number(absolute / frames)}. So the head can do it, and "
        "what differs is the task: its frames or annotations (in reverse, of another frame rate, "
        "of other videos), its features, or that training had too little of it.",
        {
            "tasks": ", ".join(task.name for task in lost),
            "mae": _mean(lost, "absolute"),
            "mae_constant": _mean(lost, "constant"),
            "mae_elsewhere": absolute / frames,
            "threshold": T.skill_constant,
            "threshold_elsewhere": T.trained_skill,
        },
        gain=sum(task.absolute - task.counting for task in lost) / evidence.summary.frames,
        repair="Counting frames in their place",
        advice="`progfix eval --by task` has the numbers of all tasks; `progfix viz` and `progfix "
        "data check` show its curves and data.",
    )


def _words(tasks: Sequence[TaskErrors]) -> str:
    more = f" and {len(tasks) - _TOLD} more" if len(tasks) > _TOLD else ""
    return ", ".join(task.words() for task in tasks[:_TOLD]) + more


def _mean(tasks: Sequence[TaskErrors], column: str) -> float:
    total: float = sum(getattr(task, column) for task in tasks)
    return total / sum(task.frames for task in tasks)


LOST_TASK = Check("lost-task", lost_task, T.segments)
