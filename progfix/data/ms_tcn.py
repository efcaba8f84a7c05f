"""Reader for MS-TCN folders and their ProTAS variant.

    features/<video>.npy      (D, T), in the ProTAS variant (T, D)
    groundTruth/<video>.txt   one label per frame
    mapping.txt               "id name" per line
    splits/train.split1.bundle, test.split1.bundle, ...   lines "<video>.txt"

Runs of equal labels are segments; a label that is background ends one and is none.

Source: yabufarha/ms-tcn, batch_gen.py; Yuhan-Shen/ProTAS, batch_gen.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.dataset import SPLITS, Segment, Video
from progfix.data.feature_files import feature_files
from progfix.data.findings import count_of
from progfix.data.frame_rates import parse_fps
from progfix.data.npy import NpyFeatures
from progfix.data.options import DataOptions
from progfix.data.reading import LENGTH_TOLERANCE, Reading
from progfix.data.splits import note_unsplit
from progfix.errors import InputError, Problem, listed
from progfix.files import require_no_stream

__all__ = ["is_ms_tcn", "read_ms_tcn"]


def is_ms_tcn(folder: Path) -> bool:
    """Tell whether a folder has the layout."""
    return (folder / "groundTruth").is_dir() and (folder / "features").is_dir()


def read_ms_tcn(folder: Path, options: DataOptions) -> Reading:
    """Read a folder's labels, and its features' headers.

    The lengths of features and labels may differ by `LENGTH_TOLERANCE` frames; the longer
    is cut and counted.

    Args:
        folder: The folder.
        options: The user's options: `reader` "ms-tcn" says that features are (D, T),
            "protas" that they are (T, D), "auto" compares them with the labels; `splits` is
            the number of a bundle; `fps` is the rate of labels and features.

    Raises:
        InputError: If the layout or a bundle is not there.
    """
    collector = Collector()
    fps = parse_fps(options.fps)
    labels = _labels(folder, collector)
    where = {name: str(folder / "groundTruth" / f"{name}.txt") for name in labels}
    feature_dir = options.feature_dir or folder / "features"
    if not feature_dir.is_dir():
        fix = "check the path or name it with --feature-dir"
        raise InputError(Problem(str(feature_dir), "a folder of features", "none", fix))
    found = feature_files(feature_dir, [(where[name], name) for name in labels], collector)
    sources = {name: source for name, source in found.items() if len(source.shape) == 2}
    for source in found.values():
        if len(source.shape) != 2:
            problem = Problem(str(source.path), "two axes", "four", "use progfix HDF5 for maps")
            collector.refuse("missing-features", problem)
    transposed = _frames_last(feature_dir, labels, sources, options, collector)
    if transposed is None:
        return Reading((), "MS-TCN folder", collector.findings())
    videos = []
    cuts: dict[str, int] = {}
    for name, source in sources.items():
        length = source.shape[1 if transposed else 0]
        difference = len(labels[name]) - length
        if abs(difference) > LENGTH_TOLERANCE:
            collector.refuse("fps-mismatch", _lengths_differ(where[name], labels[name], length))
            continue
        if difference:
            cuts[name] = difference
        frames = min(length, len(labels[name]))
        width = source.shape[0 if transposed else 1]
        features = NpyFeatures(source.path, (frames, width), transposed)
        segments = _runs(labels[name][:frames], options.background)
        videos.append(Video(name, "", frames, segments, features, fps=fps))
    _note_cuts(cuts, collector)
    result, split_note = _split(folder, videos, options, collector)
    kind = f"MS-TCN folder, features stored {'(D, T)' if transposed else '(T, D)'}"
    return Reading(result, kind, collector.findings(), split_note)


def _labels(folder: Path, collector: Collector) -> dict[str, list[str]]:
    names = _mapping(folder / "mapping.txt", collector)
    labels = {}
    for path in sorted((folder / "groundTruth").glob("*.txt")):
        lines = [line.strip() for line in _text(path).rstrip().splitlines()]
        unknown = sorted(set(lines) - names) if names else []
        if not lines or "" in lines:
            found = "a line without a label" if lines else "an empty file"
            fix = "restore the file from where it came from"
            collector.refuse("invalid-file", Problem(str(path), "a label per line", found, fix))
        elif unknown:
            found = f"labels {listed(unknown)}"
            expected, fix = "labels that mapping.txt names", "add them there or correct them"
            collector.refuse("invalid-file", Problem(str(path), expected, found, fix))
        else:
            labels[path.stem] = lines
    return labels


def _mapping(path: Path, collector: Collector) -> set[str]:
    if not path.is_file():
        return set()
    rows = [line.split(maxsplit=1) for line in _text(path).splitlines() if line.strip()]
    if any(len(row) < 2 or not row[0].isdigit() for row in rows):
        expected, fix = "lines `id name`", "restore the file from where it came from"
        collector.refuse("invalid-file", Problem(str(path), expected, "other lines", fix))
    return {row[1].strip() for row in rows if len(row) == 2}


def _text(path: Path) -> str:
    try:
        require_no_stream(path)
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "restore the file from where it came from"
        raise InputError(Problem(str(path), "a text file", str(error), fix)) from error


def _frames_last(
    folder: Path,
    labels: Mapping[str, Sequence[str]],
    sources: Mapping[str, NpyFeatures],
    options: DataOptions,
    collector: Collector,
) -> bool | None:
    """Decide whether features are stored (D, T): the axis as long as the labels is T.

    Returns:
        None, and a problem, where the labels leave it in doubt.
    """
    if options.reader != "auto":
        return options.reader == "ms-tcn"
    fits = []
    for axis in (1, 0):
        lengths = [abs(s.shape[axis] - len(labels[name])) for name, s in sources.items()]
        widths = {source.shape[1 - axis] for source in sources.values()}
        matching = sum(length <= LENGTH_TOLERANCE for length in lengths)
        fits.append((len(widths) == 1 and matching == len(sources), matching))
    if fits[0] != fits[1]:
        return fits[0] > fits[1]
    shapes = sorted({source.shape for source in sources.values()})[:3]
    if sources:
        shapes = sorted({source.shape for source in sources.values()})[:3]
        fitting = "both" if fits[0][1] else "neither"
        collector.refuse(
            "feature-shapes",
            Problem(
                str(folder),
                "one axis as long as the labels",
                f"shapes {', '.join(map(str, shapes))}, where {fitting} would do",
                "say it with --reader ms-tcn for (D, T) or --reader protas for (T, D)",
            ),
        )
    return None


def _lengths_differ(where: str, labels: Sequence[str], length: int) -> Problem:
    return Problem(
        where,
        f"as many labels as feature frames, give or take {LENGTH_TOLERANCE}",
        f"{len(labels)} labels for {length} frames",
        "check that both are at the same frame rate",
    )


def _runs(labels: Sequence[str], background: tuple[str, ...]) -> tuple[Segment, ...]:
    segments = []
    start = 0
    for label, run in groupby(labels):
        end = start + len(list(run)) - 1
        if label not in background:
            segments.append(Segment(start, end, label))
        start = end + 1
    return tuple(segments)


def _note_cuts(cuts: Mapping[str, int], collector: Collector) -> None:
    if cuts:
        most = max(map(abs, cuts.values()))
        collector.note(
            "beyond-features",
            "info",
            f"{count_of(len(cuts), 'video')} with up to {most} frames more labels than "
            "features or the reverse; the longer is cut",
            examples=[f"{name}: {difference:+d} labels" for name, difference in cuts.items()],
            count=len(cuts),
            most_frames=most,
        )


def _split(
    folder: Path, videos: Sequence[Video], options: DataOptions, collector: Collector
) -> tuple[tuple[Video, ...], str]:
    pattern = re.compile(r"(\w+)\.split(\d+)\.bundle")
    matches = [pattern.fullmatch(path.name) for path in (folder / "splits").glob("*.bundle")]
    numbers = sorted({match[2] for match in matches if match}, key=int)
    if not numbers and options.splits is None:
        return tuple(videos), ""
    number = options.splits or numbers[0]
    if number not in numbers:
        raise InputError(
            Problem(
                f"--splits {number}",
                f"the number of a bundle out of {listed(numbers)}",
                number,
                f"see the files in {folder / 'splits'}",
            )
        )
    table: dict[tuple[str, str], str] = {}
    for split in SPLITS:
        path = folder / "splits" / f"{split}.split{number}.bundle"
        for line in _text(path).split() if path.is_file() else ():
            name = Path(line).name.removesuffix(".txt")
            earlier = table.setdefault(("", name), split)
            if earlier != split:
                found = f"{name} in {earlier} and {split}"
                fix = "remove it from one of them"
                problem = Problem(str(path), "each video in one split", found, fix)
                collector.refuse("split-leak", problem)
    result = tuple(replace(video, split=table.get(("", video.name))) for video in videos)
    note_unsplit(folder / "splits", result, table, collector)
    more = f" of {len(numbers)}" if len(numbers) > 1 else ""
    return result, f"splits from bundle {number}{more}"
