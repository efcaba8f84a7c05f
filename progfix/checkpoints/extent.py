"""How much a small pickle may stand for: numbers, and containers that refer to each other.

What refers to the same container again and again takes no memory, but whoever walks through
it, or prints it, never comes to an end.
"""

from __future__ import annotations

from progfix.errors import InputError, Problem

__all__ = ["contents", "require_small", "require_small_numbers"]

DEEPEST = 64
"""Containers within each other; real checkpoints have some six."""

LARGEST_NUMBER = 512
"""Bits of a whole number: beyond some thousand it is no float, beyond more it has no text."""

_FIX = "do not use this file, or load it where you trust it and save it again"


def require_small_numbers(opcodes: list[tuple[str, object]], where: str) -> None:
    """Refuse whole numbers that are no count of anything; some cannot even be printed.

    Args:
        opcodes: Of a pickle, as (name, argument).
        where: The file, for errors.

    Raises:
        InputError: If there is one of more than `LARGEST_NUMBER` bits.
    """
    for _, argument in opcodes:
        if isinstance(argument, int) and argument.bit_length() > LARGEST_NUMBER:
            expected = f"whole numbers of at most {LARGEST_NUMBER} bits"
            found = f"one of {argument.bit_length():,}"
            raise InputError(Problem(where, expected, found, _FIX))


def require_small(payload: object, where: str, largest: int) -> None:
    """Refuse containers that hold themselves, or more than could be written out.

    Args:
        payload: Nested containers.
        where: The file, for errors.
        largest: Items and characters, each counted as often as it is referred to. A pickle of
            n bytes that refers to nothing twice holds fewer than n.

    Raises:
        InputError: If there are more, or containers deeper than `DEEPEST`.
    """
    known: dict[int, tuple[int, int]] = {}  # extent and height; of what is open, zeros
    waiting: list[tuple[object, bool]] = [(payload, False)]
    while waiting:
        item, complete = waiting.pop()
        if complete:
            parts = [_measure(part, known) for part in contents(item)]
            extent = 1 + sum(extent for extent, _ in parts)
            height = 1 + max(height for _, height in parts)
            known[id(item)] = (extent, height)
            bad = extent > largest or height > DEEPEST
        else:
            bad = known.get(id(item)) == (0, 0)
            inside = contents(item)
            if inside and id(item) not in known:
                known[id(item)] = (0, 0)
                waiting.append((item, True))
                waiting.extend((part, False) for part in inside)
        if bad:
            expected = (
                f"containers of at most {largest:,} items and characters, not in themselves and "
                f"no deeper than {DEEPEST}"
            )
            raise InputError(Problem(where, expected, "others", _FIX))


def contents(item: object) -> list[object]:
    """Return what a container holds, keys and attributes included; nothing of other objects."""
    if isinstance(item, dict):
        return [*item, *item.values(), *getattr(item, "__dict__", {}).values()]
    return list(item) if isinstance(item, list | tuple | set | frozenset) else []


def _measure(part: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return extent and height; what holds nothing is not in the table."""
    length = len(part) if isinstance(part, str | bytes) else 0
    return known.get(id(part), (1 + length, 0))
