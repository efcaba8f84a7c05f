"""Which numbers a field may hold, said once where the field is declared.

A field is declared as `epochs: Annotated[int, Range(1)] = 50`; what reads it from a file
(`progfix.training.serialise`) and what takes it from the command line
(`progfix.cli.settings`) look here.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

__all__ = ["Range", "range_of"]

_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, NaN never among them.

    Attributes:
        low: The smallest number; by default, as with `high`, any finite one.
        high: The largest number; infinity lets that in too.
        above: `low` itself is not among them.
    """

    low: float = -_LARGEST
    high: float = _LARGEST
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def of(self, kind: type) -> str:
        """Return "an integer of at least 1" or "a number from 0 to 2", for messages."""
        noun = "an integer" if kind is int else "a number"
        if self.high < _LARGEST:
            return f"{noun} from {self.low:g} to {self.high:g}"
        if kind is float and self.high < math.inf:
            noun = "a finite number"
        if self.low <= -_LARGEST:
            return noun
        return f"{noun} {'above' if self.above else 'of at least'} {self.low:g}"


def range_of(kind: type, name: str) -> Range | None:
    """Return the range that a dataclass declares for a field, or None.

    Args:
        kind: A dataclass.
        name: The field's name, dotted to reach into a field that is a dataclass itself.
    """
    first, _, rest = name.partition(".")
    hint: Any = get_type_hints(kind, include_extras=True)[first]
    if rest and is_dataclass(hint):
        return range_of(hint, rest)  # type: ignore[arg-type]
    # An optional number declares its range inside the union with None.
    of_kinds = [part for part in (hint, *get_args(hint)) if get_origin(part) is Annotated]
    return next((r for part in of_kinds for r in get_args(part)[1:] if isinstance(r, Range)), None)
