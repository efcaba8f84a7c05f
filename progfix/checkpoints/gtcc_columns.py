"""Which columns stand behind the embedding in the input of a users' head.

The weights show how many; which they are only the configuration can say. The rules:

- Configuration with `use_position_encoding`, `use_frame_count` or `per_frame_count`: it
  decides, and the weights must agree.
- Without any of them: no further column is the baseline; one further column is the
  position if there is an h0 (the A+B head) or the head is pooled, whose class of that time
  knows no other column.
- The transformer and dilated-convolution heads know no other column than the frame count:
  one further column is that, unless the configuration denies it.
- Everything else is a doubt, and the user is asked.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 3030255, 238da93,
8a6f44d, c864bd8, 45e9c2f and 048b71e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from progfix.checkpoints.head_spec import format_head_spec
from progfix.errors import InputError, Problem
from progfix.heads.spec import Extra, HeadKind, HeadSpec

__all__ = ["LAYERED", "RAW_WIDTH", "Weights", "check_asked", "columns_of"]

RAW_WIDTH = 2048
"""Input width of the heads that read the features themselves (`features: raw`)."""

_FLAGS: Mapping[str, Extra] = {
    "use_position_encoding": "position",
    "use_frame_count": "prefix-length",
    "per_frame_count": "elapsed",
}
_ARCHITECTURES: Mapping[object, HeadKind] = {"transformer": "transformer", "dilated_conv": "tcn"}
LAYERED = tuple(_ARCHITECTURES.values())
"""The kinds that project their input and know no column but the frame count."""

_ALTERNATIVES = {
    0: ("none",),
    1: ("position", "prefix-length", "elapsed"),
    2: ("position,prefix-length", "position,elapsed"),
    3: ("position,prefix-length,elapsed",),
}


@dataclass(frozen=True)
class Weights:
    """What the weights show."""

    kind: HeadKind
    inputs: int
    hidden: int
    has_h0: bool


def columns_of(
    seen: Weights, learnable: Mapping[object, object], embedding: int, where: str
) -> tuple[int, tuple[Extra, ...]]:
    """Return the width of the embedding and the columns behind it, or ask.

    Args:
        seen: What the weights show.
        learnable: `config.PROGRESS_LOSS.learnable`; empty where there is none.
        embedding: Size of the encoder's embeddings.
        where: The file, to name in errors.

    Raises:
        InputError: If the configuration leaves a doubt or contradicts the weights.
    """
    rules = _by_layered_rules if seen.kind in LAYERED else _by_rules
    return rules(seen, learnable, embedding, where)


def check_asked(spec: HeadSpec, base: int, seen: Weights, embedding: int, where: str) -> None:
    """Check that what the user says of a head fits its weights.

    Args:
        spec: The user's word.
        base: Width of the embedding that it leaves.
        seen: What the weights show.
        embedding: Size of the encoder's embeddings.
        where: The file, to name in errors.

    Raises:
        InputError: If not.
    """
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


def _by_rules(
    seen: Weights, learnable: Mapping[object, object], embedding: int, where: str
) -> tuple[int, tuple[Extra, ...]]:
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
    _check_architecture(seen, learnable, base, where)
    if seen.kind == "gru" and seen.has_h0 != ("position" in extra):
        wanted = "a learned h0" if "position" in extra else "no h0"
        raise _doubt(seen, base, f"{said} and {wanted}, as configured", where)
    if beyond != len(extra):
        raise _doubt(seen, base, f"{said}, as configured", where)
    return base, extra


def _by_layered_rules(
    seen: Weights, learnable: Mapping[object, object], embedding: int, where: str
) -> tuple[int, tuple[Extra, ...]]:
    base = _base(seen, learnable, embedding)
    beyond = seen.inputs - base
    _check_architecture(seen, learnable, base, where)
    if beyond not in (0, 1):
        raise _doubt(seen, base, f"{base} or {base + 1} columns", where)
    if bool(learnable.get("use_frame_count", beyond)) != bool(beyond):
        raise _doubt(seen, base, f"{base + 1 - beyond} columns, as configured", where)
    extra: tuple[Extra, ...] = ("prefix-length",)
    return base, extra[:beyond]


def _check_architecture(
    seen: Weights, learnable: Mapping[object, object], base: int, where: str
) -> None:
    if seen.kind in LAYERED and "architecture" not in learnable:
        return
    architecture = learnable.get("architecture", "gru")
    without = "gru" if learnable.get("use_gru", True) else "pooled"
    if _ARCHITECTURES.get(architecture, without) != seen.kind:
        raise _doubt(seen, base, f"a head as configured ({architecture})", where)


def _base(seen: Weights, learnable: Mapping[object, object], embedding: int) -> int:
    match learnable.get("features"):
        case "raw":
            return RAW_WIDTH
        case "aligned":
            return embedding
    fits = [base for base in (embedding, RAW_WIDTH) if 0 <= seen.inputs - base <= 3]
    return fits[0] if fits else embedding


def _doubt(seen: Weights, base: int, expected: str, where: str) -> InputError:
    beyond = seen.inputs - base
    state = ""
    if seen.kind == "gru" and (beyond == 1 or "h0" in expected):
        state = " with h0" if seen.has_h0 else " without h0"
    words = _ALTERNATIVES.get(beyond, ())
    fix = " or ".join(f"--head-spec {word}" for word in words)
    return InputError(
        Problem(
            where,
            f"a {'GRU' if seen.kind == 'gru' else seen.kind} input of {expected}",
            f"{seen.inputs}{state}",
            f"pass {fix}, as it was trained"
            if fix
            else "check that the encoder and the head of this file belong together",
        )
    )
