"""From the weights of an encoder to the encoder, in the GTCC code base's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from progfix.encoders.base import Encoder
from progfix.encoders.multiprong import MultiprongEncoder
from progfix.encoders.naive import NaiveEncoder
from progfix.encoders.resnet import ResnetEncoder
from progfix.encoders.shapes import Shapes
from progfix.encoders.stacking import StackingEncoder
from progfix.errors import InputError, Problem, at_most, listed

__all__ = [
    "ENCODERS",
    "EncoderKind",
    "InitialWeights",
    "load_weights",
    "new_encoder",
    "rebuild_encoder",
]

EncoderKind = Literal["stacking", "resnet", "naive"]
InitialWeights = Literal["he", "torch"]

ENCODERS: Mapping[str, type[StackingEncoder | ResnetEncoder | NaiveEncoder]] = {
    "convolutional_layers.": StackingEncoder,
    "conv_embedding.": ResnetEncoder,
    "layers.": NaiveEncoder,
}
"""How the weights' names of a bare encoder begin, and which it then is."""


_DROP = (256, 1024, 512, 256)
"""Widths within the drop network as the GTCC code base configures it."""


def new_encoder(
    kind: EncoderKind,
    input_shape: tuple[int, ...],
    *,
    size: int = 128,
    causal: bool = True,
    heads: int | None = None,
    drop: bool = False,
    initial: InitialWeights = "he",
) -> Encoder:
    """Return a freshly initialised encoder with the widths of the GTCC code base.

    Args:
        kind: "stacking" and "naive" take vectors, "resnet" square feature maps.
        input_shape: Of one frame's features, `(D_in,)` or `(C, S, S)`.
        size: Size D of an embedding.
        causal: Whether an embedding may depend on no later frame. Only "stacking" and the
            multi-task network can look ahead.
        heads: Heads of the multi-task network on this encoder; None is the bare encoder.
        drop: Whether it has GTCC's drop network.
        initial: "he" (He et al., ICCV 2015) keeps the scale of the features through the
            layers; "torch", which the GTCC code base has, shrinks it several hundred times in the
            seven of "stacking", so that all frames look alike to a loss with a temperature.

    Raises:
        ValueError: If the kind cannot take features of this shape.
    """
    dimensions = 3 if kind == "resnet" else 1
    if len(input_shape) != dimensions or len(set(input_shape[1:])) > 1:
        raise ValueError(f"expected features that {kind} can take, found shape {input_shape}")
    own = _DROP if drop and heads is None else None
    base: Encoder
    match kind:
        case "stacking":
            base = StackingEncoder(
                input_size=input_shape[0],
                widths=(2 * size, *[size] * 6),
                drop=own,
                causal=causal,
            )
        case "naive":
            base = NaiveEncoder(
                input_size=input_shape[0], widths=(1024, 512, 512, 256, size), drop=own
            )
        case "resnet":
            base = ResnetEncoder(
                channels=input_shape[0],
                frame_size=input_shape[1],
                widths=(512, 512, 512, size),
                drop=(512, 256) if own else None,
            )
    encoder: Encoder = base
    if heads is not None:
        encoder = MultiprongEncoder(
            base=base, heads=heads, drop=_DROP if drop else None, per_frame=causal
        )
    if initial == "he":
        for name, module in encoder.named_modules():
            weighs = name.startswith(("attention_layer", "dropout"))
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv3d) and not weighs:
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
    return encoder


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
        fix = problems[0].fix
        raise InputError(
            at_most(problems, where=where, expected="the same weights", kind="that differ", fix=fix)
        )
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
        per_frame=options.get("per_frame") is True,
    )
