"""How a path with data is to be read: one set of options for every command and function."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from progfix.ranges import Range
from progfix.values import from_values

__all__ = ["BUILT_IN", "FRAME_RATES", "DataOptions", "Ends", "Pairing", "Reader", "is_built_in"]

Reader = Literal["auto", "hdf5", "gtcc", "ms-tcn", "protas"]
Pairing = Literal["refuse", "views", "position"]
Ends = Literal["inclusive", "half-open"]

FRAME_RATES = Range(1e-4, 1e6)
"""Frames per second that are believed."""

BUILT_IN = "procedures/1"
"""Name of the built-in data, usable wherever a data path is."""


def is_built_in(path: str) -> bool:
    """Tell whether a path is the built-in data's name, with or without options."""
    return path == BUILT_IN or path.startswith(f"{BUILT_IN}:")


@dataclass(frozen=True)
class DataOptions:
    """Options of `progfix.data.open.open_dataset`, the same on every command.

    Attributes:
        path: File, folder or built-in name; None where the command has a default.
        reader: "auto" decides by looking at the path; "ms-tcn" and "protas" are the same
            folder layout with features stored (D, T) and (T, D).
        feature_dir: Folder with the .npy features of annotations that lie elsewhere.
        fps: Frame rate of the *annotations'* frame numbers: "auto" takes EgoProceL's rule
            by handle (FIELD: EGTEA 24, CMU 30, EPIC-tents 60, MECCANO and PC assembly 12),
            a number holds for every video.
        frame_rate: Frame rate of the features that annotations are brought to.
        splits: JSON with splits (GTCC) or the number of a bundle (MS-TCN); None takes what
            lies beside the data.
        pairing: What to do with tasks whose annotation lists do not match their handles.
        skip_tasks: Tasks to leave out.
        background: Action names that are no action.
        ends: Whether an annotation's end frame belongs to the segment.
        resplit: Seed of splits drawn afresh (`progfix.data.resplit`); None keeps the data's.
    """

    path: str | None = None
    reader: Reader = "auto"
    feature_dir: Path | None = None
    fps: str = "auto"
    frame_rate: Annotated[float, FRAME_RATES] = 1.0
    splits: str | None = None
    pairing: Pairing = "refuse"
    skip_tasks: tuple[str, ...] = ()
    background: tuple[str, ...] = ("0", "SIL", "background")
    ends: Ends = "inclusive"
    resplit: Annotated[int, Range(0)] | None = None

    def changed(self) -> dict[str, object]:
        """Return the options that differ from their defaults, as JSON values."""
        result: dict[str, object] = {}
        for option in fields(self):
            value = getattr(self, option.name)
            if value != option.default:
                result[option.name] = str(value) if isinstance(value, Path) else value
        return result

    def resolved(self) -> DataOptions:
        """Return the options with absolute paths, to be found again from another folder."""
        path = self.path
        if path is not None and not is_built_in(path):
            path = str(Path(path).expanduser().resolve())
        splits = self.splits
        if splits is not None and not splits.isdecimal():
            splits = str(Path(splits).expanduser().resolve())
        folder = self.feature_dir and self.feature_dir.expanduser().resolve()
        return replace(self, path=path, splits=splits, feature_dir=folder)

    @classmethod
    def from_json(cls, values: object, *, where: str) -> DataOptions:
        """Read what `changed` returned, after a trip through JSON.

        Args:
            values: Names and values of options; None is the defaults.
            where: The file and field they come from, for errors.

        Raises:
            InputError: With every option that is unknown or of the wrong type or value.
        """
        return from_values(cls, {} if values is None else values, where=where)
