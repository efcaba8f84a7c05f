"""From the weights of an encoder to the encoder, in the GTCC code base's names."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from progfix.encoders.base import Encoder
from progfix.encoders.multiprong import MultiprongEncoder
from progfix.encoders.naive import NaiveEncoder
from progfix.encoders.resnet import ResnetEncoder
from progfix.encoders.shapes import Shapes
from progfix.encoders.stacking import StackingEncoder
from progfix.errors import InputError, Problem, listed

__all__ = ["ENCODERS", "load_weights", "rebuild_encoder"]

ENCODERS: Mapping[str, type[StackingEncoder | ResnetEncoder | NaiveEncoder]] = {
    "convolutional_layers.": StackingEncoder,
    "conv_embedding.": ResnetEncoder,
    "layers.": NaiveEncoder,
}
"""How the weights' names of a bare encoder begin, and which it then is."""


def rebuild_encoder(
    state: Mapping[str, Tensor], options: Mapping[str, object], *, where: str
) -> Encoder:
    """Return the encoder that these weights belong to, in evaluation mode, float32.

    The architecture is read off the weights: which names there are, and their shapes.

    Args:
        state: Weights by name, bare or of the multi-task network.
        options: What the weights do not tell (`Encoder.options`); what is missing takes
            its default.
        where: The file, to name in errors.

    Raises:
        InputError: If the weights are of no known encoder, or do not fit together.
    """
    shapes = Shapes({name: tuple(tensor.shape) for name, tensor in state.items()}, where)
    # Without storage: the weights come from the file, and a wild shape costs no memory.
    with torch.device("meta"):
        build = _multiprong if shapes.has("base_model.") else _bare
        encoder = build(shapes, options)
    load_weights(encoder, state, where=where)
    return encoder.eval()


def load_weights(
    module: torch.nn.Module, state: Mapping[str, Tensor], *, where: str, prefix: str = ""
) -> None:
    """Put float32 copies of weights into a module.

    Args:
        module: Whose parameters are replaced.
        state: Weights by name.
        where: The file, to name in errors.
        prefix: What was cut off the names, to name in errors.

    Raises:
        InputError: With every weight that is missing, left over or of another shape.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    problems = [
        Problem(
            f"{where}: {prefix}{name}",
            f"weights of shape {wanted[name]}" if name in wanted else "no weights of this name",
            f"shape {tuple(state[name].shape)}" if name in state else "none",
            "check that the file is complete and comes from the GTCC code base or progfix",
        )
        for name in dict.fromkeys((*wanted, *state))
        if name not in wanted or name not in state or wanted[name] != tuple(state[name].shape)
    ]
    if problems:
        raise InputError(problems)
    copies = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    module.load_state_dict(copies, assign=True)


def _bare(shapes: Shapes, options: Mapping[str, object]) -> Encoder:
    for start, kind in ENCODERS.items():
        if shapes.has(start):
            return kind.from_shapes(shapes, options)
    raise InputError(
        Problem(
            shapes.where,
            "the weights of an encoder, named "
            + ", ".join(f"{shapes.prefix}{start}*" for start in ENCODERS),
            listed(shapes.table),
            "pass a checkpoint of the GTCC code base or of progfix",
        )
    )


def _multiprong(shapes: Shapes, options: Mapping[str, object]) -> MultiprongEncoder:
    heads = len({name.split(".")[0] for name in shapes.below("head_models.").table})
    attention = shapes.hidden("attention_layer")
    hidden = shapes.hidden("head_models.0.fc_layers")
    if attention is None or hidden is None:
        raise InputError(
            Problem(
                shapes.where,
                "a multi-task network with base_model, head_models and attention_layer",
                "no attention_layer" if attention is None else "no head_models.0",
                "check that the file is complete and comes from the GTCC code base or progfix",
            )
        )
    return MultiprongEncoder(
        base=_bare(shapes.below("base_model."), options),
        heads=heads,
        hidden=hidden,
        attention=attention,
        drop=shapes.hidden("dropout"),
    )
