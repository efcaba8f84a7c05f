"""Evaluate a stream of predictions: update as they come, compute at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from numpy.typing import ArrayLike

from progfix.evaluation.estimates import BREAKDOWNS, Breakdown, Evaluation, estimate
from progfix.evaluation.measure import Counting, count_left_out, measure, require_finite
from progfix.evaluation.sums import Sums
from progfix.leave_one_out import LEAVE_ONE_OUT
from progfix.predictions import Predictions, segment_predictions
from progfix.predictions_io import Columns, read_predictions

__all__ = ["Evaluator"]

_BUFFER = 32_768


class Evaluator:
    """Mergeable evaluation of progress predictions.

    Frames are summed up per segment as they come and then forgotten, so that memory grows
    with segments and videos only. The result does not depend on the order of videos or on
    how they were cut into chunks or evaluators.

    Args:
        counting: Frame counting fitted on training durations, the bar to clear; None counts
            for each video on the segments of all others that were given.
        bins: Position bins.

    Raises:
        ValueError: If there is no bin.

    Example:
        >>> evaluator = Evaluator()
        >>> evaluator.add([0.2, 0.4, 0.9, 1.0], video="a")
        >>> evaluator.add([0.5, 0.5], video="b")
        >>> result = evaluator.compute()
        >>> round(result["mae"].value, 4), result["mae"].count
        (0.1333, 6)
    """

    def __init__(self, *, counting: Counting | None = None, bins: int = 10) -> None:
        if bins < 1:
            raise ValueError(f"expected at least 1 bin, found {bins}")
        self._counting = counting
        self._bins = bins
        self._waiting: list[Predictions] = []
        self._rows = 0
        self._parts: list[Sums] = []
        self._next: dict[tuple[str, str], int] = {}

    def update(self, given: Predictions | str | Path | Columns) -> None:
        """Take in whole segments.

        Args:
            given: Predictions; or a path or a table of them
                (`progfix.predictions_io.read_predictions`).

        Raises:
            InputError: If a prediction is NaN or infinite, or a file cannot be read.
            ValueError: If it is nothing of the kind, such as a source: give its chunks.
        """
        for chunk in [given] if isinstance(given, Predictions) else read_predictions(given):
            self._update(chunk)

    def _update(self, chunk: Predictions) -> None:
        if len(chunk):
            require_finite(chunk)
            if self._waiting and _optional(chunk) != _optional(self._waiting[-1]):
                self._measure()
            self._waiting.append(chunk)
            self._rows += len(chunk)
            if self._rows >= _BUFFER:
                self._measure()

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
        """Take in one segment from plain arrays.

        Args:
            prediction: Progress at each frame, `(n,)`.
            video: The video's name; its segments are numbered as they come.
            task: Its task.
            action: The segment's action.
            elapsed: 1-based frame of each row, rising; None for all frames 1 .. n.
            duration: Frames of the whole segment; None for n.

        Raises:
            InputError: If a prediction is NaN or infinite.
            ValueError: If the arrays do not fit together.
        """
        segment = self._next.get((task, video), 0)
        self._next[task, video] = segment + 1
        self.update(
            segment_predictions(
                prediction,
                video=video,
                task=task,
                action=action,
                segment=segment,
                elapsed=elapsed,
                duration=duration,
            )
        )

    def merge(self, other: Evaluator) -> Self:
        """Take in what another evaluator has, such as another process's, and return self.

        Raises:
            ValueError: If the two have other bins, or only one has fitted counting.
        """
        if self._bins != other._bins or (self._counting is None) != (other._counting is None):
            raise ValueError("expected evaluators made with the same bins and counting")
        self._measure()
        other._measure()
        self._parts += other._parts
        return self

    def compute(
        self, *, bootstrap: int = 0, seed: int = 0, by: Sequence[Breakdown] = ()
    ) -> Evaluation:
        """Return all metrics of what was given so far; more can be given afterwards.

        Args:
            bootstrap: Resamples of the videos for the 95 % intervals; 0 for none.
            seed: Of the resamples.
            by: Breakdowns to compute as well: "task", "action", "duration".

        Raises:
            ValueError: If nothing was given, a segment twice, or a breakdown is unknown.
        """
        if isinstance(by, str) or not set(by) <= set(BREAKDOWNS):
            raise ValueError(f"expected a list of breakdowns out of {BREAKDOWNS}, found {by!r}")
        self._measure()
        if not self._parts:
            raise ValueError("expected at least one row of predictions, found none")
        self._parts = [Sums.concat(self._parts)]
        sums = self._parts[0].canonical()
        if self._counting is None:
            sums = count_left_out(sums)
        fitted_on = LEAVE_ONE_OUT if self._counting is None else self._counting.fitted_on
        return estimate(sums, fitted_on=fitted_on, resamples=bootstrap, seed=seed, by=by)

    def _measure(self) -> None:
        if self._waiting:
            chunk = Predictions.concat(self._waiting)
            self._waiting, self._rows = [], 0
            self._parts.append(measure(chunk, bins=self._bins, counting=self._counting))


def _optional(chunk: Predictions) -> tuple[bool, ...]:
    """Return which optional columns a chunk has; only chunks with the same can be joined."""
    return tuple(getattr(chunk, name) is not None for name in ("lower", "upper", "crps", "pit"))
