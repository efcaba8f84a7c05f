"""Which progress head a users' checkpoint holds.

The weights show the kind, its layers, the width of the input and a learned initial state;
which columns stand behind the embedding is asked of `progfix.checkpoints.gtcc_columns`.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 3030255, 238da93,
8a6f44d, c864bd8, 45e9c2f and 048b71e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from progfix.checkpoints.fields import number
from progfix.checkpoints.gtcc_columns import LAYERED, RAW_WIDTH, Weights, check_asked, columns_of
from progfix.checkpoints.gtcc_layers import attention_of, convolution_of
from progfix.checkpoints.head_spec import parse_head_spec
from progfix.errors import InputError, Problem
from progfix.heads.spec import HeadKind, HeadSpec

__all__ = ["FoundHead", "expressible", "find_head"]

_KINDS: Mapping[str, HeadKind] = {
    "gru.": "gru",
    "alibi_slopes": "transformer",
    "layers.": "transformer",
    "blocks.": "tcn",
}
"""How names of weights begin that only one kind has; without any it is pooled."""

_FIRST: Mapping[HeadKind, str] = {
    "gru": "gru.weight_ih_l0",
    "pooled": "fc.0.weight",
    "transformer": "input_proj.0.weight",
    "tcn": "input_proj.0.weight",
}
"""The weights that meet the input, `(hidden, or 3 x hidden for a GRU, inputs)`."""

_OTHER_HEADS = {
    "input_proj.": "a head with an input projection",
    "action_embedding": "a head with action conditioning",
}
_OTHER_OPTIONS = {
    "use_input_projection": "a head with an input projection",
    "use_action_conditioning": "a head with action conditioning",
    "use_rate_of_change": "a head that reads the rate of change",
}


@dataclass(frozen=True)
class FoundHead:
    """A head as the weights and the configuration describe it.

    Attributes:
        spec: Its architecture.
        width: Size of the vectors it reads, without further columns.
        raw: It reads the features themselves instead of the embeddings.
    """

    spec: HeadSpec
    width: int
    raw: bool


def find_head(
    state: Mapping[str, Tensor],
    learnable: Mapping[object, object],
    embedding: int,
    *,
    asked: HeadSpec | str | None,
    where: str,
) -> FoundHead:
    """Return the head that the weights belong to.

    Args:
        state: Weights by name, without `progress_head.`.
        learnable: `config.PROGRESS_LOSS.learnable`; empty where there is none.
        embedding: Size of the encoder's embeddings.
        asked: What the user says the head is, as a text (`parse_head_spec`) or
            specification; None lets file and rules decide.
        where: The file, to name in errors.

    Raises:
        InputError: If the head is of a kind that progfix does not know, the configuration
            leaves a doubt or contradicts the weights, or the user's word does not fit.
    """
    shown = [kind for start, kind in _KINDS.items() if any(n.startswith(start) for n in state)]
    kind: HeadKind = shown[0] if shown else "pooled"
    layered = kind in LAYERED
    if not layered:
        _refuse_other_heads(state, learnable, where)
    seen = _read(state, kind, where)
    maximum = number(learnable.get("frame_count_max"))
    default = HeadSpec(
        kind=kind,
        hidden=seen.hidden,
        attention=attention_of(state, seen.hidden, where) if kind == "transformer" else None,
        convolution=convolution_of(state, learnable, where) if kind == "tcn" else None,
        skip_first=layered,
        frame_count_max=maximum if maximum and maximum > 0 else 300.0,
        # The fork starts the last bias at -2 since the commit that brought this key.
        last_bias=-2.0 if "use_frame_count" in learnable else None,
    )
    if asked is None:
        base, extra = columns_of(seen, learnable, embedding, where)
        spec = replace(default, extra=extra)
    else:
        if isinstance(asked, str):
            asked = parse_head_spec(asked, default=default)
        spec = replace(
            asked,
            hidden=seen.hidden,
            attention=default.attention,
            convolution=default.convolution,
            skip_first=layered,
        )
        base = seen.inputs - len(spec.extra)
        check_asked(spec, base, seen, embedding, where)
    spec = replace(spec, initial_state="learned" if seen.has_h0 else "zero")
    return FoundHead(spec, base, raw=base == RAW_WIDTH != embedding)


def expressible(spec: HeadSpec) -> str | None:
    """Return None if the fork's classes can hold such a head, else why not.

    They hold the baseline and position with h0; each of the two alone is the second with
    the other at zero.
    """
    if spec.kind == "pooled":
        return "its loaders build no head without a GRU"
    if spec.kind != "gru":
        return f"its classes hold no {spec.kind} head as progfix trains it"
    if spec.output != "progress":
        return f"its heads answer progress itself, not {spec.output!r}"
    if set(spec.extra) - {"position"}:
        return f"its heads have no input column {spec.extra[-1]!r} that its loaders recognise"
    if spec.hidden != 64:
        return f"its loaders build a GRU of 64 hidden units, not {spec.hidden}"
    return None


def _refuse_other_heads(
    state: Mapping[str, Tensor], learnable: Mapping[object, object], where: str
) -> None:
    found = [
        kind for start, kind in _OTHER_HEADS.items() if any(n.startswith(start) for n in state)
    ]
    found += [kind for option, kind in _OTHER_OPTIONS.items() if learnable.get(option)]
    if learnable.get("output_activation", "sigmoid") != "sigmoid":
        found.append(f"a head with a {learnable['output_activation']} output")
    if found:
        raise InputError(
            Problem(
                where,
                "a head of the fork's GRU, pooled, transformer or dilated-convolution class",
                found[0],
                "progfix cannot read this kind of head; save its predictions to a file and "
                "pass that, or wrap the model with --model",
            )
        )


def _read(state: Mapping[str, Tensor], kind: HeadKind, where: str) -> Weights:
    first = state.get(_FIRST[kind])
    hidden = state.get("gru.weight_hh_l0") if kind == "gru" else first
    if first is None or hidden is None or first.dim() != 2 or hidden.dim() != 2:
        expected = f"progress_head.{_FIRST[kind]}"
        if kind == "gru":
            expected += " and weight_hh_l0"
        raise InputError(
            Problem(
                where,
                expected,
                ", ".join(state),
                "check that the file is complete and comes from the GTCC code base",
            )
        )
    size = hidden.shape[1] if kind == "gru" else hidden.shape[0]
    return Weights(kind, first.shape[1], size, kind == "gru" and "h0" in state)
