"""Reading predictions files in chunks of whole videos."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem, listed
from progfix.predictions import Category, Predictions
from progfix.predictions_io.assemble import Rows, derive, starts_of, typed
from progfix.predictions_io.checks import SeenVideos, check_structure, check_values
from progfix.predictions_io.columns import INTERVALS, resolve, rivals
from progfix.predictions_io.defects import Defects
from progfix.predictions_io.formats import format_of
from progfix.predictions_io.memory import WHERE, Columns, MemoryTable, is_columns
from progfix.predictions_io.table import Table
from progfix.predictions_io.videos import whole_videos

__all__ = ["load_predictions", "passed_over", "read_predictions"]


def read_predictions(given: str | Path | Columns) -> Iterator[Predictions]:
    """Yield the predictions of a file or a table in memory, in chunks of whole videos.

    The file is read in blocks of some ten thousand rows, so that its size does not matter
    as long as a single video fits into memory. All defects (of a million rows at fault)
    are collected before they are raised; from the first on nothing more is yielded.

    Args:
        given: The path of a .csv, .tsv, .npz, .h5, .hdf5 or .parquet file, a data frame of
            pandas or polars, an Arrow table, or arrays by name: with the columns of
            `progfix-predictions/1`, or at least `video`, `prediction` and either `target`
            or `elapsed` and `duration` (docs/predictions.md).

    Yields:
        Chunks whose `missing` names the columns that the file did not have.

    Raises:
        InputError: If the file is missing, unreadable, empty, or has defects.
        ValueError: If it is neither a path nor a table.
    """
    table, where = _table(given)
    names = resolve(list(table.names), where)
    others = rivals(table.names, names["prediction"])
    wanted = list(dict.fromkeys(names.values()))
    defects = Defects(where, table.row_names)
    seen = SeenVideos()
    rows = 0
    blocks = (typed(block, names, others, defects) for block in table.blocks(wanted, defects))
    for block in whole_videos(blocks, where):
        rows += len(block)
        sound = seen.check(block, names, defects)
        sound &= check_values(block, names, others, defects)
        complete = derive(_sound_videos(block, sound), defects)
        check_structure(_sound_videos(complete, complete.read), names, defects)
        defects.raise_many()
        if not defects:
            yield _predictions(complete, names)
    defects.raise_any()
    if rows == 0:
        raise InputError(
            Problem(where, "at least one row", "column names and no rows", "check what wrote it")
        )


def load_predictions(given: str | Path | Columns) -> Predictions:
    """Return all predictions of a file or a table in memory at once.

    Which of several columns is judged is said by a warning.

    Args:
        given: As for `read_predictions`.

    Raises:
        InputError: As `read_predictions`.
        ValueError: As `read_predictions`.
    """
    doubt = passed_over(given)
    if doubt is not None:
        warnings.warn(doubt, stacklevel=2)
    return Predictions.concat(read_predictions(given))


def passed_over(given: str | Path | Columns) -> str | None:
    """Say which of several columns predictions are read from; None where there is one.

    Raises:
        InputError: As `read_predictions`, where the header is at fault.
        ValueError: As `read_predictions`.
    """
    table, where = _table(given)
    names = list(table.names)
    chosen = resolve(names, where)["prediction"]
    others = rivals(names, chosen)
    if not others:
        return None
    also = f"it also has {listed(others)}"
    return f"{Path(where).name}: {chosen} is judged; {also}: name the one to judge 'prediction'"


def _table(given: str | Path | Columns) -> tuple[Table, str]:
    """Return what can be read of a file or a table in memory, and what to call it."""
    if isinstance(given, str | Path):
        return _open(Path(given)), str(given)
    if is_columns(given):
        return MemoryTable(given), WHERE
    raise ValueError(
        f"expected predictions, a path, or a table with named columns, found "
        f"{type(given).__name__}; progfix.Evaluator().add and progfix.predictions."
        "segment_predictions take plain arrays"
    )


def _open(path: Path) -> Table:
    file_format = format_of(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise InputError(Problem(str(path), "a predictions file", found, "check the path"))
    if path.stat().st_size == 0:
        raise InputError(Problem(str(path), "predictions", "an empty file", "check what wrote it"))
    try:
        return file_format.table(path)
    except OSError as error:
        raise InputError(
            Problem(str(path), "a file that can be read", str(error), "check its permissions")
        ) from error


def _sound_videos(table: Rows, sound: NDArray[np.bool_]) -> Rows:
    """Return the videos whose rows are all sound: one defect is not told as several."""
    if sound.all():
        return table
    video = np.cumsum(starts_of(table, "task", "video")) - 1
    unsound = np.bincount(video, ~sound) > 0
    return table.take(~unsound[video])


def _predictions(table: Rows, names: dict[str, str]) -> Predictions:
    size = len(table)
    blank = Category.full("", size)
    needed = ("task", "action", "segment", "elapsed", "duration", "target")
    return Predictions(
        video=table.category("video"),
        task=table.category("task") if "task" in names else blank,
        action=table.category("action") if "action" in names else blank,
        segment=table.array("segment").astype(np.int64),
        elapsed=table.array("elapsed").astype(np.int64),
        duration=table.array("duration").astype(np.int64),
        target=table.array("target").astype(np.float64),
        prediction=table.array("prediction").astype(np.float64),
        **{name: table.array(name).astype(np.float64) for name in INTERVALS if name in names},
        missing=frozenset(name for name in needed if name not in names),
    )
