"""From a path to videos: what it is, decided by looking at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.dataset import Dataset, Video
from progfix.data.findings import count_of, in_order
from progfix.data.options import BUILT_IN, DataOptions, is_built_in
from progfix.data.readers import find_reader
from progfix.data.reading import Reading, tasks_to_keep
from progfix.data.resplit import resplit
from progfix.data.splits import derive_splits
from progfix.data.synthetic import parse_procedures, procedures
from progfix.errors import InputError, Problem, at_most

__all__ = ["dataset_of", "describe", "open_dataset", "read_data", "usable"]


def open_dataset(options: DataOptions) -> Dataset:
    """Open data for use.

    Args:
        options: The path, and how to read it.

    Returns:
        All videos of all splits; features are read when they are asked for. A validation
        split that the data does not have is derived, see `derive_splits`.

    Raises:
        InputError: With every defect that was found; `progfix.data.findings` names them.
    """
    return dataset_of(usable(read_data(options), options), options)


def usable(reading: Reading, options: DataOptions) -> Reading:
    """Return a reading in which nothing keeps the data from being used.

    Raises:
        InputError: With the problems of all findings, of each kind the first few.
    """
    problems: list[Problem] = []
    for finding in reading.findings:
        problems += at_most(
            finding.problems,
            where=str(options.path),
            expected="data without such defects",
            kind=f"of the kind {finding.id}",
            fix="`progfix data check` counts them all",
        )
    if problems:
        raise InputError(problems)
    return reading


def dataset_of(reading: Reading, options: DataOptions) -> Dataset:
    """Return a reading's videos as a data set, with notices for what it can live with."""
    saved = options.resolved()
    return Dataset(
        reading.videos,
        describe(reading),
        str(saved.path),
        {name: value for name, value in saved.changed().items() if name != "path"},
        tuple(finding.title for finding in reading.findings if not finding.problems),
    )


def read_data(options: DataOptions, *, thorough: bool = False) -> Reading:
    """Read a path and collect all that is wrong with it.

    Args:
        options: The path, and how to read it.
        thorough: Visit every video even where an index would do, for checking.

    Raises:
        InputError: If there is nothing that could be read at all.
    """
    if options.path is None:
        fix = f"name a file, a folder, or the built-in {BUILT_IN}"
        raise InputError(Problem("--data", "a path", "none", fix))
    if is_built_in(options.path):
        reading = _built_in(options.path, options)
    else:
        path = Path(options.path).expanduser()
        if not path.exists():
            raise _nothing_there(options.path)
        name, reader, file = find_reader(path, options)
        _refuse_unused(name, reader.options, options)
        reading = reader.read(file, options, thorough)
        if not reader.skips_tasks:
            reading = _without_tasks(reading, options.skip_tasks)
    return _complete(reading, str(options.path), options.resplit)


def describe(reading: Reading) -> str:
    """Return what a path was taken for, in one line."""
    videos = reading.videos
    if not videos:
        return f"{reading.kind}, no video that could be read"
    rates = sorted({video.fps for video in videos if video.fps is not None})
    rate = "" if not rates else f" at {rates[0]:g} fps" if len(rates) == 1 else " at mixed fps"
    shapes = {video.features.shape[1:] for video in videos if video.features is not None}
    sizes = ", ".join("x".join(map(str, shape)) + "-d" for shape in sorted(shapes))
    features = f"features {sizes}{rate}" if shapes else f"no features, annotations{rate}"
    tasks = {video.task for video in videos}
    parts = [
        reading.kind,
        count_of(len(tasks), "task") if tasks != {""} else "",
        count_of(len(videos), "video"),
        features,
        reading.split_note,
    ]
    return ", ".join(part for part in parts if part)


def _built_in(name: str, options: DataOptions) -> Reading:
    if options.reader != "auto":
        fix = "leave --reader out"
        raise InputError(Problem("--reader", f"none with {name}", options.reader, fix))
    _refuse_unused("built-in", ("skip_tasks",), options)
    spec = parse_procedures(name)
    return _without_tasks(Reading(procedures(spec).videos, spec.name), options.skip_tasks)


def _nothing_there(path: str) -> InputError:
    hint = f"check the path, or use the built-in {BUILT_IN}"
    if path.startswith("procedures"):
        hint = f"the built-in data is {BUILT_IN}"
    return InputError(Problem(path, "a file or folder with data", "no such file", hint))


def _refuse_unused(name: str, used: Sequence[str], options: DataOptions) -> None:
    known = sorted((*used, "resplit"))
    unused = [field for field in options.changed() if field not in ("path", "reader", *known)]
    if unused:
        one = len(unused) == 1
        found = "one that would do nothing" if one else f"{len(unused)} that would do nothing"
        fix = "leave it out" if one else "leave them out"
        if name == "hdf5" and "splits" in unused:
            fix += "; the splits are in the file, attribute 'split' of each video's group"
        expected = f"options that change how {name} data is read ({_flags(known)})"
        raise InputError(Problem(_flags(unused), expected, found, fix))


def _flags(names: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _without_tasks(reading: Reading, skip: Sequence[str]) -> Reading:
    kept = tasks_to_keep(list(dict.fromkeys(video.task for video in reading.videos)), skip)
    return replace(reading, videos=tuple(v for v in reading.videos if v.task in kept))


def _complete(reading: Reading, path: str, seed: int | None) -> Reading:
    """Do what is the same for every reader: splits, names and feature sizes."""
    videos, derived = derive_splits(reading.videos)
    drawn = ""
    if seed is not None:
        videos, drawn = resplit(videos, seed), f"splits of the same sizes drawn with seed {seed}"
    collector = Collector()
    _require_one_name(path, videos, collector)
    _require_one_size(path, videos, collector)
    if not videos and not any(finding.problems for finding in reading.findings):
        problem = Problem(path, "at least one video", "none", "check the data")
        collector.refuse("invalid-file", problem)
    note = ", ".join(part for part in (reading.split_note, derived, drawn) if part)
    findings = in_order([*reading.findings, *collector.findings()])
    return replace(reading, videos=videos, findings=findings, split_note=note)


def _require_one_name(path: str, videos: Sequence[Video], collector: Collector) -> None:
    for (task, name), times in Counter((v.task, v.name) for v in videos).items():
        if times > 1:
            where = f"{path}, task {task}" if task else path
            found = f"{name} {times} times"
            problem = Problem(where, "each video once", found, "rename or remove the others")
            collector.refuse("duplicate-videos", problem)


def _require_one_size(path: str, videos: Sequence[Video], collector: Collector) -> None:
    shapes = Counter(v.features.shape[1:] for v in videos if v.features is not None)
    usual = max(shapes, key=lambda shape: shapes[shape], default=())
    for video in videos:
        if video.features is not None and video.features.shape[1:] != usual:
            where = f"{path}, video {video.name}"
            expected = f"frames of shape {usual} as in {count_of(shapes[usual], 'other video')}"
            found = f"{video.features.shape[1:]}"
            fix = "extract the features of all videos in the same way"
            collector.refuse("feature-shapes", Problem(where, expected, found, fix))
