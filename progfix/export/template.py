"""Text with parts that are kept or left out, and names that are filled in.

#[if a b]      kept where every one of these features is there; `not a` where it is not
#[or c]        else, where this one is
#[else]
#[end]
@name@         a value; a line that is nothing else takes lines, as they are
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from importlib.resources import files

__all__ = ["render"]

_MARK = re.compile(r"#\[(if|or|else|end) ?(.*)\]")
_NAME = re.compile(r"@(\w+)@")


def render(name: str, features: Collection[str], values: Mapping[str, str]) -> str:
    """Return a template of this package with features chosen and values filled in.

    Args:
        name: Such as "gru".
        features: What the conditions ask for.
        values: By name in the text.

    Raises:
        ValueError: If the template's marks do not match.
        KeyError: If a value is missing.
    """
    text = (files(__package__) / "templates" / f"{name}.py.txt").read_text("utf-8")
    kept: list[str] = []
    # For each open condition: whether its present branch is kept, and whether any has been.
    open_conditions: list[tuple[bool, bool]] = []
    for line in text.splitlines():
        mark = _MARK.fullmatch(line)
        if mark is None:
            if all(keep for keep, _ in open_conditions):
                kept.append(line)
            continue
        word, condition = mark.groups()
        taken = False
        if word != "if":
            if not open_conditions:
                raise ValueError(f"{name}: {line} without an if")
            taken = open_conditions.pop()[1]
        if word != "end":
            keep = not taken and _holds(condition, features)
            open_conditions.append((keep, taken or keep))
    if open_conditions:
        raise ValueError(f"{name}: an if without an end")
    return _NAME.sub(lambda found: values[found[1]], "\n".join(kept) + "\n")


def _holds(condition: str, features: Collection[str]) -> bool:
    words = condition.replace("not ", "not-").split()
    return all(
        word.removeprefix("not-") in features
        if not word.startswith("not-")
        else word.removeprefix("not-") not in features
        for word in words
    )
