"""The users' transformer and dilated-convolution heads, in few lines and their names.

Written from the description of their classes (8a6f44d to 048b71e): one prefix `(T, D)` in,
its progress out, frame by frame where the layers look back.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Head(nn.Module, ABC):
    """What both have in common: the frame count, one frame past the layers, the readout."""

    input_proj: nn.Sequential

    def __init__(self, hidden: int, count_max: float | None) -> None:
        super().__init__()
        self.count_max = count_max
        self.output_mlp = nn.Sequential(
            nn.Linear(hidden, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()
        )

    @abstractmethod
    def look_back(self, frames: Tensor) -> Tensor:
        """Return each frame, `(T, hidden)`, with what the layers saw before it."""

    def forward(self, prefix: Tensor) -> Tensor:
        if self.count_max is not None:
            count = math.log1p(len(prefix)) / math.log1p(self.count_max)
            prefix = torch.cat([prefix, torch.full((len(prefix), 1), count)], dim=1)
        frames = self.input_proj(prefix)
        if len(prefix) > 1:
            frames = self.look_back(frames)
        answer: Tensor = self.output_mlp(frames[-1])[0]
        return answer


class Layer(nn.Module):
    def __init__(self, width: int, feedforward: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.ffn = nn.Sequential(
            nn.Linear(width, feedforward), nn.GELU(), nn.Dropout(), nn.Linear(feedforward, width)
        )
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)


class Transformer(Head):
    def __init__(
        self, width: int, count_max: float | None, hidden: int, layers: int, feedforward: int
    ) -> None:
        super().__init__(hidden, count_max)
        inputs = width + (count_max is not None)
        self.input_proj = nn.Sequential(nn.Linear(inputs, hidden), nn.LayerNorm(hidden))
        self.layers = nn.ModuleList(Layer(hidden, feedforward) for _ in range(layers))
        self.register_buffer("alibi_slopes", torch.tensor([1.0, 0.5, 0.25, 0.125]))

    def look_back(self, frames: Tensor) -> Tensor:
        slopes = dict(self.named_buffers())["alibi_slopes"].tolist()
        size = frames.shape[1] // len(slopes)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            normed = layer.norm1(frames)
            query, key, value = layer.q_proj(normed), layer.k_proj(normed), layer.v_proj(normed)
            seen = torch.zeros_like(frames)
            for now in range(len(frames)):
                for head, slope in enumerate(slopes):
                    part = slice(head * size, (head + 1) * size)
                    scores = key[: now + 1, part] @ query[now, part] / math.sqrt(size)
                    scores = scores - slope * torch.arange(now, -1, -1)
                    seen[now, part] = torch.softmax(scores, dim=0) @ value[: now + 1, part]
            frames = frames + layer.out_proj(seen)
            frames = frames + layer.ffn(layer.norm2(frames))
        return frames


class Block(nn.Module):
    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv_dilated = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.bn = nn.BatchNorm1d(width)
        self.conv_1x1 = nn.Conv1d(width, width, 1)


class Dilated(Head):
    def __init__(
        self,
        width: int,
        count_max: float | None,
        hidden: int,
        kernel: int,
        dilations: tuple[int, ...],
    ) -> None:
        super().__init__(hidden, count_max)
        inputs = width + (count_max is not None)
        self.input_proj = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU())
        self.blocks = nn.ModuleList(Block(hidden, kernel, dilation) for dilation in dilations)

    def look_back(self, frames: Tensor) -> Tensor:
        for block in self.blocks:
            assert isinstance(block, Block)
            weight, (dilation,) = block.conv_dilated.weight, block.conv_dilated.dilation
            taps = weight.shape[2]
            convolved = []
            for now in range(len(frames)):
                total = block.conv_dilated.bias
                assert total is not None
                for tap in range(taps):
                    then = now - (taps - 1 - tap) * dilation
                    if then >= 0:
                        total = total + weight[:, :, tap] @ frames[then]
                convolved.append(total)
            normed = torch.relu(block.bn(torch.stack(convolved)))
            frames = frames + block.conv_1x1(normed.T[None])[0].T
        return frames
