"""Weaker evidence of training, for files without optimiser state: the weights themselves."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from progfix.heads.base import ProgressHead

__all__ = ["head_within_initialisation"]

TOLERANCE = 1e-6
"""How far an untrained head may have moved; 96 steps of the failing recipe move it by 1.5e-7."""

_SCALES = ("norm.weight", "norm1.weight", "norm2.weight", "input_proj.1.weight")
"""How the names of the scales of normalisations end."""

FORK_BIAS = -2.0
"""Where the fork starts the last bias since c864bd8."""


def head_within_initialisation(head: ProgressHead) -> bool:
    """Whether every weight of a head lies where PyTorch's initialisation may put it.

    Linear layers start uniformly within 1/sqrt(inputs), convolutions within
    1/sqrt(inputs x taps), a GRU within 1/sqrt(hidden units), normalisation at scale 1, h0 at
    0 and the last bias there or at the value that the head's specification or the fork sets.
    A head that trained has usually left these bounds, one that did not never has.

    Args:
        head: Of any kind, with its weights.
    """
    bounds: dict[int, float] = {}
    for module in head.modules():
        if isinstance(module, nn.Linear):
            size = module.in_features
        elif isinstance(module, nn.Conv1d):
            size = module.in_channels * module.kernel_size[0]
        elif isinstance(module, nn.GRU):
            size = module.hidden_size
        else:
            continue
        bounds |= {id(p): 1 / math.sqrt(size) for p in module.parameters(recurse=False)}
    last = head.fc[-1]
    set_bias = last.bias if isinstance(last, nn.Linear) else None
    starts = [0.0 if head.spec.last_bias is None else head.spec.last_bias, FORK_BIAS]
    scales = {id(p) for name, p in head.named_parameters() if name.endswith(_SCALES)}
    return all(
        _within(parameter - float(id(parameter) in scales), bounds.get(id(parameter), 0.0))
        or (parameter is set_bias and any(_within(parameter - start, 0.0) for start in starts))
        for parameter in head.parameters()
    )


def _within(values: Tensor, bound: float) -> bool:
    return float(torch.max(values.detach().abs())) <= bound + TOLERANCE
