"""Checks that look at all videos together, and at every feature."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from progfix.data.collector import Collector
from progfix.data.dataset import Video
from progfix.data.feature_scan import FeatureScan, non_finite_problem, scan_features
from progfix.data.findings import Severity, count_of
from progfix.errors import InputError, listed

__all__ = [
    "Observer",
    "find_background",
    "find_in_features",
    "find_one_frame_actions",
    "find_rates",
    "find_same_annotations",
]

BACKGROUND_NAMES = frozenset(
    {"background", "bg", "sil", "silence", "none", "null", "idle", "no action", "no_action"}
)
"""Names, in lower case, that other projects give to frames without an action."""

BACKGROUND_SHARE = 0.4
"""Background alternates with the actions: it has about this share of a task's segments or
more (on EgoProceL, read with its background as an action, .43 to .51) ..."""

BACKGROUND_REPEATS = 0.05
"""... and is next to itself in fewer than this share of its instances (0 there; frequent real
actions such as chopping have .2 to .9)."""

FEWEST_ACTIONS = 4
"""In a task with fewer actions a large share is nothing special."""

ONE_FRAME_SHARE = 0.1
"""Share of one-frame actions from which they deserve a look."""

SAME_SEGMENTS = 3
"""Fewest segments of an annotation that two videos do not share by chance."""

ZERO_FRAMES = 2
"""Fewest frames of zeros that deserve a look; a first frame of optical flow may be one."""

FEW_COPIES = 0.05
"""Share of the videos of a split below which copies change a score by little."""

Observer = Callable[[Video], None]


def _name(video: Video) -> str:
    return " ".join((video.task, video.name)).strip()


def find_background(videos: Sequence[Video], collector: Collector) -> None:
    """Look for actions that are background by their name, or by where they occur."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    repeats: dict[str, Counter[str]] = defaultdict(Counter)
    for video in videos:
        names = [segment.action for segment in video.segments]
        counts[video.task].update(names)
        repeats[video.task].update(one for one, other in pairwise(names) if one == other)
    found: dict[str, int] = {}
    for task, actions in counts.items():
        for action, count in actions.items():
            alternates = (
                len(actions) >= FEWEST_ACTIONS
                and count >= BACKGROUND_SHARE * actions.total()
                and repeats[task][action] < BACKGROUND_REPEATS * count
            )
            if alternates or action.strip().lower() in BACKGROUND_NAMES:
                found[action] = found.get(action, 0) + count
    if found:
        everything = sum(actions.total() for actions in counts.values())
        number = sum(found.values())
        quoted = listed(repr(action) for action in found)
        collector.note(
            "background-as-action",
            "warning",
            f"{quoted} {'looks' if len(found) == 1 else 'look'} like background: "
            f"{number:,} of {everything:,} segments",
            actions=list(found),
            segments=number,
        )


def find_one_frame_actions(videos: Sequence[Video], collector: Collector) -> None:
    """Count actions of one frame, and their share of actions and of action frames."""
    durations = [
        (segment.duration, f"{_name(video)}: {segment.action} at frame {segment.start}")
        for video in videos
        for segment in video.segments
        if not segment.censored
    ]
    short = [where for duration, where in durations if duration == 1]
    if short:
        share = len(short) / len(durations)
        frames = sum(duration for duration, _ in durations)
        severity: Severity = "warning" if share >= ONE_FRAME_SHARE else "info"
        collector.note(
            "one-frame-actions",
            severity,
            f"{len(short):,} of {len(durations):,} actions have one frame ({share:.1%}); "
            f"they hold {len(short) / frames:.1%} of all action frames",
            examples=short,
            count=len(short),
            share_of_actions=share,
            share_of_frames=len(short) / frames,
        )


def find_rates(videos: Sequence[Video], collector: Collector) -> None:
    """Look for videos at different frame rates."""
    rates = Counter(video.fps for video in videos)
    if len(rates) > 1:
        parts = [
            f"{count_of(count, 'video')} at {'unknown' if fps is None else f'{fps:g}'} fps"
            for fps, count in rates.most_common()
        ]
        collector.note(
            "fps-mismatch",
            "warning",
            f"videos at {len(rates)} frame rates: durations in frames do not compare",
            examples=parts,
            rates={"unknown" if fps is None else f"{fps:g}": n for fps, n in rates.items()},
        )


def find_same_annotations(videos: Sequence[Video], collector: Collector) -> None:
    """Look for videos with the same segments, in one split or across splits."""
    groups: dict[object, list[Video]] = defaultdict(list)
    for video in videos:
        if len(video.segments) >= SAME_SEGMENTS:
            groups[video.segments].append(video)
    _note_copies("the annotation", groups.values(), videos, "warning", collector)


def _note_copies(
    what: str,
    groups: Iterable[Sequence[Video]],
    videos: Sequence[Video],
    across: Severity,
    collector: Collector,
) -> None:
    """Note groups of equal videos, apart those that reach over several splits.

    Copies in one split are a warning, those across splits as `across` says; each a step milder
    where they are few of the videos, or of any split that is not trained on.
    """
    copies = [group for group in groups if len(group) > 1]
    leaks = [g for g in copies if len({v.split for v in g if v.split is not None}) > 1]
    inside = [group for group in copies if group not in leaks]
    if inside:
        more = sum(len(group) - 1 for group in inside)
        title = f"{more:,} of {len(videos):,} videos {_verb(more, 'repeat')} {what} of another one"
        severity = _by_share("warning", more / len(videos))
        _note("duplicate-videos", severity, title, inside, collector)
    if leaks:
        of = Counter(video.split for video in videos)
        hit = Counter(v.split for group in leaks for v in group if v.split not in (None, "train"))
        told = [f"{hit[split]:,} of {of[split]:,} {split} videos" for split in sorted(hit, key=str)]
        has = "has" if hit.total() == 1 else "have"
        title = f"{' and '.join(told)} {has} {what} of a video in another split"
        severity = _by_share(across, max(hit[split] / of[split] for split in hit))
        _note("split-leak", severity, title, leaks, collector)


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb


def _by_share(severity: Severity, share: float) -> Severity:
    milder: dict[Severity, Severity] = {"error": "warning", "warning": "info"}
    return milder.get(severity, severity) if share < FEW_COPIES else severity


def _note(
    finding: str,
    severity: Severity,
    title: str,
    groups: Sequence[Sequence[Video]],
    collector: Collector,
) -> None:
    examples = [
        " = ".join(f"{_name(v)}{f' ({v.split})' if v.split else ''}" for v in group)
        for group in groups
    ]
    number = sum(len(group) for group in groups)
    collector.note(finding, severity, title, examples=examples, count=len(groups), videos=number)


def find_in_features(
    videos: Sequence[Video], collector: Collector, on_video: Observer | None
) -> None:
    """Read every feature once: not finite, never changing, equal in two videos."""
    scans: list[tuple[Video, FeatureScan]] = []
    for video in videos:
        try:
            scan = scan_features(video)
        except InputError as error:
            for problem in error.problems:
                collector.refuse("missing-features", problem)
            continue
        scans.append((video, scan))
        if scan.first_bad is not None:
            collector.refuse("non-finite", non_finite_problem(video, scan))
        if on_video is not None:
            on_video(video)
    _constant(scans, collector)
    groups: dict[object, list[Video]] = defaultdict(list)
    for video, scan in scans:
        groups[scan.digest].append(video)
    _note_copies("the features", groups.values(), videos, "error", collector)


def _constant(scans: Sequence[tuple[Video, FeatureScan]], collector: Collector) -> None:
    still = [_name(video) for video, scan in scans if scan.constant and video.num_frames > 1]
    if still:
        collector.note(
            "constant-features",
            "warning",
            f"{count_of(len(still), 'video')} with the same features in every frame",
            examples=still,
            count=len(still),
        )
    empty = [
        f"{_name(video)}: {scan.zero_frames:,} of {video.num_frames:,} frames, the first "
        f"{scan.first_zero}"
        for video, scan in scans
        if scan.zero_frames >= ZERO_FRAMES and not scan.constant
    ]
    if empty:
        collector.note(
            "constant-features",
            "warning",
            f"{count_of(len(empty), 'video')} with frames in which every feature is 0: padding, "
            "or features that were lost",
            examples=empty,
            count=len(empty),
        )
    if scans and len({len(scan.low) for _, scan in scans}) == 1:
        low = np.min([scan.low for _, scan in scans], axis=0)
        high = np.max([scan.high for _, scan in scans], axis=0)
        columns = int((low >= high).sum())
        if columns:
            collector.note(
                "constant-features",
                "info",
                f"{columns} of {len(low)} columns have the same value in all videos",
                columns=columns,
                of=len(low),
            )
