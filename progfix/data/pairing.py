"""Which annotation list belongs to which video, where their numbers differ."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.findings import count_of
from progfix.data.gtcc_json import TaskLists
from progfix.data.options import Pairing
from progfix.data.views import AnnotationList, collapse_views
from progfix.errors import Problem, listed

__all__ = ["pair_lists"]


def pair_lists(
    path: Path, tasks: Mapping[str, TaskLists], pairing: Pairing, collector: Collector
) -> dict[str, list[tuple[str, AnnotationList]]]:
    """Pair the handles of every task with their annotations.

    Args:
        path: The JSON file, for messages.
        tasks: What was read from it.
        pairing: What to do where there are not as many lists as handles: "refuse",
            collapse camera "views" where the count comes out and refuse the others, or
            pair by "position" and drop what is left over.
        collector: Told of every such task.

    Returns:
        Pairs by task; a refused task has none.
    """
    pairs: dict[str, list[tuple[str, AnnotationList]]] = {}
    odd: dict[str, str] = {}
    refused: dict[str, int] = {}
    for name, task in tasks.items():
        lists = list(task.lists)
        handles = task.handles
        if len(lists) != len(handles):
            collapsed = collapse_views(lists)
            counts = f"{len(lists)} lists for {count_of(len(handles), 'handle')}"
            if pairing == "views" and len(collapsed) == len(handles):
                lists = collapsed
                odd[name] = f"{counts}, collapsed to {len(collapsed)} recordings"
            elif pairing == "position" and len(lists) > len(handles):
                odd[name] = f"{counts}, the first {len(handles)} taken by position"
            else:
                refused[name] = len(collapsed)
                continue
        pairs[name] = list(zip(handles, lists, strict=False))
    if refused:
        _refuse(path, tasks, refused, collector)
    if odd:
        _note(odd, pairing, tasks, collector)
    return pairs


def _refuse(
    path: Path, tasks: Mapping[str, TaskLists], recordings: Mapping[str, int], collector: Collector
) -> None:
    """Refuse tasks, given how many recordings their views collapse to, with one remedy."""
    found = {
        name: f"{len(tasks[name].lists)} lists for "
        f"{count_of(len(tasks[name].handles), 'handle')} (views collapse to {count})"
        for name, count in recordings.items()
    }
    left = [name for name, count in recordings.items() if count != len(tasks[name].handles)]
    flags = ["--pairing views"] if len(left) < len(found) else []
    flags += [f"--skip-tasks {shlex.quote(','.join(left))}"] if left else []
    one = next(iter(found)) if len(found) == 1 else None
    collector.refuse(
        "mismatched-lists",
        Problem(
            f"{path}, task {one}" if one else str(path),
            "one annotation list per handle",
            found[one] if one else listed(f"{name}: {text}" for name, text in found.items()),
            f"pass {' '.join(flags)}",
        ),
        places=[f"task {name}: {text}" for name, text in found.items()],
        items=[
            {
                "task": name,
                "lists": len(tasks[name].lists),
                "handles": len(tasks[name].handles),
                "recordings": count,
            }
            for name, count in recordings.items()
        ],
    )


def _note(
    odd: Mapping[str, str], pairing: Pairing, tasks: Mapping[str, TaskLists], collector: Collector
) -> None:
    lists = sum(len(tasks[name].lists) for name in odd)
    handles = sum(len(tasks[name].handles) for name in odd)
    counts = f"{lists} lists for {handles} handles in {count_of(len(odd), 'task')}"
    collector.note(
        "mismatched-lists",
        "info" if pairing == "views" else "warning",
        f"{counts}: camera views collapsed to recordings"
        if pairing == "views"
        else f"{counts} paired by position: after the first surplus list the labels are wrong",
        examples=[f"{name}: {text}" for name, text in odd.items()],
        mended=pairing == "views",
        tasks=len(odd),
        lists=lists,
        handles=handles,
    )
