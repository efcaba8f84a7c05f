"""Answers on another scale than progress: percentages, logits, counts of frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding
from progfix.diagnosis.text import number
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.predictions import Predictions

__all__ = ["OTHER_SCALE", "SCALES", "WRONG_SCALE", "OffScale", "ScaleSums", "wrong_scale"]

OTHER_SCALE = "answers on another scale can be judged when they are on that of progress"
"""Why nothing else is looked for."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A scale that progress is sometimes given on.

    Attributes:
        noun: What answers on it are.
        remedy: What brings them to progress, after "you".
        done: The same, done.
        code: The same of `p` in Python.
        convert: The same of a table's answers.
        fits: Whether answers on it may have these 5 and 95 % quantiles, with room for noise.
    """

    noun: str
    remedy: str
    done: str
    code: str
    convert: Callable[[Predictions], Array]
    fits: Callable[[float, float], bool]


SCALES: Mapping[str, Scale] = {
    "percent": Scale(
        "percentages",
        "divide them by 100",
        "divided by 100",
        "p / 100",
        lambda table: table.prediction / 100,
        lambda low, high: low >= -10 and 10 < high <= 110,
    ),
    "points": Scale(
        "points out of ten",
        "divide them by 10",
        "divided by 10",
        "p / 10",
        lambda table: table.prediction / 10,
        lambda low, high: low >= -1 and 5 < high <= 11,
    ),
    # Answers that are never below 0 overshoot: a logit says less than one half by a minus.
    "logit": Scale(
        "logits",
        "take their sigmoid",
        "after a sigmoid",
        "torch.sigmoid(p)",
        lambda table: 1 / (1 + np.exp(-np.clip(table.prediction, -700, 700))),
        lambda low, high: low < -T.off_scale and high <= 100,
    ),
    "symmetric": Scale(
        "answers from -1 to 1",
        "add 1 and halve them",
        "plus 1 and halved",
        "(p + 1) / 2",
        lambda table: (table.prediction + 1) / 2,
        lambda low, high: -1.5 <= low < -T.off_scale and high <= 1.5,
    ),
    "frames": Scale(
        "counts of frames",
        "divide them by the length of their segment in frames",
        "divided by the length of their segment",
        "p / duration",
        lambda table: table.prediction / table.duration,
        lambda low, high: low >= -10 and high > 1 + T.off_scale,
    ),
}
"""What answers may be."""


@dataclass(frozen=True)
class OffScale:
    """Answers that are no progress from 0 to 1.

    Attributes:
        low: Their 5 % quantile.
        high: Their 95 % quantile.
        scale: Key of `SCALES`; None where none fits.
        mae: MAE of the answers as they would be as progress; NaN where no scale fits.
        mae_constant: That of answering 0.5.
    """

    low: float
    high: float
    scale: str | None
    mae: float
    mae_constant: float

    @property
    def constant(self) -> bool:
        """Whether nearly all are the same number below 0."""
        return self.low == self.high < 0

    def range(self) -> str:
        """Return where they are, after "answers"."""
        if self.constant:
            return f"are {self.low:.3g}"
        return f"lie from {self.low:.3g} to {self.high:.3g}"

    def words(self) -> str:
        """Return the verdict."""
        between = f"nine of ten answers {self.range()}"
        if self.constant:
            return (
                f"These are no answers from 0 to 1: {between}, which looks like a value that "
                "stands for none. Fill in what the model answers and ask again."
            )
        if self.scale is None:
            return f"These are no answers from 0 to 1: {between}. Bring them to it and ask again."
        known = SCALES[self.scale]
        return (
            f"These look like {known.noun}, not like progress from 0 to 1: {between}. If so, "
            f"{known.remedy} and ask again."
        )


@dataclass
class ScaleSums:
    """Sums of absolute errors of answers taken for each scale.

    Attributes:
        frames: Frames seen.
        clipped: With the answers as they are, clipped to [0, 1].
        converted: With the answers converted, by scale.
    """

    frames: int = 0
    clipped: float = 0.0
    converted: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SCALES, 0.0))

    def update(self, chunk: Predictions) -> None:
        """Add the rows of a chunk."""
        p, u = chunk.prediction, chunk.target
        self.frames += len(chunk)
        self.clipped += float(np.abs(np.clip(p, 0, 1) - u).sum())
        for name, scale in SCALES.items():
            self.converted[name] += float(np.abs(scale.convert(chunk) - u).sum())

    def judge(self, low: float, high: float, mae_constant: float) -> OffScale | None:
        """Say whether the answers are on another scale, and on which.

        A scale is believed where it explains the range and leaves an error that answers have
        which are progress: a random one's at most, and less than clipping them leaves. So
        a head that merely overshoots is not taken for another scale.

        Args:
            low: 5 % quantile of the answers.
            high: 95 % quantile.
            mae_constant: MAE of answering 0.5.
        """
        if not self.frames or (low >= -T.off_scale and high <= 1 + T.off_scale):
            return None
        bare = OffScale(low, high, None, math.nan, mae_constant)
        if bare.constant:
            return bare
        most = min(self.clipped / self.frames, T.believable * mae_constant)
        fits = {
            name: self.converted[name] / self.frames
            for name, scale in SCALES.items()
            if scale.fits(low, high)
        }
        best = min(fits, key=fits.__getitem__, default=None)
        if best is not None and fits[best] < most:
            return OffScale(low, high, best, fits[best], mae_constant)
        if low < -T.no_progress or high > T.no_progress:
            return bare
        return None


def wrong_scale(evidence: Evidence) -> Finding | None:
    """Find answers that are no progress from 0 to 1; nothing else can be said of them."""
    found = evidence.off_scale
    if found is None:
        return None
    known = None if found.scale is None else SCALES[found.scale]
    mend = (
        "Bring them to 0 to 1"
        if known is None
        else f"{known.remedy[0].upper()}{known.remedy[1:]} (p becomes {known.code})"
    )
    return Finding(
        "wrong-scale",
        "error",
        f"Answers {found.range()}, where progress goes from 0 to 1",
        "It is the same nearly everywhere, as a value that stands for none."
        if found.constant
        else "Neither percentages nor logits nor counts of frames fit them. Are they seconds?"
        if known is None
        else f"As {known.noun} they make sense: {known.done}, their MAE is {number(found.mae)} "
        f"(answering 0.5: {number(found.mae_constant)}).",
        {
            "prediction_low": found.low,
            "prediction_high": found.high,
            "looks_like": None if known is None else known.noun,
            "mae_converted": found.mae,
            "mae_constant": found.mae_constant,
            "threshold": T.off_scale,
        },
        advice=f"{mend}: where the model answers, or in the table's columns `prediction`, `lower` "
        "and `upper`.",
    )


WRONG_SCALE = Check("wrong-scale", wrong_scale, 1)
