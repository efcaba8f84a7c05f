"""What the rows of a predictions file must fulfil."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.predictions import LARGEST_PREDICTION, LONGEST_ACTION
from progfix.predictions_io.assemble import Rows, off_target, starts_of
from progfix.predictions_io.columns import INTERVALS
from progfix.predictions_io.defects import Defects

__all__ = ["SeenVideos", "check_structure", "check_values"]


def check_values(table: Rows, defects: Defects) -> NDArray[np.bool_]:
    """Check each row by itself.

    Returns:
        Which rows are sound.
    """
    sound = table.read.copy()

    def require(wrong: NDArray[np.bool_], column: str, expected: str, fix: str) -> None:
        nonlocal sound
        wrong = wrong & table.read
        if wrong.any():
            found = f"{column} {table.array(column)[wrong][0]}"
            defects.add(expected, table.rows[wrong], found, fix)
            sound &= ~wrong

    columns = table.columns
    for name in ("prediction", *(name for name in INTERVALS if name in columns)):
        values, fix = table.array(name), "look for what made them: a diverged model, or a "
        require(
            ~np.isfinite(values), name, f"finite numbers in column {name!r}", fix + "missing value"
        )
        # Progress is about 0 to 1; squares of what is beyond this are no numbers any more.
        beyond = np.isfinite(values) & (np.abs(values) > LARGEST_PREDICTION)
        expected = f"numbers from {-LARGEST_PREDICTION:g} to {LARGEST_PREDICTION:g}"
        require(beyond, name, f"{expected} in column {name!r}", fix + "wrong column")
    if "lower" in columns:
        wrong = table.array("lower") > table.array("upper")
        require(wrong, "lower", "lower <= upper", "swap the interval's ends")
    for name in ("elapsed", "duration"):
        if name in columns:
            fix = "count frames from 1" if name == "elapsed" else "give the action's frames"
            require(table.array(name) < 1, name, f"{name} of at least 1", fix)
    if "elapsed" in columns and "duration" in columns:
        wrong = table.array("elapsed") > np.maximum(table.array("duration"), 1)
        require(wrong, "elapsed", "elapsed <= duration", "give the whole action's duration")
    if "target" in columns:
        target = table.array("target")
        outside = ~((target > 0) & (target <= 1))
        fix = "use (i + 1) / L for the frames i = 0 .. L - 1 of an action of L frames"
        require(outside, "target", "targets in (0, 1]", fix)
        if "elapsed" in columns and "duration" in columns:
            duration = np.maximum(table.array("duration"), 1)
            wrong = ~outside & off_target(target, table.array("elapsed"), duration)
            require(wrong, "target", "target = elapsed / duration", fix)
    return sound


def check_structure(table: Rows, defects: Defects) -> None:
    """Check the rows of complete columns against each other."""
    new_video = starts_of(table, "task", "video")
    new = new_video | starts_of(table, "segment")
    inside = ~new[1:]
    later = table.rows[1:]

    def require(wrong: NDArray[np.bool_], column: str, expected: str, fix: str) -> None:
        wrong = wrong & inside
        if wrong.any():
            found = f"{column} {table.array(column)[1:][wrong][0]}"
            defects.add(expected, later[wrong], found, fix)

    too_long = table.array("duration") > LONGEST_ACTION
    if too_long.any():
        expected = f"actions of at most {LONGEST_ACTION:,} frames"
        found = f"duration {table.array('duration')[too_long][0]}"
        defects.add(expected, table.rows[too_long], found, "correct the duration, or the target")
    elapsed = table.array("elapsed")
    again, back = elapsed[1:] == elapsed[:-1], elapsed[1:] < elapsed[:-1]
    require(again, "elapsed", "each frame of a segment once", "remove the duplicate rows")
    require(back, "elapsed", "rising elapsed in a segment", "sort the rows by frame")
    changed = table.array("duration")[1:] != table.array("duration")[:-1]
    require(changed, "duration", "one duration per segment", "number the segments anew")
    if "action" in table.columns:
        renamed = starts_of(table, "action")[1:] & inside
        if renamed.any():
            action = table.category("action").take(np.append(False, renamed)).decode()[0]
            expected = "one action per segment"
            defects.add(expected, later[renamed], f"action {action!r}", "number the segments anew")
    _check_interleaving(table, new_video, new, defects)


def _check_interleaving(
    table: Rows, new_video: NDArray[np.bool_], new: NDArray[np.bool_], defects: Defects
) -> None:
    first = np.flatnonzero(new)
    pairs = np.stack([np.cumsum(new_video)[first], table.array("segment")[first]])
    _, earliest = np.unique(pairs, axis=1, return_index=True)
    again = np.setdiff1d(first, first[earliest])
    if len(again):
        defects.add(
            "the rows of a segment together",
            table.rows[again],
            f"segment {table.array('segment')[again[0]]} once more",
            "sort the rows by video, segment and frame",
        )


class SeenVideos:
    """The videos met so far, to notice one that comes again later in the file."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def check(self, table: Rows, defects: Defects) -> None:
        """Record the videos of these rows that were complete before."""
        first = np.flatnonzero(starts_of(table, "task", "video"))
        heads = table.take(np.isin(np.arange(len(table)), first))
        videos = heads.category("video").decode()
        tasks = heads.category("task").decode() if "task" in heads.columns else [""] * len(videos)
        for row, key in zip(heads.rows, zip(tasks, videos, strict=True), strict=True):
            if key in self._seen:
                defects.add(
                    "the rows of a video together",
                    np.array([row]),
                    f"video {key[1]!r} once more",
                    "sort the rows by video, segment and frame",
                )
            self._seen.add(key)
