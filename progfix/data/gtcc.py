"""Reader for GTCC and EgoProceL annotations with .npy features: lists to videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from progfix.data.collector import Collector
from progfix.data.dataset import Segment, Video
from progfix.data.feature_files import feature_files, feature_folder
from progfix.data.findings import count_of
from progfix.data.frame_rates import annotation_fps, parse_fps, to_feature_frame
from progfix.data.gtcc_json import check_lists, parse_gtcc_json
from progfix.data.npy import NpyFeatures
from progfix.data.options import FRAME_RATES, DataOptions
from progfix.data.pairing import pair_lists
from progfix.data.reading import LENGTH_TOLERANCE, Reading, tasks_to_keep
from progfix.data.splits import note_unsplit, read_splits_json
from progfix.data.views import AnnotationList
from progfix.errors import InputError, Problem, listed
from progfix.predictions import LONGEST_ACTION

__all__ = ["read_gtcc"]

SPLIT_FILES = ("data_splits.json", "splits.json")
"""Names of splits files looked for beside the annotations."""

LENGTH_RATIOS = (0.8, 1.25)
"""Features and annotations that differ in length by more than this are at different rates."""


@dataclass
class _Tally:
    """What happened to the annotations on the way to feature frames.

    Attributes:
        empty: Segments without a frame, by video.
        beyond: Videos annotated beyond their features, and by how many frames.
        cut: Action segments that were cut for it.
        ratios: Feature frames per annotated frame of the videos, by annotation rate.
    """

    empty: list[str] = field(default_factory=list)
    beyond: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    ratios: dict[float, list[float]] = field(default_factory=dict)


def read_gtcc(path: Path, options: DataOptions) -> Reading:
    """Read annotations, and features where there are any.

    Times become feature frames by `to_feature_frame`; background is left out. With
    half-open ends a segment's last frame is the one before its end, and a segment without
    frames is dropped and counted. A segment that begins within the features and ends
    beyond is cut at their last frame and counted. Without features a video is as long as
    its annotation, background included.

    Args:
        path: The JSON file.
        options: The user's options.

    Raises:
        InputError: If a file is missing or no annotations at all, or an option is wrong.
    """
    collector = Collector()
    given_fps = parse_fps(options.fps)
    if options.frame_rate not in FRAME_RATES:
        found, fix = str(options.frame_rate), "give frames per second"
        raise InputError(Problem("--frame-rate", FRAME_RATES.of(float), found, fix))
    tasks = parse_gtcc_json(path, collector)
    kept = tasks_to_keep(list(tasks), options.skip_tasks)
    tasks = {name: task for name, task in tasks.items() if name in kept}
    check_lists(path, tasks, options.background, collector)
    pairs = pair_lists(path, tasks, options.pairing, collector)
    names = [(f"{path}, task {task}, {n}", n) for task, rows in pairs.items() for n, _ in rows]
    folder = feature_folder(path.parent, options.feature_dir)
    sources = feature_files(folder, names, collector) if folder else {}
    if folder and _frames_last(folder, sources, collector):
        return Reading((), "GTCC JSON annotations", collector.findings())
    tally = _Tally()
    videos = []
    unknown: list[tuple[str, str]] = []
    for task, rows in pairs.items():
        for handle, annotation in rows:
            where = f"{path}, task {task}, {handle}"
            fps = given_fps or annotation_fps(handle)
            if fps is None:
                unknown.append((task, handle))
                continue
            source = sources.get(handle)
            length = source.shape[0] if source else None
            rates = (fps, options.frame_rate)
            spans, frames = _spans(annotation, rates, length, options)
            if frames > LONGEST_ACTION:
                collector.refuse("invalid-segments", _too_long(where, frames))
                continue
            segments = _segments(where, spans, frames, options, tally, collector)
            if length is not None:
                _compare_lengths(where, spans, length, fps, tally)
            videos.append(Video(handle, task, frames, segments, source, fps=options.frame_rate))
    if unknown:
        places = [f"task {task}, {handle}" for task, handle in unknown]
        handles = [handle for _, handle in unknown]
        collector.refuse("fps-mismatch", _unknown_rates(path, handles), places=places)
    _report(tally, collector)
    split_videos, split_note = _split(videos, path, options, collector)
    kind = f"GTCC JSON annotations, ends {options.ends}"
    return Reading(split_videos, kind, collector.findings(), split_note)


def _frames_last(folder: Path, sources: Mapping[str, NpyFeatures], collector: Collector) -> bool:
    """Refuse features of one length and of many widths, which are stored (D, T)."""
    shapes = [source.shape for source in sources.values() if len(source.shape) == 2]
    lengths, widths = ({shape[axis] for shape in shapes} for axis in (0, 1))
    transposed = len(lengths) == 1 and len(widths) > max(1, min(2, len(shapes) - 1))
    if transposed:
        problem = Problem(
            str(folder),
            "features (T, D), frames first",
            f"shapes {', '.join(map(str, sorted(set(shapes))[:3]))}, frames last",
            "store them transposed: np.save(path, np.load(path).T)",
        )
        collector.refuse("feature-shapes", problem)
    return transposed


def _unknown_rates(path: Path, handles: Sequence[str]) -> Problem:
    return Problem(
        str(path),
        "handles of EgoProceL, whose frame rates are known",
        f"{count_of(len(handles), 'video')} of other names: {listed(handles)}",
        "pass the frame rate of the annotations with --fps, for example --fps 30",
    )


def _too_long(where: str, frames: int) -> Problem:
    return Problem(
        where,
        f"annotations that end within {LONGEST_ACTION:,} frames of the features",
        f"{frames:,} frames",
        "check --fps and --frame-rate, or mend the annotation",
    )


def _spans(
    annotation: AnnotationList,
    rates: tuple[float, float],
    length: int | None,
    options: DataOptions,
) -> tuple[list[Segment], int]:
    """Bring all segments, background included, to feature frames; return them and T.

    Reversed ones, which `check_lists` has refused, are left out.
    """
    excluded = options.ends == "half-open"
    spans = [
        Segment(to_feature_frame(start, *rates), to_feature_frame(end, *rates) - excluded, action)
        for start, end, action in zip(
            annotation.starts, annotation.ends, annotation.actions, strict=True
        )
        if start <= end
    ]
    spans.sort(key=lambda span: (span.start, span.end))
    return spans, max([1, *(span.end + 1 for span in spans)]) if length is None else length


def _segments(
    where: str,
    spans: Sequence[Segment],
    frames: int,
    options: DataOptions,
    tally: _Tally,
    collector: Collector,
) -> tuple[Segment, ...]:
    segments = []
    for span in spans:
        if span.action in options.background:
            continue
        if span.start >= frames:
            collector.refuse(
                "beyond-features",
                Problem(
                    where,
                    f"actions within the {frames} frames of the features",
                    f"action {span.action} from frame {span.start} to {span.end}",
                    "check --fps and --frame-rate, or extract the features to the end",
                ),
            )
        elif span.end < span.start:
            tally.empty.append(f"{where}: action {span.action} at frame {span.start}")
        else:
            tally.cut += span.end >= frames
            segments.append(replace(span, end=min(span.end, frames - 1)))
    return tuple(segments)


def _compare_lengths(
    where: str, spans: Sequence[Segment], length: int, fps: float, tally: _Tally
) -> None:
    annotated = max((span.end + 1 for span in spans), default=1)
    if annotated > length:
        tally.beyond[where] = annotated - length
    tally.ratios.setdefault(fps, []).append(length / max(1, annotated))


def _report(tally: _Tally, collector: Collector) -> None:
    if tally.empty:
        collector.note(
            "zero-length-segments",
            "info",
            f"{count_of(len(tally.empty), 'segment')} without a frame at this rate, left out",
            examples=tally.empty,
            count=len(tally.empty),
        )
    if tally.beyond:
        most = max(tally.beyond.values())
        collector.note(
            "beyond-features",
            "info" if most <= LENGTH_TOLERANCE else "warning",
            f"{count_of(len(tally.beyond), 'video')} annotated up to {most} frames beyond "
            f"the features; {count_of(tally.cut, 'action')} cut at their last frame",
            examples=[f"{where}: {n} frames" for where, n in tally.beyond.items()],
            count=len(tally.beyond),
            cut=tally.cut,
            most_frames=most,
        )
    for fps, ratios in tally.ratios.items():
        ratio = median(ratios)
        if not LENGTH_RATIOS[0] <= ratio <= LENGTH_RATIOS[1]:
            collector.note(
                "fps-mismatch",
                "warning",
                f"the features of {count_of(len(ratios), 'video')} annotated at {fps:g} fps "
                f"are {ratio:.2f} times as long as their annotations",
                count=len(ratios),
                annotation_fps=fps,
                ratio=ratio,
            )


def _split(
    videos: Sequence[Video], path: Path, options: DataOptions, collector: Collector
) -> tuple[tuple[Video, ...], str]:
    beside = (path.parent / name for name in SPLIT_FILES)
    found = Path(options.splits) if options.splits else next(filter(Path.is_file, beside), None)
    if found is None:
        return tuple(videos), ""
    table: Mapping[tuple[str, str], str] = read_splits_json(found, collector)
    tasks = {video.task for video in videos}
    listed = {key: split for key, split in table.items() if key[0] in tasks}
    result = tuple(replace(v, split=listed.get((v.task, v.name))) for v in videos)
    note_unsplit(found, result, listed, collector)
    return result, f"splits from {found.name}"
