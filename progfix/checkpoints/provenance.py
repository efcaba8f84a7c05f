"""What a checkpoint of a progfix run says about the run, in our layout or in the users'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from progfix.checkpoints.fields import section
from progfix.errors import InputError, Problem
from progfix.training.recipe import Recipe
from progfix.training.serialise import recipe_from_dict, recipe_to_dict

__all__ = ["Provenance"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """Where a head comes from.

    Attributes:
        recipe: The training run.
        durations: Durations in frames of the training segments by action, int64.
        data: Fields of `DataOptions` that differ from their defaults.
        metrics: On the validation videos.
    """

    recipe: Recipe
    durations: Mapping[str, NDArray[np.int64]]
    data: Mapping[str, object]
    metrics: Mapping[str, float]

    def to_payload(self) -> dict[str, object]:
        """Return tensors and plain containers, for weights-only loading."""
        frames = np.concatenate([np.empty(0, np.int64), *self.durations.values()])
        counts = np.array([len(values) for values in self.durations.values()], dtype=np.int64)
        return {
            "recipe": recipe_to_dict(self.recipe),
            "durations": {
                "actions": list(self.durations),
                "counts": torch.from_numpy(counts),
                "frames": torch.from_numpy(frames),
            },
            "data": dict(self.data),
            "metrics": {name: float(value) for name, value in self.metrics.items()},
        }

    @classmethod
    def from_payload(cls, payload: Mapping[Any, object], where: str) -> Provenance:
        """Read what `to_payload` returned.

        Args:
            payload: The entries, among others.
            where: Their file, for errors.

        Raises:
            InputError: If entries are missing or contradict themselves.
        """
        metrics = section(payload, "metrics")
        return cls(
            recipe=recipe_from_dict(payload.get("recipe"), where=f"{where}: recipe"),
            durations=_durations(section(payload, "durations"), where),
            data={str(name): value for name, value in section(payload, "data").items()},
            metrics={str(n): v for n, v in metrics.items() if isinstance(v, float)},
        )


def _durations(stored: Mapping[object, object], where: str) -> dict[str, NDArray[np.int64]]:
    actions, counts, frames = (stored.get(name) for name in ("actions", "counts", "frames"))
    if (
        not isinstance(actions, list)
        or not _are_counts(counts)
        or not _are_counts(frames)
        or len(actions) != len(counts)
        or int(counts.sum()) != len(frames)
    ):
        expected = "actions, counts and frames that agree"
        raise InputError(
            Problem(
                f"{where}: durations",
                expected,
                f"{list(stored)}",
                "train again, or use another checkpoint",
            )
        )
    ends = np.cumsum(counts.numpy())
    parts = np.split(frames.numpy(), ends[:-1]) if actions else []
    return {str(action): part for action, part in zip(actions, parts, strict=True)}


def _are_counts(value: object) -> TypeGuard[Tensor]:
    return (
        isinstance(value, Tensor)
        and value.dim() == 1
        and value.dtype == torch.int64
        and bool((value >= 0).all())
    )
