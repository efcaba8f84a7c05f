"""`temporal_stacking`: convolutions over time on frame features."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from progfix.encoders.base import Encoder, mlp
from progfix.encoders.shapes import Shapes

__all__ = ["StackingEncoder"]


class StackingEncoder(Encoder):
    """Bias-free convolutions over time, ReLU between them and none after the last.

    Every convolution keeps the length: a kernel of k frames sees (k - 1) // 2 frames before
    its own and k // 2 after it, zeros beyond the video. With the default numbers an
    embedding depends on 6 earlier and 7 later frames. Causal, the same kernels see k - 1
    frames before their own and none after it: 13 earlier frames.

    Args:
        input_size: Size of a frame's features.
        widths: Channels after each convolution; the last is the size of an embedding.
        temporal_depth: Frames of the first kernel; the others have 3.
        drop: Widths between input and output of GTCC's drop network, or None.
        causal: See no later frame; the original looks ahead.

    Source: gerardDonahue/GTCC_CVPR2024, models/model_singleprong.py (StackingEncoder).
    """

    def __init__(
        self,
        *,
        input_size: int = 2048,
        widths: tuple[int, ...] = (256, 128, 128, 128, 128, 128, 128),
        temporal_depth: int = 2,
        drop: tuple[int, ...] | None = None,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.input_shape = (input_size,)
        self.output_size = widths[-1]
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(zip((input_size, *widths), widths, strict=False)):
            if index:
                layers.append(nn.ReLU())
            layers.append(nn.Conv1d(before, after, 3 if index else temporal_depth, bias=False))
        self.convolutional_layers = nn.Sequential(*layers)
        size = self.output_size
        self.dropout = None if drop is None else mlp((size, *drop, size + 1))

    @property
    def options(self) -> dict[str, object]:
        """Whether it is causal, which no weight shows."""
        return {"causal": self.causal}

    @classmethod
    def from_shapes(cls, shapes: Shapes, options: Mapping[str, object]) -> StackingEncoder:
        """Return an encoder with these weight shapes, causal where `options` say so.

        Raises:
            InputError: If the weights are not those of such an encoder.
        """
        layers = shapes.chain("convolutional_layers", dimensions=3)
        return cls(
            input_size=layers[0][1],
            widths=tuple(layer[0] for layer in layers),
            temporal_depth=layers[0][2],
            drop=shapes.hidden("dropout"),
            causal=options.get("causal") is True,
        )

    def forward(self, features: Tensor) -> Tensor:
        """See `Encoder.forward`."""
        signal = features.T[None]
        for layer in self.convolutional_layers:
            if isinstance(layer, nn.Conv1d):
                kernel = layer.kernel_size[0]
                ahead = 0 if self.causal else kernel // 2
                signal = functional.pad(signal, (kernel - 1 - ahead, ahead))
            signal = layer(signal)
        return torch.squeeze(signal, 0).T
