"""What all encoders share, and the layers they are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["Encoder", "mlp"]


class Encoder(nn.Module, ABC):
    """Frame features of one video in, embeddings out.

    Parameter names are those of the GTCC code base, so that its checkpoints load.

    Attributes:
        output_size: Size D of an embedding.
        input_shape: Shape of one frame's features, `(D_in,)` or `(C, H, W)`.
        causal: Whether an embedding depends on no later frame than its own.
        dropout: GTCC's network that judges whether a video is to be dropped, D to D + 1;
            None for the other methods. Embeddings do not depend on it.
    """

    output_size: int
    input_shape: tuple[int, ...]
    causal: bool
    dropout: nn.Sequential | None

    @property
    def options(self) -> dict[str, object]:
        """What rebuilds the encoder together with its weights, but cannot be read off them."""
        return {}

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Return the embeddings of a whole video.

        Args:
            features: `(T, *input_shape)`.

        Returns:
            `(T, output_size)`.
        """


def mlp(sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Return linear layers with an activation between them and none after the last.

    The layers have the even indices 0, 2, 4, ...: `mlp([128, 512, 64])` is
    Linear(128, 512), ReLU, Linear(512, 64).

    Args:
        sizes: Width of the input and of every layer, at least two numbers.
        activation: Class of the activation.
    """
    layers: list[nn.Module] = []
    for index in range(1, len(sizes)):
        if index > 1:
            layers.append(activation())
        layers.append(nn.Linear(sizes[index - 1], sizes[index]))
    return nn.Sequential(*layers)
