"""What all progress heads share: from raw outputs to progress, by prefix or in one pass."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from progfix.heads import remaining
from progfix.heads.inputs import extra_columns
from progfix.heads.online import OnlineAnswer, State
from progfix.heads.outputs import OUTPUTS, Answers
from progfix.heads.spec import HeadSpec

__all__ = ["ProgressHead"]


class ProgressHead(nn.Module, ABC):
    """Embeddings of prefixes in, progress out.

    A subclass says how a padded batch of prefixes becomes one raw output per prefix
    (`raw_last`), and how one segment's raw outputs at all its prefixes come at once
    (`raw_every`), which must agree with it.

    Args:
        spec: The architecture.
        width: Size D of an embedding.

    Raises:
        ValueError: If the width is below 1 or the specification contradicts itself.
    """

    fc: nn.Sequential
    prior: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"expected an embedding width of at least 1, found {width}")
        if spec.contradiction is not None:
            raise ValueError(spec.contradiction)
        self.spec = spec
        self.width = width
        self.output = OUTPUTS[spec.output]
        if spec.output == "remaining":
            # Until `fit_prior`: durations of 2 to 500 frames, evenly on a logarithmic scale.
            even = torch.linspace(math.log(2), math.log(500), remaining.PRIOR_SIZE)
            self.register_buffer("prior", torch.cat([even, torch.tensor([0.5])]))
        if spec.normalise:
            self.register_buffer("mean", torch.zeros(width))
            self.register_buffer("scale", torch.ones(width))
        self.dropout = nn.Dropout(spec.dropout)
        self._prior_table = remaining.PriorTable()

    @property
    def streams(self) -> bool:
        """Whether one pass over a segment answers every prefix of it."""
        return self.spec.streams

    @abstractmethod
    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Return the raw output (before the sigmoid) of whole prefixes.

        Args:
            embeddings: `(B, T, D)`, padded on the right.
            lengths: int64 `(B,)`, 1 to T.

        Returns:
            `(B, K)`, K = 1 for a head that answers one number.
        """

    @abstractmethod
    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Return the raw output of every prefix of each segment.

        Args:
            embeddings: `(B, T, D)`, padded on the right.
            lengths: int64 `(B,)`, 1 to T.

        Returns:
            `(B, T, K)`; entry `[b, t]` belongs to the prefix of `t + 1` frames and means
            nothing for `t >= lengths[b]`.
        """

    def read(self, embeddings: Tensor, lengths: Tensor) -> Answers:
        """Answer every frame, each the end of its own prefix.

        Args:
            embeddings: `(B, T, D)`, padded on the right.
            lengths: int64 `(B,)`, 1 to T.

        Returns:
            Answers of shape `(B, T)`; they mean nothing beyond a segment's length.
        """
        elapsed = torch.arange(1, embeddings.shape[1] + 1, device=embeddings.device)
        raw = self.with_prior(self.raw_every(embeddings, lengths), elapsed)
        return self.output.answers(raw, lengths)

    @abstractmethod
    def _begin(self, batch: int) -> State:
        """Return what `_raw_newest` carries before the first frame of `batch` segments."""

    @abstractmethod
    def _raw_newest(self, frame: Tensor, elapsed: Tensor, carried: State) -> tuple[Tensor, State]:
        """Return the raw output `(B, K)` at the newest frame, and what the next one needs.

        Args:
            frame: Prepared, see `prepared`, `(B, D)`.
            elapsed: int64 `(B,)`, this frame included.
            carried: What the frame before returned; before the first, `_begin`.
        """

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first frame of `batch` segments.

        Each segment is a row of every tensor of the state: to begin one of them anew, put a
        row of an initial state in its place.

        Raises:
            ValueError: If the head cannot do this (`HeadSpec.why_no_step`).
        """
        self._check_steps()
        none = self._zeros(batch, dtype=torch.int64)
        return (none, *self.output.begin(none), *self._begin(batch))

    @torch.no_grad()
    def step(self, frame: Tensor, state: State) -> tuple[OnlineAnswer, State]:
        """Take one more frame of each segment: online use, constant work and memory.

        Args:
            frame: Embedding of the newest frame of B segments, `(B, D)`.
            state: What the frame before returned; before the first, `initial_state(B)`. It
                is not changed, so that a kept state can be gone on from again.

        Returns:
            The answer, equal to what `read` answers at this frame, and the next state.

        Raises:
            ValueError: If the head cannot do this (`HeadSpec.why_no_step`).
        """
        self._check_steps()
        elapsed, shared = state[0] + 1, len(self.output.begin(state[0]))
        raw, carried = self._raw_newest(self.prepared(frame), elapsed, state[1 + shared :])
        if self.spec.output == "remaining":
            raw = raw + remaining.log_prior(self.prior, elapsed).to(raw.dtype)
        answer, kept = self.output.answer_newest(raw, elapsed, state[1 : 1 + shared])
        return answer, (elapsed, *kept, *carried)

    def forward(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Return the progress at every frame, each frame the end of its own prefix.

        Args:
            embeddings: `(B, T, D)`, padded on the right.
            lengths: int64 `(B,)`, 1 to T.

        Returns:
            `(B, T)` in [0, 1]; zero beyond a segment's length.
        """
        progress = self.read(embeddings, lengths).progress.to(embeddings.dtype)
        inside = torch.arange(progress.shape[1], device=progress.device) < lengths[:, None]
        return torch.where(inside, progress, torch.zeros_like(progress))

    def fit_prior(self, durations: NDArray[np.int64]) -> None:
        """Take the training durations as what is known before anything is seen.

        Only a head that answers how long is left has such a prior; others are not changed.

        Args:
            durations: Frames of the training segments, `(n,)`.

        Raises:
            ValueError: If there is no duration.
        """
        if self.spec.output == "remaining":
            self.prior.copy_(remaining.duration_quantiles(durations))

    def fit_normalisation(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the training frames' mean and standard deviation, `(D,)` each.

        Only a head that normalises is changed. A column that hardly varies keeps its scale,
        so that noise in it is not blown up.
        """
        if self.spec.normalise:
            floor = 1e-3 * deviation.max().clamp_min(1e-12)
            self.mean.copy_(mean)
            self.scale.copy_(torch.where(deviation > floor, deviation, torch.ones_like(deviation)))

    @torch.no_grad()
    def follow_normalisation(self, mean: Tensor, square: Tensor, share: float) -> None:
        """Move the normalisation towards embeddings that change in training.

        Args:
            mean: Of the frames of a step, `(D,)`.
            square: Mean of their squares, `(D,)`.
            share: Of these in the new mean and mean square, in [0, 1].
        """
        if self.spec.normalise:
            before, scale = self.mean.double(), self.scale.double()
            square = torch.lerp(before.square() + scale.square(), square.to(before), share)
            mean = torch.lerp(before, mean.to(before), share)
            variance = (square - mean.square()).clamp_min(0.0)
            self.fit_normalisation(mean.to(self.mean), variance.sqrt().to(self.scale))

    def prepared(self, embeddings: Tensor) -> Tensor:
        """Return the embeddings as the layers see them: normalised, dropped in training."""
        if self.spec.normalise:
            embeddings = (embeddings - self.mean) / self.scale
        dropped: Tensor = self.dropout(embeddings)
        return dropped

    def with_prior(self, raw: Tensor, elapsed: Tensor) -> Tensor:
        """Add the log prior at each elapsed to raw outputs over remaining, and to no others.

        Args:
            raw: `(..., P, K)`.
            elapsed: int64 `(P,)`, at least 1.
        """
        if self.spec.output != "remaining":
            return raw
        return raw + self._prior_table.rows(self.prior, elapsed, raw)

    def inputs(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Append the extra columns: `(B, T, D)` to `(B, T, D + len(spec.extra))`.

        Args:
            embeddings: Prepared, see `prepared`.
            lengths: int64 `(B,)`, 1 to T.
        """
        extra = extra_columns(self.spec, embeddings.shape[1], lengths, embeddings.dtype)
        return torch.cat([embeddings, extra], dim=-1) if self.spec.extra else embeddings

    def _check_steps(self) -> None:
        if self.spec.why_no_step is not None:
            raise ValueError(f"the head cannot go frame by frame: {self.spec.why_no_step}")

    def _zeros(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """Return zeros on the device of the weights, of their type unless another is named."""
        weight = next(self.parameters())
        return torch.zeros(shape, dtype=dtype or weight.dtype, device=weight.device)

    def _readout(self, *sizes: int) -> nn.Sequential:
        """Return linear layers of these sizes with ReLU between, and the last one to K."""
        last = nn.Linear(sizes[-1], self.output.size)
        if self.spec.output == "remaining":
            # An untrained head adds nothing to the prior, and so counts frames.
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        if self.spec.last_bias is not None:
            nn.init.constant_(last.bias, self.spec.last_bias)
        layers: list[nn.Module] = []
        for size, following in pairwise(sizes):
            layers += [nn.Linear(size, following), nn.ReLU()]
        return nn.Sequential(*layers, last)
