"""log of the normal distribution function in operations that every runtime has.

ONNX has neither it nor, in float64, the error function. Far in the tail the naive
log(1 + erf) is minus infinity, where solution h's prior needs it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import erfcx
from torch import Tensor

__all__ = ["log_ndtr"]

_DEGREE = 24


def _smooth(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(erfcx(u) / t) by y = 2 t - 1 in (-1, 1], where t = 2 / (2 + u)."""
    t = (y + 1.0) / 2.0
    return np.log(erfcx(2.0 / t - 2.0) / t)


_NODES = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
_CHEBYSHEV = np.polynomial.chebyshev.chebfit(_NODES, _smooth(_NODES), _DEGREE).tolist()


def log_ndtr(x: Tensor) -> Tensor:
    """Return log P(Z <= x) of a standard normal Z, within 1e-13 of max(1, |result|).

    In the tail it is log(t / 2) - u^2 + P(t), u = |x| / sqrt(2), with a polynomial P; the
    mapping of u to t is that of Numerical Recipes, third edition, section 6.2.2.

    Args:
        x: float64, any shape, finite.
    """
    u = x.abs() / math.sqrt(2.0)
    t = 2.0 / (2.0 + u)
    y = 2.0 * t - 1.0
    first, second = torch.zeros_like(y), torch.zeros_like(y)
    for coefficient in _CHEBYSHEV[:0:-1]:  # Clenshaw's recurrence
        first, second = 2.0 * y * first - second + coefficient, first
    tail = torch.log(t / 2.0) - u * u + (y * first - second + _CHEBYSHEV[0])
    return torch.where(x < 0, tail, torch.log(1.0 - torch.exp(tail)))
