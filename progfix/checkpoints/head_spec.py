"""The text form of a head, for `--head-spec` and for messages.

    none
    position,h0
    prefix-length,frame-count-max=500
    pooled,elapsed

Words separated by commas, in any order: the input columns `position`, `prefix-length` and
`elapsed`; `h0` for a learned initial state; a kind of head (`HeadKind`); and
`frame-count-max=FRAMES`. `none` stands alone for a head without any of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from progfix.checkpoints.fields import number
from progfix.errors import InputError, Problem
from progfix.heads.spec import Extra, HeadKind, HeadSpec

__all__ = ["format_head_spec", "parse_head_spec"]

_COLUMNS: tuple[Extra, ...] = get_args(Extra)
_KINDS: tuple[HeadKind, ...] = get_args(HeadKind)
_MAXIMUM = "frame-count-max="


def parse_head_spec(
    text: str, *, default: HeadSpec | None = None, where: str = "--head-spec"
) -> HeadSpec:
    """Return the head that a text describes.

    Args:
        text: Such as "position,h0".
        default: Where kind and frame-count-max come from if the text names none; columns
            and initial state never do.
        where: What to name in an error.

    Raises:
        InputError: If a word is unknown or contradicts another.
    """
    words = [word.strip() for word in text.split(",")]
    spec = replace(default or HeadSpec(), extra=(), initial_state="zero")
    if words == ["none"]:
        return spec
    unknown = []
    for word in words:
        if word == "h0":
            spec = replace(spec, initial_state="learned")
        elif word.startswith(_MAXIMUM) and (maximum := _positive(word.removeprefix(_MAXIMUM))):
            spec = replace(spec, frame_count_max=maximum)
        elif word in _KINDS:
            spec = replace(spec, kind=next(kind for kind in _KINDS if kind == word))
        elif word not in _COLUMNS:
            unknown.append(word)
    if spec.kind != "gru" and spec.initial_state == "learned":
        unknown.append(f"h0 with the {spec.kind} head")
    if unknown:
        expected = (
            f"none, or words out of {', '.join((*_COLUMNS, 'h0', *_KINDS))}, {_MAXIMUM}FRAMES"
        )
        raise InputError(Problem(where, expected, ", ".join(unknown), "such as: position,h0"))
    return replace(spec, extra=tuple(column for column in _COLUMNS if column in words))


def format_head_spec(spec: HeadSpec) -> str:
    """Return the text that `parse_head_spec` reads as this head."""
    words: list[str] = [*spec.extra]
    if spec.initial_state == "learned":
        words.append("h0")
    if spec.kind != "gru":
        words.append(spec.kind)
    if {"prefix-length", "elapsed"} & set(spec.extra) and spec.frame_count_max != 300:
        words.append(f"{_MAXIMUM}{spec.frame_count_max:g}")
    return ",".join(words) or "none"


def _positive(text: str) -> float | None:
    try:
        value = number(float(text))
    except ValueError:
        return None
    return value if value and value > 0 else None
