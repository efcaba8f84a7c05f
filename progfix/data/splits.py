"""Which video belongs to train, val and test: read from a file, or derived from names.

A split that the data does not have is derived from the videos' names alone, so that it is
the same on every machine and in every order of files.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.dataset import SPLITS, Video
from progfix.data.findings import count_of
from progfix.errors import InputError, Problem, listed
from progfix.files import require_no_stream

__all__ = [
    "SplitTable",
    "derive_splits",
    "load_json",
    "note_unsplit",
    "read_splits_json",
    "unknown_split",
]

SplitTable = Mapping[tuple[str, str], str]
"""(task, video name) to split."""

SHARE = {"val": 0.15, "test": 0.15}
"""Share of a task's videos that a derived split takes."""


def derive_splits(videos: Sequence[Video]) -> tuple[tuple[Video, ...], str]:
    """Fill in the splits that training and testing need and the data does not have.

    Data without any split is divided by task into 70 % train, 15 % val and 15 % test. Data
    with training but no validation videos gives 15 % of each task's training videos to
    validation. Of three videos or more at least one goes to each derived split; tasks with
    fewer are divided together. Which ones is decided by the order of the names' SHA-256.
    Everything else is left as it is.

    Returns:
        The videos in the same order, and what was done, empty if nothing.
    """
    present = {video.split for video in videos} - {None}
    if not present:
        wanted: tuple[str, ...] = ("val", "test")
        done = "no splits in the data: 70/15/15 train/val/test derived from the names"
        pool = list(videos)
    elif "train" in present and "val" not in present:
        wanted = ("val",)
        done = "no validation split in the data: 15 % of train, chosen by name, is val"
        pool = [video for video in videos if video.split == "train"]
    else:
        return tuple(videos), ""
    sizes = Counter(video.task for video in pool)
    groups: dict[str | None, list[Video]] = {}
    for video in pool:
        large = sizes[video.task] >= len(SPLITS)
        groups.setdefault(video.task if large else None, []).append(video)
    chosen: dict[tuple[str, str], str] = {}
    for group in groups.values():
        ordered = sorted(group, key=_hash)
        rest = len(ordered)
        for split in wanted:
            size = round(SHARE[split] * len(ordered)) or int(len(ordered) >= len(SPLITS))
            for video in ordered[rest - size : rest]:
                chosen[video.task, video.name] = split
            rest -= size
        for video in ordered[:rest]:
            chosen[video.task, video.name] = "train"
    moved = tuple(
        replace(video, split=chosen.get((video.task, video.name), video.split)) for video in videos
    )
    return moved, done if len(set(chosen.values())) > 1 else ""


def _hash(video: Video) -> bytes:
    return hashlib.sha256(f"{video.task}/{video.name}".encode()).digest()


def load_json(path: Path) -> object:
    """Read a JSON file, refusing keys that appear twice in one object.

    Raises:
        InputError: If it is missing, empty, truncated, no JSON, or has a duplicate key.
    """
    duplicates: list[str] = []

    def object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(pairs)
        if len(table) < len(pairs):
            times = Counter(name for name, _ in pairs)
            duplicates.extend(name for name, count in times.items() if count > 1)
        return table

    try:
        require_no_stream(path)
        content: object = json.loads(path.read_text("utf-8"), object_pairs_hook=object_of)
        # Half of a pair of "\\ud800" escapes is text that no file or screen takes.
        json.dumps(content, ensure_ascii=False).encode()
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(Problem(str(path), "a JSON file", found, "check the path")) from error
    except (ValueError, RecursionError) as error:
        found = "an empty file" if path.stat().st_size == 0 else f"no valid JSON ({error})"
        raise InputError(
            Problem(str(path), "a JSON file", found, "restore the file from where it came from")
        ) from error
    if duplicates:
        raise InputError(
            Problem(
                str(path),
                "each name once",
                f"{listed(duplicates)} more than once",
                "rename or remove one of them",
            )
        )
    return content


def read_splits_json(path: Path, collector: Collector) -> dict[tuple[str, str], str]:
    """Read `splits[task][train|val|test] = [handle, ...]`.

    Args:
        path: The file; the object may also be its root, without the key "splits".
        collector: Told of unknown split names and of handles in two splits.

    Raises:
        InputError: If the file has another structure.
    """
    content = load_json(path)
    table = content.get("splits", content) if isinstance(content, dict) else None
    if not isinstance(table, dict) or not all(_is_split_task(entry) for entry in table.values()):
        raise InputError(
            Problem(
                str(path),
                "splits[task][train, val or test] with lists of handles",
                "another structure",
                "give a splits file in the layout of docs/formats.md",
            )
        )
    result: dict[tuple[str, str], str] = {}
    for task, entry in table.items():
        for split, handles in entry.items():
            if split not in SPLITS:
                collector.refuse("missing-splits", unknown_split(f"{path}, task {task}", split))
                continue
            for handle in handles:
                earlier = result.setdefault((task, handle), split)
                if earlier != split:
                    collector.refuse(
                        "split-leak",
                        Problem(
                            f"{path}, task {task}",
                            "each video in one split",
                            f"{handle} in {earlier} and {split}",
                            "remove it from one of them",
                        ),
                    )
    return result


def unknown_split(where: str, split: str) -> Problem:
    """Return the problem of a split that is none of `SPLITS`."""
    return Problem(where, f"a split out of {', '.join(SPLITS)}", repr(split), "rename it")


def _is_split_task(entry: object) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(handles, list) and all(isinstance(handle, str) for handle in handles)
        for handles in entry.values()
    )


def note_unsplit(
    where: Path, videos: Sequence[Video], listed: SplitTable, collector: Collector
) -> None:
    """Notice videos that a splits file does not name, and names that are no video.

    Args:
        where: The splits file.
        videos: The videos, their splits filled in.
        listed: What the file says about the tasks that were read.
        collector: Told of both, with counts.
    """
    names = {(video.task, video.name) for video in videos}
    unsplit = [f"{video.task} {video.name}".strip() for video in videos if video.split is None]
    unknown = [" ".join(key).strip() for key in listed if key not in names]
    for found, what in ((unsplit, "in no split"), (unknown, "in a split but not in the data")):
        if found:
            title = f"{count_of(len(found), 'video')} {what} ({where.name})"
            collector.note("missing-splits", "warning", title, examples=found, count=len(found))
