"""Sums of errors, from which every mean of errors is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.segments import segment_sums

__all__ = ["ErrorSums", "error_sums"]


class ErrorSums(NamedTuple):
    """Sums over the frames of each segment, float64 `(s,)`; the error is prediction - target.

    Attributes:
        absolute: Of |error|.
        squared: Of error squared.
        signed: Of the error itself; divided by the frames it is the bias.
    """

    absolute: NDArray[np.float64]
    squared: NDArray[np.float64]
    signed: NDArray[np.float64]


def error_sums(
    prediction: NDArray[np.float64], target: NDArray[np.float64], starts: NDArray[np.int64]
) -> ErrorSums:
    """Return the sums of errors of each segment.

    Args:
        prediction: `(n,)`.
        target: In (0, 1], `(n,)`.
        starts: First row of each segment, `(s,)`.
    """
    error = prediction - target
    return ErrorSums(
        segment_sums(np.abs(error), starts),
        segment_sums(error * error, starts),
        segment_sums(error, starts),
    )
