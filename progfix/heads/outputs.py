"""What a head's raw outputs mean: how they become progress, and what their error costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from progfix.heads import remaining
from progfix.heads.online import OnlineAnswer, State
from progfix.heads.spec import Output

__all__ = ["LEVELS", "OUTPUTS", "Answers", "OutputRule", "Truth"]

LEVELS: Mapping[str, float] = {
    "lower_95": 0.025,
    "lower": 0.1,
    "lower_50": 0.25,
    "progress": 0.5,
    "upper_50": 0.75,
    "upper": 0.9,
    "upper_95": 0.975,
}
"""What a head that answers a distribution reads from it: names and levels of quantiles."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of P prefixes.

    Attributes:
        elapsed: int64 `(P,)`, frames of the prefix.
        duration: int64 `(P,)`, frames of the segment, or a lower bound where `censored`.
        censored: bool `(P,)`.
    """

    elapsed: Tensor
    duration: Tensor
    censored: Tensor

    @property
    def target(self) -> Tensor:
        """Progress elapsed / duration, float64 `(P,)` in (0, 1]."""
        return self.elapsed.double() / self.duration.double()

    @property
    def remaining(self) -> Tensor:
        """Frames left, the current one included, int64 `(P,)`."""
        return self.duration - self.elapsed + 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Progress at each place, and where the head gives them, intervals around it.

    Attributes:
        progress: In [0, 1].
        lower: Lower end of the 80 % interval, same shape, or None.
        upper: Its upper end, same shape, or None.
        lower_50: Lower end of the 50 % interval, same shape, or None.
        upper_50: Its upper end, same shape, or None.
        lower_95: Lower end of the 95 % interval, same shape, or None.
        upper_95: Its upper end, same shape, or None.
        crps: Score of the distribution against the truth, same shape, or None.
        pit: Probability integral transform of the truth, same shape, or None.
    """

    progress: Tensor
    lower: Tensor | None = None
    upper: Tensor | None = None
    lower_50: Tensor | None = None
    upper_50: Tensor | None = None
    lower_95: Tensor | None = None
    upper_95: Tensor | None = None
    crps: Tensor | None = None
    pit: Tensor | None = None


class OutputRule(ABC):
    """How raw outputs are read.

    Attributes:
        size: Raw outputs per prefix, K.
    """

    size = 1

    @abstractmethod
    def answers(self, raw: Tensor, lengths: Tensor) -> Answers:
        """Read the raw outputs at every frame of whole segments.

        Args:
            raw: `(B, T, K)`, at every prefix; what lies beyond a segment is read too.
            lengths: int64 `(B,)`, durations of the segments, for the scores.

        Returns:
            Answers of shape `(B, T)`.
        """

    @abstractmethod
    def answer_newest(
        self, raw: Tensor, elapsed: Tensor, carried: State
    ) -> tuple[OnlineAnswer, State]:
        """Read the raw outputs at the current frame of B segments.

        Args:
            raw: `(B, K)`.
            elapsed: int64 `(B,)`.
            carried: What the frame before returned; before the first, `begin`.

        Returns:
            The answer, and what the next frame needs.
        """

    def begin(self, elapsed: Tensor) -> State:  # noqa: ARG002
        """Return what `answer_newest` carries before the first frame.

        Args:
            elapsed: int64 `(B,)` on the head's device, all zero.
        """
        return ()

    @abstractmethod
    def loss(self, raw: Tensor, truth: Truth) -> Tensor:
        """Return what the error at each prefix costs, `(P, K)` to `(P,)`."""


class ProgressOutput(OutputRule):
    """The sigmoid of the raw output is the progress; L1."""

    def answers(self, raw: Tensor, lengths: Tensor) -> Answers:  # noqa: ARG002
        """See `OutputRule.answers`."""
        return Answers(torch.sigmoid(raw[..., 0]))

    def answer_newest(
        self,
        raw: Tensor,
        elapsed: Tensor,  # noqa: ARG002
        carried: State,
    ) -> tuple[OnlineAnswer, State]:
        """See `OutputRule.answer_newest`."""
        return OnlineAnswer(torch.sigmoid(raw[:, 0])), carried

    def loss(self, raw: Tensor, truth: Truth) -> Tensor:
        """See `OutputRule.loss`."""
        return (torch.sigmoid(raw[:, 0]) - truth.target.to(raw.dtype)).abs()


class IncrementOutput(OutputRule):
    """The sigmoid of the raw output is what the frame adds; L1 against 1/L (solution d)."""

    def answers(self, raw: Tensor, lengths: Tensor) -> Answers:  # noqa: ARG002
        """See `OutputRule.answers`."""
        # The sum runs in float64: a thousand float32 increments would lose 1e-5.
        total = torch.sigmoid(raw[..., 0]).double().cumsum(dim=-1)
        return Answers(total.clamp(0.0, 1.0))

    def begin(self, elapsed: Tensor) -> State:
        """See `OutputRule.begin`."""
        return (elapsed.double(),)

    def answer_newest(
        self,
        raw: Tensor,
        elapsed: Tensor,  # noqa: ARG002
        carried: State,
    ) -> tuple[OnlineAnswer, State]:
        """See `OutputRule.answer_newest`."""
        total = carried[0] + torch.sigmoid(raw[:, 0]).double()
        return OnlineAnswer(total.clamp(0.0, 1.0)), (total,)

    def loss(self, raw: Tensor, truth: Truth) -> Tensor:
        """See `OutputRule.loss`."""
        return (torch.sigmoid(raw[:, 0]) - 1.0 / truth.duration.to(raw.dtype)).abs()


class RemainingOutput(OutputRule):
    """The raw outputs are logits over remaining frames; logarithmic score (solution h)."""

    size = remaining.BINS

    def answers(self, raw: Tensor, lengths: Tensor) -> Answers:
        """See `OutputRule.answers`."""
        batch, frames, _ = raw.shape
        elapsed = torch.arange(1, frames + 1, device=raw.device).repeat(batch)
        # Beyond a segment's end the truth is taken to be its last frame: nobody reads it.
        duration = torch.maximum(lengths.repeat_interleave(frames), elapsed)
        logits = raw.flatten(0, 1)
        parts = {
            **_quantiles(logits, elapsed),
            "crps": remaining.crps(logits, elapsed, elapsed / duration),
            "pit": remaining.pit(logits, duration - elapsed + 1),
        }
        return Answers(**{name: part.reshape(batch, frames) for name, part in parts.items()})

    def answer_newest(
        self, raw: Tensor, elapsed: Tensor, carried: State
    ) -> tuple[OnlineAnswer, State]:
        """See `OutputRule.answer_newest`."""
        quantiles = _quantiles(raw, elapsed)
        left = elapsed / quantiles["progress"] - (elapsed - 1)
        return OnlineAnswer(
            **quantiles, remaining=left, expected_remaining=remaining.expected(raw)
        ), carried

    def loss(self, raw: Tensor, truth: Truth) -> Tensor:
        """See `OutputRule.loss`."""
        return remaining.negative_log_likelihood(raw, truth.remaining, truth.censored)


def _quantiles(logits: Tensor, elapsed: Tensor) -> dict[str, Tensor]:
    """Return the quantiles of `LEVELS` of each of P forecasts, `(P,)` each."""
    levels = torch.tensor(list(LEVELS.values()), device=logits.device)
    found = remaining.progress_quantiles(logits, elapsed, levels).unbind(-1)
    return dict(zip(LEVELS, found, strict=True))


OUTPUTS: Mapping[Output, OutputRule] = {
    "progress": ProgressOutput(),
    "increment": IncrementOutput(),
    "remaining": RemainingOutput(),
}
