"""Writing predictions files, chunk by chunk, so that a reader never sees half of one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from progfix.errors import InputError, Problem
from progfix.files import atomic_path
from progfix.predictions import Predictions, segment_predictions
from progfix.predictions_io.columns import COLUMNS, INTERVALS
from progfix.predictions_io.formats import TableWriter, format_of

__all__ = ["PredictionsWriter", "save_predictions"]


class PredictionsWriter:
    """Streams predictions to a file that every progfix command reads.

    The file appears under its name when the block ends without an error; until then, and
    after an error, what was there before stays. CSV, HDF5 and Parquet are written as
    chunks arrive; NPZ keeps them in memory.

    Args:
        path: Its ending decides the format: .csv, .tsv, .npz, .h5, .hdf5 or .parquet.

    Raises:
        InputError: If the ending is unknown; at the end of the block, if nothing was written.

    Example:
        >>> with PredictionsWriter("val.csv") as out:  # doctest: +SKIP
        ...     for video, segments in validation:
        ...         for action, prediction in segments:
        ...             out.add(prediction, video=video, action=action)
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._format = format_of(self._path)
        self._stack = ExitStack()
        self._temporary: Path | None = None
        self._writer: TableWriter | None = None
        self._columns: tuple[str, ...] = ()
        self._segments: dict[tuple[str, str], int] = {}

    def __enter__(self) -> Self:
        self._temporary = self._stack.enter_context(atomic_path(self._path))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The file is completed inside the block that renames it, and closed after an error.
        try:
            self._complete(succeeded=kind is None)
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, traceback)

    def _complete(self, *, succeeded: bool) -> None:
        if self._writer is not None:
            self._writer.close()
        elif succeeded:
            raise InputError(
                Problem(
                    str(self._path),
                    "at least one row of predictions to write",
                    "none",
                    "check that the data has videos with action segments",
                )
            )

    def write(self, chunk: Predictions) -> None:
        """Append a chunk of whole videos.

        Raises:
            ValueError: If used outside a `with` block, or a chunk lacks a column that the
                first one had.
        """
        if self._temporary is None:
            raise ValueError("use PredictionsWriter in a with block")
        if len(chunk) == 0:
            return
        if self._writer is None:
            self._columns = _columns(chunk)
            self._writer = self._format.writer(self._temporary, self._columns)
        lacking = [name for name in self._columns if getattr(chunk, name) is None]
        if lacking:
            raise ValueError(f"expected {lacking} in every chunk as in the first, found none")
        self._writer.write(chunk)

    def add(
        self,
        prediction: ArrayLike,
        *,
        video: str,
        task: str = "",
        action: str = "",
        elapsed: ArrayLike | None = None,
        duration: int | None = None,
    ) -> None:
        """Append one segment; the segments of a video are numbered as they come.

        Args:
            prediction: Progress at each frame, `(n,)`.
            video: The video's name; its segments must come one after the other.
            task: Its task.
            action: The segment's action.
            elapsed: 1-based frame of each row, rising; None for all frames 1 .. n.
            duration: Frames of the whole segment; None for n.
        """
        key = (task, video)
        segment = self._segments.get(key, 0)
        self._segments[key] = segment + 1
        self.write(
            segment_predictions(
                np.asarray(prediction),
                video=video,
                task=task,
                action=action,
                segment=segment,
                elapsed=elapsed,
                duration=duration,
            )
        )


def save_predictions(path: str | Path, chunks: Iterable[Predictions]) -> None:
    """Write chunks of whole videos to a file, atomically.

    Raises:
        InputError: If the ending is unknown, the place cannot be written, or there is no row.
    """
    with PredictionsWriter(path) as out:
        for chunk in chunks:
            out.write(chunk)


def _columns(chunk: Predictions) -> tuple[str, ...]:
    # A blank task or action stays out, so that a reader again reports it missing.
    left_out = {"frame_index", *(chunk.missing & {"task", "action"})}
    left_out |= {name for name in INTERVALS if getattr(chunk, name) is None}
    return tuple(name for name in COLUMNS if name not in left_out)
