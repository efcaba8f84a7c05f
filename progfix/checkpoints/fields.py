"""Looking into nested dictionaries that someone else wrote."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from progfix.errors import InputError, Problem, at_most

__all__ = ["integer", "number", "section", "weights"]


def section(table: object, *names: object) -> Mapping[object, object]:
    """Return the dictionary at a path of keys; empty where there is none."""
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def number(value: object) -> float | None:
    """Return a finite number as a float, None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < float("inf") else None
    return None


def integer(value: object) -> int | None:
    """Return a whole number as an int, None for anything else."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


def weights(table: object, *, where: str) -> dict[str, Tensor]:
    """Return a state dict whose every entry is a usable weight.

    Args:
        table: What stands where a state dict should.
        where: The file and the place in it, to name in errors.

    Raises:
        InputError: With every entry that is no finite, non-empty floating-point tensor.
    """
    if not isinstance(table, Mapping) or not table:
        found = "an empty one" if isinstance(table, Mapping) else type(table).__name__
        raise InputError(
            Problem(where, "weights by name", found, "pass the checkpoint of the training")
        )
    result: dict[str, Tensor] = {}
    problems = []
    for name, tensor in table.items():
        if (defect := _defect(tensor)) is not None or not isinstance(name, str):
            problems.append(
                Problem(
                    f"{where}: {name}",
                    "a tensor of finite floating-point numbers",
                    defect or "a name that is no text",
                    "take another checkpoint of the run, such as an earlier epoch",
                )
            )
        else:
            result[name] = tensor.detach()
    if problems:
        fix = problems[0].fix
        raise InputError(
            at_most(problems, where=where, expected="sound weights", kind="that are not", fix=fix)
        )
    return result


def _defect(tensor: object) -> str | None:
    if not isinstance(tensor, Tensor):
        return f"an object of type {type(tensor).__name__}"
    if not tensor.is_floating_point():
        return f"{tensor.dtype} values"
    if tensor.numel() == 0:
        return f"an empty tensor of shape {tuple(tensor.shape)}"
    bad = tensor.numel() - int(torch.isfinite(tensor).sum())
    return f"{bad} values that are NaN or infinite" if bad else None
