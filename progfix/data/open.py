"""From a path to videos: what it is, decided by looking at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from progfix.data.dataset import Dataset, Video
from progfix.data.findings import Collector, count_of, in_order
from progfix.data.gtcc import read_gtcc
from progfix.data.gtcc_json import is_gtcc_json
from progfix.data.hdf5 import read_hdf5
from progfix.data.ms_tcn import is_ms_tcn, read_ms_tcn
from progfix.data.options import BUILT_IN, DataOptions, Reader
from progfix.data.reading import Reading, tasks_to_keep
from progfix.data.splits import derive_splits, load_json
from progfix.data.synthetic import parse_procedures, procedures
from progfix.errors import InputError, Problem

__all__ = ["describe", "open_dataset", "read_data"]

SHOWN = 10
"""Problems of one kind that an error lists; `progfix data check` counts them all."""

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5")

_USED: dict[str, tuple[str, ...]] = {
    "hdf5": ("background", "skip_tasks"),
    "gtcc": (
        "background",
        "ends",
        "feature_dir",
        "fps",
        "frame_rate",
        "pairing",
        "skip_tasks",
        "splits",
    ),
    "ms-tcn": ("background", "feature_dir", "fps", "splits"),
    "built-in": ("skip_tasks",),
}
"""Options that mean something to a reader; any other one is refused, not ignored."""


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
    reading = read_data(options)
    problems: list[Problem] = []
    for finding in reading.findings:
        problems += finding.problems[:SHOWN]
        left = len(finding.problems) - SHOWN
        if left > 0:
            problems.append(
                Problem(
                    str(options.path),
                    "data without such defects",
                    f"{left:,} more of the kind {finding.id}",
                    "`progfix data check` counts them all",
                )
            )
    if problems:
        raise InputError(problems)
    return dataset_of(reading, options)


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
    reader, path = _recognise(options)
    _refuse_unused(reader, options)
    if reader == "built-in":
        spec = parse_procedures(options.path)
        reading = Reading(procedures(spec).videos, spec.name)
    elif reader == "hdf5":
        reading = read_hdf5(path, options, trust_index=not thorough)
    elif reader == "gtcc":
        reading = read_gtcc(path, options)
    else:
        reading = read_ms_tcn(path, options)
    return _complete(reading, options)


def describe(reading: Reading) -> str:
    """Return what a path was taken for, in one line."""
    videos = reading.videos
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


def _recognise(options: DataOptions) -> tuple[str, Path]:
    text = str(options.path)
    if text == BUILT_IN or text.startswith(f"{BUILT_IN}:"):
        if options.reader != "auto":
            fix = "leave --reader out"
            raise InputError(Problem("--reader", f"none with {text}", options.reader, fix))
        return "built-in", Path()
    path = Path(text).expanduser()
    if not path.exists():
        hint = f"check the path, or use the built-in {BUILT_IN}"
        if text.startswith("procedures"):
            hint = f"the built-in data is {BUILT_IN}"
        raise InputError(Problem(text, "a file or folder with data", "no such file", hint))
    return (_of_folder if path.is_dir() else _of_file)(path, options.reader)


def _of_file(path: Path, reader: Reader) -> tuple[str, Path]:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(Problem(str(path), "a readable file", found, "check it")) from error
    is_hdf5 = head.startswith(_HDF5_SIGNATURE) or path.suffix in _HDF5_SUFFIXES
    if reader in ("hdf5", "gtcc"):
        return reader, path
    if reader == "auto" and is_hdf5:
        return "hdf5", path
    if reader == "auto" and (head.lstrip().startswith(b"{") or path.suffix == ".json"):
        return "gtcc", path
    found = "an empty file" if not head else f"a {path.suffix or 'nameless'} file of another kind"
    if reader != "auto":
        found = "a file, where this reader takes a folder"
    raise _unknown(path, found)


def _of_folder(path: Path, reader: Reader) -> tuple[str, Path]:
    if reader in ("ms-tcn", "protas") or (reader == "auto" and is_ms_tcn(path)):
        if not is_ms_tcn(path):
            raise _unknown(path, "a folder without features/ and groundTruth/")
        return "ms-tcn", path
    candidates = []
    if reader in ("auto", "gtcc"):
        candidates += [("gtcc", p) for p in sorted(path.glob("*.json")) if _has_tasks(p)]
    if reader in ("auto", "hdf5"):
        candidates += [("hdf5", p) for s in _HDF5_SUFFIXES for p in sorted(path.glob(f"*{s}"))]
    if len(candidates) == 1:
        return candidates[0]
    names = ", ".join(p.name for _, p in candidates)
    raise _unknown(path, f"a folder with {names}; which one?" if names else "none of them")


def _has_tasks(path: Path) -> bool:
    try:
        return is_gtcc_json(load_json(path))
    except InputError:
        return False


def _unknown(path: Path, found: str) -> InputError:
    return InputError(
        Problem(
            str(path),
            "a progfix HDF5 file, GTCC JSON annotations, or an MS-TCN folder with features/ "
            "and groundTruth/",
            found,
            "see docs/formats.md for the layouts",
        )
    )


def _refuse_unused(reader: str, options: DataOptions) -> None:
    unused = [name for name in options.changed() if name not in ("path", "reader", *_USED[reader])]
    if unused:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
        raise InputError(
            Problem(
                names,
                f"options that change how {reader} data is read",
                "one that would do nothing",
                "leave it out",
            )
        )


def _complete(reading: Reading, options: DataOptions) -> Reading:
    """Do what is the same for every reader: tasks, splits, names and feature sizes."""
    kept = tasks_to_keep(
        list(dict.fromkeys(v.task for v in reading.videos)),
        () if reading.kind.startswith("GTCC") else options.skip_tasks,
    )
    videos, derived = derive_splits([v for v in reading.videos if v.task in kept])
    collector = Collector()
    _require_one_name(options, videos, collector)
    _require_one_size(options, videos, collector)
    if not videos and not any(finding.problems for finding in reading.findings):
        problem = Problem(str(options.path), "at least one video", "none", "check the data")
        collector.refuse("invalid-file", problem)
    note = ", ".join(part for part in (reading.split_note, derived) if part)
    findings = in_order([*reading.findings, *collector.findings()])
    return replace(reading, videos=videos, findings=findings, split_note=note)


def _require_one_name(options: DataOptions, videos: Sequence[Video], collector: Collector) -> None:
    for (task, name), times in Counter((v.task, v.name) for v in videos).items():
        if times > 1:
            where = f"{options.path}, task {task}" if task else str(options.path)
            found = f"{name} {times} times"
            problem = Problem(where, "each video once", found, "rename or remove the others")
            collector.refuse("duplicate-videos", problem)


def _require_one_size(options: DataOptions, videos: Sequence[Video], collector: Collector) -> None:
    shapes = Counter(v.features.shape[1:] for v in videos if v.features is not None)
    usual = max(shapes, key=lambda shape: shapes[shape], default=())
    for video in videos:
        if video.features is not None and video.features.shape[1:] != usual:
            where = f"{options.path}, video {video.name}"
            expected = f"frames of shape {usual} as in {shapes[usual]} other videos"
            found = f"{video.features.shape[1:]}"
            fix = "extract the features of all videos in the same way"
            collector.refuse("feature-shapes", Problem(where, expected, found, fix))
