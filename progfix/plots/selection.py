"""Which segments or videos a figure shows."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["SELECTIONS", "Select", "select"]

FEWEST_FRAMES = 8
"""Of a segment whose curve shows something."""

Select = Literal["spread", "worst", "best", "longest", "random"]
SELECTIONS: tuple[Select, ...] = get_args(Select)


def select(
    errors: NDArray[np.float64],
    durations: NDArray[np.int64],
    number: int,
    how: Select = "spread",
    *,
    seed: int = 0,
) -> NDArray[np.intp]:
    """Choose segments by their error, the same ones at each call.

    Ties keep the given order. Segments whose error is undefined are chosen only where there
    are not enough others.

    Args:
        errors: MAE of each segment, NaN where undefined, `(n,)`.
        durations: Frames of each, `(n,)`.
        number: How many, at least 1; all of them where there are fewer.
        how: "spread" takes ranks at equal distances from the best to the worst, both
            included (the median rank where one is asked for), among segments of 8 frames or
            more where these are enough; "best" and "worst" the smallest and largest errors;
            "longest" the most frames; "random" any.
        seed: Of "random".

    Returns:
        Distinct indices, `(min(number, n),)`: spread and best from small error to large,
        worst from large to small, longest by duration, random in the given order.

    Raises:
        ValueError: If `number` is below 1 or `how` is unknown.
    """
    if number < 1:
        raise ValueError(f"expected at least 1 segment to choose, found {number}")
    number = min(number, len(errors))
    undefined = np.isnan(errors)
    order = np.argsort(np.where(undefined, np.inf, errors), kind="stable")
    defined = int(np.count_nonzero(~undefined))
    match how:
        case "best":
            return order[:number]
        case "worst":
            worst = np.argsort(np.where(undefined, np.inf, -errors), kind="stable")
            return worst[:number]
        case "longest":
            return np.argsort(-durations, kind="stable")[:number]
        case "random":
            chosen = np.random.default_rng(seed).choice(len(errors), number, replace=False)
            return np.sort(chosen).astype(np.intp)
        case "spread":
            long = ~undefined & (durations >= FEWEST_FRAMES)
            if np.count_nonzero(long) >= number:
                order = order[long[order]]
                defined = len(order)
            among = max(defined, number)
            if number == 1:
                return order[[(max(defined, 1) - 1) // 2]] if among else order
            ranks = np.rint(np.linspace(0, among - 1, number)).astype(np.intp)
            return order[ranks]
    raise ValueError(f"expected a selection out of {', '.join(SELECTIONS)}, found {how!r}")
