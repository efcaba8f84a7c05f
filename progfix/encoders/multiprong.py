"""The multi-task network: a shared encoder, several heads, and attention over them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from progfix.encoders.base import Encoder, mlp

__all__ = ["MultiprongEncoder"]


class MultiprongEncoder(Encoder):
    """An embedding is the sum of the heads' outputs, weighted by attention over the heads.

    With `per_frame` the weights of frame t come from what the heads answer at frame t. The
    original's attention reads the heads' outputs through a *view* instead: the stack
    `(H, T, D)` taken as `(T, H D)` without transposing it, so that the weights of frame t
    come from head `(t H + k) // T` at time `(t H + k) % T`, k < H. Every embedding then
    depends on frames far before and after it, and on the length of the video.

    Args:
        base: The shared encoder.
        heads: Number H of heads.
        hidden: Widths between input and output of a head, ReLU between.
        attention: Widths between input and output of the attention, Tanh between.
        drop: Widths between input and output of GTCC's drop network, or None.
        per_frame: Attend to the outputs of each frame by itself, not to the view.

    Source: gerardDonahue/GTCC_CVPR2024, models/model_multiprong.py.
    """

    def __init__(
        self,
        *,
        base: Encoder,
        heads: int,
        hidden: tuple[int, ...] = (512, 128, 256),
        attention: tuple[int, ...] = (512, 1024, 512, 512),
        drop: tuple[int, ...] | None = None,
        per_frame: bool = False,
    ) -> None:
        super().__init__()
        self.per_frame = per_frame
        self.causal = base.causal and per_frame
        size = base.output_size
        self.output_size = size
        self.input_shape = base.input_shape
        self.base_model = base
        self.head_models = nn.ModuleList(_Prong((size, *hidden, size)) for _ in range(heads))
        self.attention_layer = mlp((size * heads, *attention, heads), nn.Tanh)
        self.dropout = None if drop is None else mlp((size, *drop, size + 1))

    @property
    def options(self) -> dict[str, object]:
        """The options of the shared encoder, and what the attention reads."""
        return {**self.base_model.options, "per_frame": self.per_frame}

    def forward(self, features: Tensor) -> Tensor:
        """See `Encoder.forward`."""
        shared = self.base_model(features)
        outputs = torch.stack([head(shared) for head in self.head_models])
        ordered = outputs.transpose(0, 1) if self.per_frame else outputs
        read = ordered.reshape(len(features), -1)
        weights = torch.softmax(self.attention_layer(read), dim=1)
        return torch.einsum("htd,th->td", outputs, weights)


class _Prong(nn.Module):
    """One head, whose layers have the original's name."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.fc_layers = mlp(sizes)

    def forward(self, shared: Tensor) -> Tensor:
        output: Tensor = self.fc_layers(shared)
        return output
