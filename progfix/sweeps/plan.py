"""The plan of a sweep: its runs, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from progfix.data.options import DataOptions
from progfix.training.run_options import RunOptions

__all__ = ["Plan", "PlannedRun"]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        name: Of its folder within the sweep's.
        cell: Name of its cell.
        seed: Of its weights and draws, and of its splits where they are drawn afresh.
        config: `progfix.training.run_options.RunOptions.to_config` of it.
    """

    name: str
    cell: str
    seed: int
    config: Mapping[str, object]

    @property
    def data(self) -> DataOptions:
        """Its data, splits included."""
        return DataOptions.from_json(self.config.get("data"), where=f"{self.name}: data")

    @property
    def trains_encoder(self) -> bool:
        """Whether it trains an encoder by an alignment method."""
        return RunOptions.from_config(self.config, self.name).recipe.method.trains_encoder

    def options(self, folder: Path, device: str) -> RunOptions:
        """Return the options to train it with, in a folder of its name in `folder`."""
        options = RunOptions.from_config(self.config, self.name)
        return replace(options, folder=folder / self.name, device=device, cell=self.cell)


@dataclass(frozen=True)
class Plan:
    """A sweep: every cell with every seed.

    Attributes:
        cells: Names, in the order given.
        seeds: Seeds.
        fresh_splits: Whether each seed has its own random split of the videos.
        runs: All seeds of all cells, the first seed of every cell first.
        notes: What the user should know before it starts.
    """

    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    fresh_splits: bool
    runs: tuple[PlannedRun, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)
