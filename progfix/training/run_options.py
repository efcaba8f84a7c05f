"""What a run is asked to do, and its form in config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from progfix.data.options import BUILT_IN, DataOptions
from progfix.ranges import Range
from progfix.training.execution import DEFAULT, Execution
from progfix.training.recipe import Recipe
from progfix.training.serialise import check_head, check_letters, recipe_to_dict
from progfix.values import from_values

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked to do.

    Attributes:
        recipe: What to train and how.
        data: Where the data is.
        folder: The new run's folder; None takes the next free one under `runs/`.
        init: A checkpoint whose encoder is kept, frozen, and whose head is trained anew.
        head_spec: What the head of `init` is, where its file leaves a doubt.
        device: "auto", or a torch device.
        execution: How to compute it beyond that; like the device, not in config.json.
        seed: Of initial weights and every draw.
        cell: Name of the sweep's cell that the run is, or None. Such a run is never taken
            for the newest, and what repeats it is no cell.
    """

    recipe: Recipe
    data: DataOptions = field(default_factory=lambda: DataOptions(path=BUILT_IN))
    folder: Path | None = None
    init: Path | None = None
    head_spec: str | None = None
    device: str = "auto"
    execution: Execution = DEFAULT
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    cell: str | None = None

    def to_config(self) -> dict[str, object]:
        """Return JSON values from which `from_config` makes the same options."""
        return {
            "recipe": recipe_to_dict(self.recipe),
            "data": {**self.data.changed(), "path": self.data.path},
            "init": None if self.init is None else str(self.init),
            "head_spec": self.head_spec,
            "seed": self.seed,
            **({} if self.cell is None else {"cell": self.cell}),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, object], where: str) -> RunOptions:
        """Read what `to_config` returned.

        Args:
            config: A run's configuration.
            where: Its file, for errors.

        Raises:
            InputError: With every entry that is missing, unknown, or of the wrong type or
                value.
        """
        entries = {name: value for name, value in config.items() if name not in _OF_THE_FOLDER}
        options = from_values(cls, entries, where=f"{where}:")
        check_letters(options.recipe, f"{where}: recipe.solution")
        check_head(options.recipe, f"{where}: recipe.head")
        return options


_OF_THE_FOLDER = ("format", "started", "cell")
"""Entries that are about the one run, not about what it was asked to do."""
