"""`resnet50`: 3-D convolutions on the feature maps of the frames before a frame."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from progfix.encoders.base import Encoder, mlp
from progfix.encoders.shapes import Shapes
from progfix.errors import InputError, Problem

__all__ = ["ResnetEncoder"]

STACKS_AT_ONCE = 16
"""Stacks that are convolved together (a stack of 2 frames of 1024 x 14 x 14 is 1.6 MB)."""

LARGEST = 64
"""Deepest stack and largest feature map that is believed."""


class ResnetEncoder(Encoder):
    """Convolutions over the stack of the frames *before* t, global maximum, linear layers.

    Frame t itself is never seen: with a depth of 2 its embedding comes from t - 2 and
    t - 1, zeros before the video, so that the embedding of frame 0 is a constant. ReLU
    follows every layer, the last included.

    Args:
        channels: Channels of a feature map.
        frame_size: Height and width of a feature map.
        temporal_depth: Frames of a stack.
        widths: Channels of the second convolution, then the widths of the linear layers;
            the last is the size of an embedding.
        drop: Widths between input and output of GTCC's drop network, or None.

    Source: gerardDonahue/GTCC_CVPR2024, models/model_singleprong.py (Resnet50Encoder).
    """

    causal = True

    def __init__(
        self,
        *,
        channels: int = 1024,
        frame_size: int = 14,
        temporal_depth: int = 2,
        widths: tuple[int, ...] = (512, 512, 512, 128),
        drop: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.input_shape = (channels, frame_size, frame_size)
        self.output_size = widths[-1]
        self.temporal_depth = temporal_depth
        self.conv_embedding = nn.Sequential(
            nn.Conv3d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv3d(channels, widths[0], 3, padding=1),
            nn.ReLU(),
        )
        self.linear_embedding = mlp(widths)
        size = self.output_size
        self.dropout = None if drop is None else mlp((size, *drop, size + 1), nn.Tanh)

    @property
    def options(self) -> dict[str, object]:
        """The depth of a stack and the size of a map, which no weight shows."""
        return {"temporal_depth": self.temporal_depth, "frame_size": self.input_shape[1]}

    @classmethod
    def from_shapes(cls, shapes: Shapes, options: Mapping[str, object]) -> ResnetEncoder:
        """Return an encoder with these weight shapes.

        `options` may have its `temporal_depth` and `frame_size`.

        Raises:
            InputError: If the weights are not those of such an encoder, or an option is
                no positive number.
        """
        depth = _count(options, "temporal_depth", 2, "frames", shapes.where)
        frame_size = _count(options, "frame_size", 14, "pixels", shapes.where)
        first = shapes.chain("conv_embedding", dimensions=5)[0]
        layers = shapes.chain("linear_embedding")
        return cls(
            channels=first[1],
            frame_size=frame_size,
            temporal_depth=depth,
            widths=(layers[0][1], *(layer[0] for layer in layers)),
            drop=shapes.hidden("dropout"),
        )

    def forward(self, features: Tensor) -> Tensor:
        """See `Encoder.forward`."""
        depth = self.temporal_depth
        before = features.new_zeros((depth, *features.shape[1:]))
        padded = torch.cat([before, features[:-1]])
        pooled = []
        for start in range(0, len(features), STACKS_AT_ONCE):
            frames = padded[start : start + STACKS_AT_ONCE + depth - 1]
            stacks = frames.unfold(0, depth, 1).permute(0, 1, 4, 2, 3)  # (n, C, depth, H, W)
            pooled.append(self.conv_embedding(stacks).amax(dim=(2, 3, 4)))
        return torch.relu(self.linear_embedding(torch.cat(pooled)))


def _count(options: Mapping[str, object], name: str, default: int, unit: str, where: str) -> int:
    value = options.get(name, default)
    if isinstance(value, int) and 1 <= value <= LARGEST:
        return value
    raise InputError(
        Problem(
            f"{where}: {name}",
            f"a number of {unit} from 1 to {LARGEST}",
            repr(value),
            "correct the configuration in the file",
        )
    )
