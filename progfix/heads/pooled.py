"""The pooled head: the mean over the prefix, through three linear layers."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.heads.base import ProgressHead
from progfix.heads.inputs import column
from progfix.heads.online import State
from progfix.heads.spec import HeadSpec

__all__ = ["PooledHead"]


class PooledHead(ProgressHead):
    """Mean of the inputs over the prefix, Linear -> hidden -> 32 -> 1 with ReLU between.

    It streams with any extra column: the running mean of a column that depends on the
    prefix length has a closed form, (T - 1)/(2 T) for the position, itself for the length.

    Source: the no-GRU variant of Anish-1221/GTCC_CVPR2024_Reproduce,
    models/model_multiprong.py.
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        self.fc = self._readout(width + len(spec.extra), spec.hidden, 32)

    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_last`."""
        inside = torch.arange(embeddings.shape[1], device=lengths.device) < lengths[:, None]
        inputs = self.inputs(self.prepared(embeddings), lengths) * inside[..., None]
        raw: Tensor = self.fc(inputs.sum(dim=1) / lengths[:, None].to(inputs.dtype))
        return raw

    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_every`."""
        count = torch.arange(1, embeddings.shape[1] + 1, device=lengths.device)
        total = self.prepared(embeddings).double().cumsum(dim=1)
        means = self._means(total, self._clock(count).cumsum(dim=0), count)
        raw: Tensor = self.fc(means.to(embeddings.dtype))
        return raw

    def _begin(self, batch: int) -> State:
        total = self._zeros(batch, self.width, dtype=torch.float64)
        return (total, total.new_zeros(batch))

    def _raw_newest(self, frame: Tensor, elapsed: Tensor, carried: State) -> tuple[Tensor, State]:
        total, clock = carried[0] + frame.double(), carried[1] + self._clock(elapsed)
        raw: Tensor = self.fc(self._means(total, clock, elapsed).to(frame.dtype))
        return raw, (total, clock)

    def _clock(self, count: Tensor) -> Tensor:
        return column("elapsed", count - 1, count, self.spec.frame_count_max)

    def _means(self, total: Tensor, clock: Tensor, count: Tensor) -> Tensor:
        """Return the mean of every input over prefixes.

        Args:
            total: Sum of the embeddings, `(..., P, D)`, float64 so that the sum over a long
                segment equals the sums over its prefixes.
            clock: Sum of the column "elapsed", `(P,)`.
            count: Frames of each prefix, int64 `(P,)`.

        Returns:
            `(..., P, D + len(spec.extra))`.
        """
        parts = [total / count[:, None]]
        for name in self.spec.extra:
            if name == "position":
                values = (count - 1) / (2.0 * count)
            elif name == "elapsed":
                values = clock / count
            else:
                values = column(name, count - 1, count, self.spec.frame_count_max)
            parts.append(values[:, None].expand(*total.shape[:-1], 1))
        return torch.cat(parts, dim=-1)
