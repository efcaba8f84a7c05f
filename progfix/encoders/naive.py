"""`naive`: every frame by itself."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from progfix.encoders.base import Encoder, mlp
from progfix.encoders.shapes import Shapes

__all__ = ["NaiveEncoder"]


class NaiveEncoder(Encoder):
    """Linear layers on each frame's features, ReLU between them and none after the last.

    The original connects its first layer to the widths of its drop network and cannot run;
    here each layer takes what the one before it gives.

    Args:
        input_size: Size of a frame's features.
        widths: Widths of the layers; the last is the size of an embedding.
        drop: Widths between input and output of GTCC's drop network, or None.

    Source: gerardDonahue/GTCC_CVPR2024, models/model_singleprong.py (NaiveEncoder).
    """

    causal = True

    def __init__(
        self,
        *,
        input_size: int = 2048,
        widths: tuple[int, ...] = (1024, 512, 512, 256, 128),
        drop: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.input_shape = (input_size,)
        self.output_size = widths[-1]
        self.layers = mlp((input_size, *widths))
        size = self.output_size
        self.dropout = None if drop is None else mlp((size, *drop, size + 1))

    @classmethod
    def from_shapes(cls, shapes: Shapes, options: Mapping[str, object]) -> NaiveEncoder:
        """Return an encoder with these weight shapes; there are no options to read.

        Raises:
            InputError: If the weights are not those of such an encoder.
        """
        del options
        layers = shapes.chain("layers")
        return cls(
            input_size=layers[0][1],
            widths=tuple(layer[0] for layer in layers),
            drop=shapes.hidden("dropout"),
        )

    def forward(self, features: Tensor) -> Tensor:
        """See `Encoder.forward`."""
        embeddings: Tensor = self.layers(features)
        return embeddings
