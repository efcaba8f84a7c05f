"""What a function may be called with in the place of an opened source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from progfix.predictions import Predictions
from progfix.predictions_io import Columns, passed_over, read_predictions
from progfix.sources.opening import open_source
from progfix.sources.source import Source
from progfix.sources.together import distinct

__all__ = ["Given", "source_of", "sources_of"]

Given: TypeAlias = Source | Predictions | str | Path | Columns
"""An opened source, predictions, what `open_source` opens, or a table in memory."""


def source_of(given: Given, number: int = 1) -> Source:
    """Return a source as it is, and anything else as one.

    Args:
        given: What a function was called with.
        number: Of a table among several, for its label.

    Raises:
        InputError: If it cannot be opened or read.
        ValueError: If it is nothing that could.
    """
    if isinstance(given, Source):
        return given
    if isinstance(given, str | Path):
        return open_source(given)
    label = "predictions" if number == 1 else f"predictions {number}"
    if isinstance(given, Predictions):
        return Source(label=label, kind="predictions", chunks=lambda: iter([given]))
    doubt = passed_over(given)
    return Source(
        label=label,
        kind="predictions",
        chunks=lambda: read_predictions(given),
        notices=() if doubt is None else (doubt,),
    )


def sources_of(given: Sequence[Given] | Given) -> list[Source]:
    """Return one or several as sources, their labels distinct.

    Raises:
        InputError: As `source_of`.
        ValueError: As `source_of`.
    """
    several = given if isinstance(given, list | tuple) else [given]
    return distinct([source_of(one, number) for number, one in enumerate(several, 1)])
