"""What the rows of a predictions file must fulfil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from progfix.errors import listed
from progfix.predictions import LARGEST_PREDICTION, LONGEST_ACTION
from progfix.predictions_io.assemble import Rows, off_target, starts_of
from progfix.predictions_io.columns import INTERVALS, missing_fix
from progfix.predictions_io.defects import Defects

__all__ = ["SeenVideos", "check_structure", "check_values"]


def check_values(
    table: Rows, names: Mapping[str, str], others: Sequence[str], defects: Defects
) -> NDArray[np.bool_]:
    """Check each row by itself.

    Args:
        table: Whole videos.
        names: For each column that the file has, its name in the file.
        others: Columns that could be judged instead of the prediction, for advice.
        defects: Gets what is wrong.

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
        values, made = table.array(name), "look for what made it: a diverged model, or a "
        place, missing = f"in column {names[name]!r}", missing_fix(name, names, others)
        fix = f"{made}missing value: {missing}"
        require(~np.isfinite(values), name, f"finite numbers {place}", fix)
        # Progress is about 0 to 1; squares of what is beyond this are no numbers any more.
        beyond = np.isfinite(values) & (np.abs(values) > LARGEST_PREDICTION)
        expected = f"numbers from {-LARGEST_PREDICTION:g} to {LARGEST_PREDICTION:g} {place}"
        require(beyond, name, expected, made + "wrong column")
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
        empty, outside = ~np.isfinite(target), ~((target > 0) & (target <= 1))
        expected = f"finite numbers in column {names['target']!r}"
        require(empty, "target", expected, missing_fix("target", names, ()))
        require(outside & ~empty, "target", "targets in (0, 1]", _target_fix(target[~empty]))
        if "elapsed" in columns and "duration" in columns:
            duration = np.maximum(table.array("duration"), 1)
            wrong = ~outside & off_target(target, table.array("elapsed"), duration)
            require(wrong, "target", "target = elapsed / duration", _TARGETS)
    return sound


_TARGETS = "use (i + 1) / L for the frames i = 0 .. L - 1 of an action of L frames"


def _target_fix(target: NDArray[np.float64] | NDArray[np.int64]) -> str:
    """Say what to do about targets outside (0, 1], by what they look like."""
    lowest, highest = target.min(initial=1), target.max(initial=0)
    if lowest >= 0 and highest > 1 and not np.any(target % 1):
        return "frame numbers go into a column 'elapsed', from 1, beside 'duration'"
    if lowest >= 0 and _PERCENT[0] < highest <= _PERCENT[1]:
        return f"divide percentages by 100, and {_TARGETS}"
    if lowest == 0:
        return f"do not count from 0, as i / L and i / (L - 1) do: {_TARGETS}"
    return _TARGETS


_PERCENT = (10, 100)
"""The largest of all targets in percent is 100, but not of an action that was cut off."""


def check_structure(table: Rows, names: Mapping[str, str], defects: Defects) -> None:
    """Check the rows of complete columns against each other.

    Args:
        table: Whole videos.
        names: For each column that the file has, its name in the file.
        defects: Gets what is wrong.
    """
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
    fix = "remove the duplicate rows"
    if not {"elapsed", "frame_index"} & names.keys():
        fix = "targets that do not tell frames apart need the columns elapsed and duration"
    require(again, "elapsed", "each frame of a segment once", fix)
    require(back, "elapsed", "rising elapsed in a segment", "sort the rows by frame")
    changed = table.array("duration")[1:] != table.array("duration")[:-1]
    require(changed, "duration", "one duration per segment", "number the segments anew")
    if "action" in table.columns:
        renamed = starts_of(table, "action")[1:] & inside
        if renamed.any():
            action = table.category("action").take(np.append(False, renamed)).decode()[0]
            expected = "one action per segment"
            defects.add(expected, later[renamed], f"action {action!r}", "number the segments anew")
    _check_interleaving(table, names, new_video, new, defects)


def _sort_fix(names: Mapping[str, str]) -> str:
    """Say what to sort the rows by, in the file's own names."""
    frame = next((names[n] for n in ("elapsed", "frame_index", "target") if n in names), "frame")
    keys = listed([names[n] for n in _KEYS if n in names] + [frame])
    return f"sort the rows by {keys}; two videos of one name need two names, or their tasks"


_KEYS = ("task", "video", "segment")


def _check_interleaving(
    table: Rows,
    names: Mapping[str, str],
    new_video: NDArray[np.bool_],
    new: NDArray[np.bool_],
    defects: Defects,
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
            _sort_fix(names),
        )


class SeenVideos:
    """The videos met so far, to notice one that comes again later in the file."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def check(self, table: Rows, names: Mapping[str, str], defects: Defects) -> NDArray[np.bool_]:
        """Record the videos of these rows that were complete before.

        Returns:
            Which rows are of none that was.
        """
        first = np.flatnonzero(starts_of(table, "task", "video"))
        new = np.ones(len(first), dtype=np.bool_)
        heads = table.take(np.isin(np.arange(len(table)), first))
        videos = heads.category("video").decode()
        tasks = heads.category("task").decode() if "task" in heads.columns else [""] * len(videos)
        for place, key in enumerate(zip(tasks, videos, strict=True)):
            if key in self._seen:
                new[place] = False
                defects.add(
                    "the rows of a video together",
                    heads.rows[[place]],
                    f"video {key[1]!r} once more",
                    _sort_fix(names),
                )
            self._seen.add(key)
        return np.repeat(new, np.diff(np.append(first, len(table))))
