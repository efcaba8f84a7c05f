"""The pooled head: the mean over the prefix, through three linear layers."""

from __future__ import annotations

import torch
from torch import Tensor

from progfix.heads.base import ProgressHead
from progfix.heads.inputs import column
from progfix.heads.spec import HeadSpec

__all__ = ["PooledHead"]


class PooledHead(ProgressHead):
    """Mean of the inputs over the prefix, Linear -> hidden -> 32 -> 1 with ReLU between.

    It streams with any extra column: the running mean of a column that depends on the
    prefix length has a closed form, (T - 1)/(2 T) for the position, itself for the length.

    Raises:
        ValueError: If a learned initial state is asked for.

    Source: the no-GRU variant of Anish-1221/GTCC_CVPR2024_Reproduce,
    models/model_multiprong.py.
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        if spec.initial_state != "zero":
            raise ValueError("the pooled head has no initial state to learn")
        self.fc = self._readout(width + len(spec.extra), spec.hidden, 32)

    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_last`."""
        inside = torch.arange(embeddings.shape[1], device=lengths.device) < lengths[:, None]
        inputs = self.inputs(self.prepared(embeddings), lengths) * inside[..., None]
        raw: Tensor = self.fc(inputs.sum(dim=1) / lengths[:, None].to(inputs.dtype))
        return raw

    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_every`."""
        embeddings = self.prepared(embeddings)
        index = torch.arange(embeddings.shape[1], device=lengths.device)
        count = index + 1
        # Float64, so that the sum over a long segment equals the sums over its prefixes.
        parts = [(embeddings.double().cumsum(dim=1) / count[:, None]).to(embeddings.dtype)]
        for name in self.spec.extra:
            values = column(name, index, count, self.spec.frame_count_max)
            if name == "position":
                values = index / (2.0 * count)
            elif name == "elapsed":
                values = values.cumsum(dim=0) / count
            parts.append(values.to(embeddings.dtype)[None, :, None].expand(len(lengths), -1, 1))
        raw: Tensor = self.fc(torch.cat(parts, dim=-1))
        return raw
