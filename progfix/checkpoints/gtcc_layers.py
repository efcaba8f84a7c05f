"""The layers of the fork's transformer and dilated-convolution heads, read off their weights.

    input_proj.0, .1                          Linear, then LayerNorm (transformer) or ReLU
    layers.N.{q,k,v,out}_proj, ffn.0, ffn.3, norm1, norm2;  alibi_slopes
    blocks.N.{conv_dilated, bn, conv_1x1}
    output_mlp.0, .2                          Linear -> 32, ReLU, Linear -> 1, sigmoid

Both read the frame count of the prefix at most, look back over the whole prefix, normalise
by stored statistics when they answer, and pass a prefix of a single frame by their layers.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 8a6f44d, c864bd8,
45e9c2f and 048b71e.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from progfix.checkpoints.fields import section
from progfix.errors import InputError, Problem
from progfix.heads.spec import Attention, Convolution

__all__ = ["BUFFERS", "attention_of", "convolution_of", "our_name"]

BUFFERS = ("alibi_slopes", "running_mean", "running_var")
"""How the names of tensors end that no optimiser has."""

_FORK_DILATIONS = (1, 2, 4, 8, 16, 32)
"""What the fork builds where the configuration of a head names none."""

_LARGEST = 65_536
_FIX = "check that the file is complete and comes from the GTCC code base"


def our_name(name: str) -> str:
    """Return what progfix calls a weight of a head of the fork."""
    return name.replace("output_mlp.", "fc.", 1).replace(".bn.", ".norm.", 1)


def attention_of(state: Mapping[str, Tensor], hidden: int, where: str) -> Attention:
    """Return the layers of a transformer head.

    Args:
        state: Weights by name, without `progress_head.`.
        hidden: Width of what goes through them.
        where: The file, to name in errors.

    Raises:
        InputError: If the weights do not show them.
    """
    slopes, first = state.get("alibi_slopes"), state.get("layers.0.ffn.0.weight")
    if slopes is None or first is None or slopes.dim() != 1 or first.dim() != 2:
        expected = "progress_head.alibi_slopes and progress_head.layers.0.ffn.0.weight"
        raise InputError(Problem(where, expected, ", ".join(state), _FIX))
    if not len(slopes) or hidden % len(slopes):
        found = f"{len(slopes)} slopes for {hidden} units"
        raise InputError(Problem(where, "one slope per attention head", found, _FIX))
    return Attention(
        layers=_count(state, "layers."),
        heads=len(slopes),
        feedforward=first.shape[0],
        window=None,
    )


def convolution_of(
    state: Mapping[str, Tensor], learnable: Mapping[object, object], where: str
) -> Convolution:
    """Return the blocks of a dilated-convolution head.

    The weights do not show the dilations: the configuration names them, or leaves them to
    the fork's default; without a configuration nothing tells them.

    Args:
        state: Weights by name, without `progress_head.`.
        learnable: `config.PROGRESS_LOSS.learnable`; empty where there is none.
        where: The file, to name in errors.

    Raises:
        InputError: If weights or configuration do not show them.
    """
    first = state.get("blocks.0.conv_dilated.weight")
    if first is None or first.dim() != 3:
        expected = "progress_head.blocks.0.conv_dilated.weight"
        raise InputError(Problem(where, expected, ", ".join(state), _FIX))
    blocks = _count(state, "blocks.")
    named = section(learnable, "dilated_conv_config").get("dilations", _FORK_DILATIONS)
    dilations = tuple(named) if isinstance(named, list | tuple) else ()
    if not learnable:
        found = f"no configuration, and {blocks} blocks whose weights do not show them"
    elif all(type(d) is int and 1 <= d <= _LARGEST for d in dilations) and len(dilations) == blocks:
        return Convolution(dilations=dilations, kernel=first.shape[2], norm="batch")
    else:
        found = f"{named!r} for {blocks} blocks"
    raise InputError(
        Problem(
            f"{where}: config.PROGRESS_LOSS.learnable.dilated_conv_config.dilations",
            "the dilation of every block",
            found,
            "add the list that the head was trained with to the file's config, or wrap the "
            "model with --model",
        )
    )


def _count(state: Mapping[str, Tensor], start: str) -> int:
    return len({name.split(".")[1] for name in state if name.startswith(start)})
