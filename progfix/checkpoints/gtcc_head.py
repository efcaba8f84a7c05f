"""Which progress head a users' checkpoint holds.

The weights show the kind, the width of the input and a learned initial state; which
columns stand behind the embedding only the configuration can say. The rules:

- Configuration with `use_position_encoding`, `use_frame_count` or `per_frame_count`: it
  decides, and the weights must agree.
- Without any of them: no further column is the baseline; one further column is the
  position if there is an h0 (the A+B head) or the head is pooled, whose class of that time
  knows no other column.
- Everything else is a doubt, and the user is asked.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 3030255, 238da93,
8a6f44d, c864bd8, 45e9c2f and 048b71e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from progfix.checkpoints.fields import number
from progfix.checkpoints.head_spec import format_head_spec, parse_head_spec
from progfix.errors import InputError, Problem, listed
from progfix.heads.spec import Extra, HeadKind, HeadSpec

__all__ = ["RAW_WIDTH", "FoundHead", "expressible", "find_head"]

RAW_WIDTH = 2048
"""Input width of the heads that read the features themselves (`features: raw`)."""

_FLAGS: Mapping[str, Extra] = {
    "use_position_encoding": "position",
    "use_frame_count": "prefix-length",
    "per_frame_count": "elapsed",
}
_OTHER_HEADS = {
    "layers.": "a transformer head",
    "alibi_slopes": "a transformer head",
    "blocks.": "a dilated-convolution head",
    "input_proj.": "a head with an input projection",
    "action_embedding": "a head with action conditioning",
}
_OTHER_OPTIONS = {
    "use_input_projection": "a head with an input projection",
    "use_action_conditioning": "a head with action conditioning",
    "use_rate_of_change": "a head that reads the rate of change",
}
_ALTERNATIVES = {
    0: ("none",),
    1: ("position", "prefix-length", "elapsed"),
    2: ("position,prefix-length", "position,elapsed"),
    3: ("position,prefix-length,elapsed",),
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


@dataclass(frozen=True)
class _Weights:
    """What the weights show."""

    kind: HeadKind
    inputs: int
    hidden: int
    has_h0: bool


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
    _refuse_other_heads(state, learnable, where)
    seen = _read(state, where)
    maximum = number(learnable.get("frame_count_max"))
    default = HeadSpec(
        kind=seen.kind,
        hidden=seen.hidden,
        frame_count_max=maximum if maximum and maximum > 0 else 300.0,
        # The fork starts the last bias at -2 since the commit that brought this key.
        last_bias=-2.0 if "use_frame_count" in learnable else None,
    )
    if asked is None:
        base, extra = _by_rules(seen, learnable, embedding, where)
        spec = replace(default, extra=extra)
    else:
        if isinstance(asked, str):
            asked = parse_head_spec(asked, default=default)
        spec = replace(asked, hidden=seen.hidden)
        base = seen.inputs - len(spec.extra)
        _check_asked(spec, base, seen, embedding, where)
    spec = replace(spec, initial_state="learned" if seen.has_h0 else "zero")
    return FoundHead(spec, base, raw=base == RAW_WIDTH != embedding)


def expressible(spec: HeadSpec) -> str | None:
    """Return None if the fork's classes can hold such a head, else why not.

    They hold the baseline and position with h0; each of the two alone is the second with
    the other at zero.
    """
    if spec.kind != "gru":
        return "its loaders build no head without a GRU"
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
                "a progress head of the GRU or pooled kind with a sigmoid output",
                found[0],
                "progfix cannot read this kind of head; save its predictions to a file and "
                "pass that, or wrap the model with --model",
            )
        )


def _read(state: Mapping[str, Tensor], where: str) -> _Weights:
    kind: HeadKind = "gru" if any(name.startswith("gru.") for name in state) else "pooled"
    first = state.get("gru.weight_ih_l0" if kind == "gru" else "fc.0.weight")
    hidden = state.get("gru.weight_hh_l0") if kind == "gru" else first
    if first is None or hidden is None or first.dim() != 2 or hidden.dim() != 2:
        raise InputError(
            Problem(
                where,
                "progress_head.gru.weight_ih_l0 and weight_hh_l0, or progress_head.fc.0.weight",
                listed(state),
                "check that the file is complete and comes from the GTCC code base",
            )
        )
    size = hidden.shape[1] if kind == "gru" else hidden.shape[0]
    return _Weights(kind, first.shape[1], size, kind == "gru" and "h0" in state)


def _by_rules(
    seen: _Weights, learnable: Mapping[object, object], embedding: int, where: str
) -> tuple[int, tuple[Extra, ...]]:
    """Return the width of the embedding and the columns behind it, or ask."""
    base = _base(seen, learnable, embedding)
    beyond = seen.inputs - base
    if not any(flag in learnable for flag in _FLAGS):
        if beyond == 0:
            return base, ()
        if beyond == 1 and (seen.has_h0 or (seen.kind == "pooled" and learnable)):
            return base, ("position",)
        raise _doubt(seen, base, f"{base} or {base + 1} columns", where)
    extra = tuple(column for flag, column in _FLAGS.items() if learnable.get(flag))
    if "elapsed" in extra:  # the fork's classes then leave the broadcast count out
        extra = tuple(column for column in extra if column != "prefix-length")
    said = f"{base + len(extra)} columns ({', '.join(('embedding', *extra))})"
    architecture = learnable.get("architecture", "gru")
    if architecture != "gru" or bool(learnable.get("use_gru", True)) != (seen.kind == "gru"):
        raise _doubt(seen, base, f"a head as configured ({architecture})", where)
    if seen.kind == "gru" and seen.has_h0 != ("position" in extra):
        wanted = "a learned h0" if "position" in extra else "no h0"
        raise _doubt(seen, base, f"{said} and {wanted}, as configured", where)
    if beyond != len(extra):
        raise _doubt(seen, base, f"{said}, as configured", where)
    return base, extra


def _base(seen: _Weights, learnable: Mapping[object, object], embedding: int) -> int:
    match learnable.get("features"):
        case "raw":
            return RAW_WIDTH
        case "aligned":
            return embedding
    fits = [base for base in (embedding, RAW_WIDTH) if 0 <= seen.inputs - base <= 3]
    return fits[0] if fits else embedding


def _check_asked(spec: HeadSpec, base: int, seen: _Weights, embedding: int, where: str) -> None:
    text = format_head_spec(spec)
    problems = []
    if spec.kind != seen.kind:
        problems.append(("the kind that the weights show", f"{seen.kind}, asked {spec.kind}"))
    if spec.initial_state == "learned" and not seen.has_h0:
        problems.append(("the weights of a learned h0", "none"))
    if base not in (embedding, RAW_WIDTH):
        expected = f"{embedding + len(spec.extra)} input columns for {text!r}"
        problems.append((expected, str(seen.inputs)))
    if problems:
        raise InputError(
            Problem(where, expected, found, "correct --head-spec") for expected, found in problems
        )


def _doubt(seen: _Weights, base: int, expected: str, where: str) -> InputError:
    beyond = seen.inputs - base
    state = ""
    if seen.kind == "gru" and (beyond == 1 or "h0" in expected):
        state = " with h0" if seen.has_h0 else " without h0"
    words = _ALTERNATIVES.get(beyond, ())
    fix = " or ".join(f"--head-spec {word}" for word in words)
    return InputError(
        Problem(
            where,
            f"a {'GRU' if seen.kind == 'gru' else 'pooled'} input of {expected}",
            f"{seen.inputs}{state}",
            f"pass {fix}, as it was trained"
            if fix
            else "check that the encoder and the head of this file belong together",
        )
    )
