"""Reading an architecture off the shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from progfix.errors import InputError, Problem

__all__ = ["Shapes"]


@dataclass(frozen=True)
class Shapes:
    """Shapes of the tensors of a state dict.

    Attributes:
        table: Parameter name to shape.
        where: The file, to name in errors.
        prefix: What was cut off the names, to name in errors.
    """

    table: Mapping[str, tuple[int, ...]]
    where: str
    prefix: str = ""

    def has(self, start: str) -> bool:
        """Whether any name begins with `start`."""
        return any(name.startswith(start) for name in self.table)

    def below(self, start: str) -> Shapes:
        """Return the shapes whose names begin with `start`, which is cut off."""
        table = {
            name.removeprefix(start): shape
            for name, shape in self.table.items()
            if name.startswith(start)
        }
        return Shapes(table, self.where, self.prefix + start)

    def chain(self, name: str, dimensions: int = 2) -> list[tuple[int, ...]]:
        """Return the weight shapes of the layers `name.0`, `name.2`, `name.4`, ... in order.

        Args:
            name: Of the sequence of layers.
            dimensions: Of each weight: 2 for linear layers, 3 for a convolution over time,
                5 for one over space and time.

        Raises:
            InputError: If there is no layer, or a weight has another number of dimensions.
        """
        found: list[tuple[int, ...]] = []
        while (key := f"{name}.{2 * len(found)}.weight") in self.table:
            shape = self.table[key]
            if len(shape) != dimensions:
                raise InputError(self._problem(key, f"{dimensions} dimensions", f"shape {shape}"))
            found.append(shape)
        if not found:
            raise InputError(self._problem(f"{name}.0.weight", "a layer", "none of this name"))
        return found

    def hidden(self, name: str) -> tuple[int, ...] | None:
        """Return the widths between input and output of linear layers; None without them.

        Raises:
            InputError: If a weight has not two dimensions.
        """
        if not self.has(f"{name}."):
            return None
        return tuple(shape[0] for shape in self.chain(name)[:-1])

    def _problem(self, key: str, expected: str, found: str) -> Problem:
        return Problem(
            f"{self.where}: {self.prefix}{key}",
            expected,
            found,
            "check that the file is complete and comes from the GTCC code base or progfix",
        )
