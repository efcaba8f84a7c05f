"""The tcn head: causal dilated convolutions over the frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, pad

from progfix.heads.causal import CausalHead
from progfix.heads.online import State
from progfix.heads.spec import Convolution, HeadSpec

__all__ = ["TcnHead"]


class TcnHead(CausalHead):
    """Linear -> hidden, ReLU, residual blocks of a causal dilated convolution, -> 32 -> K.

    A frame sees 1 + (kernel - 1) x sum(dilations) frames, 127 by default, and nothing
    before. How much was seen is known beyond that only to the column "elapsed".

    Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 8a6f44d (the
    blocks; with batch normalisation, which we replace: its statistics over the frames of a
    batch, padding and later frames among them, are not those of a frame by itself).
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        shape = spec.convolution or Convolution()
        self.input_proj = nn.Sequential(nn.Linear(width + len(spec.extra), spec.hidden), nn.ReLU())
        self.blocks = nn.ModuleList(
            _Block(spec.hidden, shape.kernel, dilation, shape.norm) for dilation in shape.dilations
        )

    def _layers(self, hidden: Tensor) -> Tensor:
        for block in self._each():
            hidden = block(pad(hidden, (0, 0, block.reach, 0)))
        return hidden

    def _begin(self, batch: int) -> State:
        return tuple(self._zeros(batch, block.reach, self.spec.hidden) for block in self._each())

    def _layers_newest(
        self,
        hidden: Tensor,
        elapsed: Tensor,  # noqa: ARG002
        carried: State,
    ) -> tuple[Tensor, State]:
        kept = []
        for block, earlier in zip(self._each(), carried, strict=True):
            seen = torch.cat([earlier, hidden[:, None]], dim=1)
            kept.append(seen[:, 1:])
            hidden = block(seen)[:, 0]
        return hidden, tuple(kept)

    def _each(self) -> list[_Block]:
        return [block for block in self.blocks if isinstance(block, _Block)]


class _Block(nn.Module):
    """Dilated convolution, norm, ReLU, 1 x 1 convolution, added to the frame itself."""

    def __init__(self, width: int, kernel: int, dilation: int, norm: str) -> None:
        super().__init__()
        self.reach = (kernel - 1) * dilation
        self.conv_dilated = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.norm = nn.LayerNorm(width) if norm == "layer" else _StoredNorm(width)
        self.conv_1x1 = nn.Conv1d(width, width, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Answer every frame after the first `reach`, `(B, reach + T, H)` to `(B, T, H)`."""
        convolved = self.conv_dilated(frames.transpose(1, 2)).transpose(1, 2)
        mixed = self.conv_1x1(torch.relu(self.norm(convolved)).transpose(1, 2)).transpose(1, 2)
        result: Tensor = frames[:, self.reach :] + mixed
        return result


class _StoredNorm(nn.Module):
    """Batch normalisation by stored statistics, in training too."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, frames: Tensor) -> Tensor:
        """Normalise the last axis, `(B, T, H)` to `(B, T, H)`."""
        normed = batch_norm(
            frames.transpose(1, 2), self.running_mean, self.running_var, self.weight, self.bias
        )
        return normed.transpose(1, 2)
