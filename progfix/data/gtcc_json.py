"""The JSON annotations of GTCC and EgoProceL: from the file to checked annotation lists.

A task has `handles` (the videos) and, position by position, `hdl_actions`,
`hdl_start_times` and `hdl_end_times`; times are frames of the original recording.

Source: gerardDonahue/GTCC_CVPR2024, dset_jsons/ and models/json_dataset.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import eq
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.splits import load_json
from progfix.data.views import AnnotationList
from progfix.errors import InputError, Problem

__all__ = ["TaskLists", "check_lists", "is_gtcc_json", "parse_gtcc_json"]

_LATEST = 2**53
"""Frame numbers beyond are not exact as floats."""

_KEYS = ("handles", "hdl_actions", "hdl_start_times", "hdl_end_times")


@dataclass(frozen=True)
class TaskLists:
    """One task: its videos, and annotation lists that may or may not be one per video."""

    handles: tuple[str, ...]
    lists: tuple[AnnotationList, ...]


def is_gtcc_json(content: object) -> bool:
    """Tell whether parsed JSON is a dict of tasks with handles."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(task, dict) and "handles" in task for task in content.values())
    )


def parse_gtcc_json(path: Path, collector: Collector) -> dict[str, TaskLists]:
    """Read annotations.

    Args:
        path: The JSON file.
        collector: Told of every task and list that has not the layout; those are left out.

    Raises:
        InputError: If the file is missing, no JSON, or something else altogether.
    """
    content = load_json(path)
    if not (isinstance(content, dict) and is_gtcc_json(content)):
        is_splits = isinstance(content, dict) and "splits" in content
        raise InputError(
            Problem(
                str(path),
                f"GTCC annotations: tasks, each with {', '.join(_KEYS)}",
                "a splits file" if is_splits else "JSON of another structure",
                "give it to --splits and the annotations to --data"
                if is_splits
                else "give the annotations in the layout of docs/formats.md",
            )
        )
    tasks = {
        name: _task(f"{path}, task {name}", entry, collector) for name, entry in content.items()
    }
    return {name: task for name, task in tasks.items() if task is not None}


def _task(where: str, entry: Mapping[str, object], collector: Collector) -> TaskLists | None:
    columns = [entry.get(key) for key in _KEYS]
    fix = "restore the task from where the file came from"
    wrong = [k for k, column in zip(_KEYS, columns, strict=True) if not isinstance(column, list)]
    if wrong:
        found = f"none or something else for {', '.join(wrong)}"
        collector.refuse("invalid-file", Problem(where, f"lists {', '.join(_KEYS)}", found, fix))
        return None
    handles, actions, starts, ends = (c for c in columns if isinstance(c, list))
    if not len(actions) == len(starts) == len(ends):
        found = f"{len(actions)}, {len(starts)} and {len(ends)}"
        expected = "as many hdl_actions as hdl_start_times and hdl_end_times"
        collector.refuse("invalid-file", Problem(where, expected, found, fix))
        return None
    if not all(isinstance(handle, str) and handle for handle in handles):
        collector.refuse("invalid-file", Problem(where, "handles with names", "others", fix))
        return None
    rows = enumerate(zip(actions, starts, ends, strict=True))
    lists = [_list(f"{where}, list {row}", *triple, collector) for row, triple in rows]
    if not all(lists):
        return None
    return TaskLists(tuple(handles), tuple(one for one in lists if one is not None))


def _list(
    where: str, actions: object, starts: object, ends: object, collector: Collector
) -> AnnotationList | None:
    columns = [column for column in (actions, starts, ends) if isinstance(column, list)]
    expected = "as many actions (names) as start and end frames (numbers from 0 on)"
    if len(columns) < 3 or len({len(column) for column in columns}) > 1:
        lengths = ", ".join(str(len(column)) for column in columns)
        found = f"lists of {lengths}" if len(columns) == 3 else "something else than three lists"
    elif not columns[0]:
        found = "empty lists"
    elif not all(isinstance(action, str | int) for action in columns[0]):
        found = "an action without a name"
    elif not all(_is_time(time) for column in columns[1:] for time in column):
        found = "a time that is no frame number"
    else:
        return AnnotationList(tuple(map(str, columns[0])), tuple(columns[1]), tuple(columns[2]))
    collector.refuse("invalid-file", Problem(where, expected, found, "mend the annotation"))
    return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST


def check_lists(
    path: Path, tasks: Mapping[str, TaskLists], background: tuple[str, ...], collector: Collector
) -> None:
    """Look for segments reversed or overlapping, in the recordings' own frames.

    Args:
        path: The file, for messages.
        tasks: What was read from it.
        background: Names that are no action; only actions may not overlap.
        collector: Told of reversed segments, overlaps, and the number of shared boundaries.
    """
    shared = pairs = 0
    for name, task in tasks.items():
        for row, one in enumerate(task.lists):
            where = f"{path}, task {name}, {_list_name(task, row)}"
            _check_list(where, one, background, collector)
            pairs += len(one.starts) - 1
            shared += sum(map(eq, one.ends[:-1], one.starts[1:]))
    if shared:
        collector.note(
            "overlapping-segments",
            "info",
            f"{shared:,} of {pairs:,} neighbours in the lists, background included, share a frame",
            shared_boundaries=shared,
            pairs=pairs,
        )


def _list_name(task: TaskLists, row: int) -> str:
    return task.handles[row] if len(task.handles) == len(task.lists) else f"list {row}"


def _check_list(
    where: str, one: AnnotationList, background: tuple[str, ...], collector: Collector
) -> None:
    last = 0.0
    for start, end, action in sorted(zip(one.starts, one.ends, one.actions, strict=True)):
        if end < start:
            collector.refuse(
                "invalid-segments",
                Problem(
                    where,
                    "segments that start before they end",
                    f"frames {start} to {end} (action {action})",
                    "mend the annotation",
                ),
            )
        elif action in background:
            continue
        elif start < last:
            collector.refuse(
                "overlapping-segments",
                Problem(
                    where,
                    "segments that share at most their boundary frame",
                    f"action {action} starting at frame {start} while an earlier one lasts "
                    f"until frame {last}",
                    "mend the annotation",
                ),
            )
        last = max(last, end)
