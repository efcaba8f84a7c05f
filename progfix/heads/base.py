"""What all progress heads share: from raw outputs to progress, by prefix or in one pass."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from progfix.heads.inputs import extra_columns
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
        ValueError: If the width is below 1.
    """

    fc: nn.Sequential

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"expected an embedding width of at least 1, found {width}")
        self.spec = spec
        self.width = width

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

    def forward(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Return the progress at every frame, each frame the end of its own prefix.

        Args:
            embeddings: `(B, T, D)`, padded on the right.
            lengths: int64 `(B,)`, 1 to T.

        Returns:
            `(B, T)` in [0, 1]; zero beyond a segment's length.
        """
        answer = torch.sigmoid(self.raw_every(embeddings, lengths)[..., 0])
        inside = torch.arange(answer.shape[1], device=answer.device) < lengths[:, None]
        answer = torch.where(inside, answer, torch.zeros_like(answer))
        if self.spec.output == "increment":
            # The sum runs in float64: a thousand float32 increments would lose 1e-5.
            answer = answer.double().cumsum(dim=1).clamp(0.0, 1.0).to(answer.dtype)
            answer = torch.where(inside, answer, torch.zeros_like(answer))
        return answer

    def inputs(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Append the extra columns: `(B, T, D)` to `(B, T, D + len(spec.extra))`."""
        extra = extra_columns(self.spec, embeddings.shape[1], lengths, embeddings.dtype)
        return torch.cat([embeddings, extra], dim=-1) if self.spec.extra else embeddings

    def _set_last_bias(self) -> None:
        last = self.fc[-1]
        if self.spec.last_bias is not None and isinstance(last, nn.Linear):
            nn.init.constant_(last.bias, self.spec.last_bias)
