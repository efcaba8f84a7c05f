"""Evidence in the optimiser state: how large the gradients were that a parameter got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from progfix.checkpoints.fields import integer, section

__all__ = ["Moments", "parameter_moments"]


@dataclass(frozen=True)
class Moments:
    """Adam's bias-corrected second moment of one parameter, sqrt(v / (1 - beta2^step)).

    It is the root mean square of the parameter's gradients, recent ones first. Far below
    Adam's epsilon (1e-8) a parameter does not move.

    Attributes:
        rms: Root mean square over the parameter's entries.
        max: Largest entry.
        step: Updates so far.
    """

    rms: float
    max: float
    step: int


def parameter_moments(
    shapes: Mapping[str, tuple[int, ...]], optimiser: Mapping[Any, Any]
) -> dict[str, Moments] | None:
    """Return the moments by parameter.

    Args:
        shapes: The optimiser's parameters in its order, that of the state dict without
            buffers, and the shape of each.
        optimiser: `state_dict()` of an Adam or AdamW.

    Returns:
        Moments of every parameter that has state; None if there is none, or if the state
        is not Adam's, or does not fit the parameters in number or shape.
    """
    names = list(shapes)
    groups = optimiser.get("param_groups")
    state = section(optimiser, "state")
    if not isinstance(groups, list) or not state:
        return None
    result: dict[str, Moments] = {}
    position = 0
    for group in groups:
        beta = _beta(group)
        indices = group.get("params") if isinstance(group, dict) else None
        if beta is None or not isinstance(indices, list) or position + len(indices) > len(names):
            return None
        for index in indices:
            name = names[position]
            position += 1
            if index not in state:
                continue
            moments = _moments(section(state, index), shapes[name], beta)
            if moments is None:
                return None
            result[name] = moments
    return result if position == len(names) and result else None


def _beta(group: object) -> float | None:
    betas = group.get("betas") if isinstance(group, dict) else None
    if isinstance(betas, tuple | list) and len(betas) == 2 and isinstance(betas[1], float):
        return betas[1] if 0 <= betas[1] < 1 else None
    return None


def _moments(state: Mapping[object, object], shape: tuple[int, ...], beta: float) -> Moments | None:
    squared = state.get("exp_avg_sq")
    step = state.get("step")
    count = integer(step.item() if isinstance(step, Tensor) and step.numel() == 1 else step)
    if not isinstance(squared, Tensor) or tuple(squared.shape) != shape or not count:
        return None
    corrected = squared.double() / (1 - beta**count)
    return Moments(
        rms=float(corrected.mean().sqrt()), max=float(torch.max(corrected).sqrt()), step=count
    )
