"""Defects in data, all of them: what `progfix data check` reports.

What a reader notices, whether opening would refuse it or not, and what
`progfix.data.video_checks` finds in all videos together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from progfix.data.collector import Collector
from progfix.data.dataset import Video
from progfix.data.findings import SEVERITIES, DataFinding, Severity, in_order
from progfix.data.open import describe, read_data
from progfix.data.options import DataOptions
from progfix.data.video_checks import (
    Observer,
    find_background,
    find_in_features,
    find_one_frame_actions,
    find_rates,
    find_same_annotations,
)

__all__ = ["DataCheck", "check_dataset", "check_videos"]

_NONE = "no video could be read"


@dataclass(frozen=True, eq=False)
class DataCheck:
    """What was checked and found.

    Attributes:
        path: The data, as the user gave it.
        description: What it was taken for.
        videos: Videos that could be read.
        segments: Their segments.
        findings: Everything that was found, errors first.
        not_checked: Ids of findings that could not be looked for, and why.
    """

    path: str
    description: str
    videos: int
    segments: int
    findings: tuple[DataFinding, ...]
    not_checked: tuple[tuple[str, str], ...]

    def fails(self, level: Severity | Literal["never"]) -> bool:
        """Tell whether there is a finding of that severity or a worse one."""
        worse = SEVERITIES[: SEVERITIES.index(level) + 1] if level != "never" else ()
        return any(finding.severity in worse for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON values, `progfix-data-check/1`."""
        return {
            "format": "progfix-data-check/1",
            "data": {
                "path": self.path,
                "description": self.description,
                "videos": self.videos,
                "segments": self.segments,
            },
            "findings": [finding.to_json() for finding in self.findings],
            "not_checked": [{"id": name, "reason": why} for name, why in self.not_checked],
        }


def check_dataset(
    options: DataOptions, *, features: bool = True, on_video: Observer | None = None
) -> DataCheck:
    """Read data and list its defects, also those that opening it would refuse.

    Args:
        options: The path, and how to read it.
        features: Whether to read every feature, once.
        on_video: Called after each video whose features were read.

    Raises:
        InputError: If there is nothing that could be read at all.
    """
    reading = read_data(options, thorough=True)
    collector = Collector()
    not_checked = check_videos(reading.videos, collector, features=features, on_video=on_video)
    path = str(options.path)
    findings = in_order([*reading.findings, *collector.findings()])
    return DataCheck(
        path,
        describe(reading),
        len(reading.videos),
        sum(len(video.segments) for video in reading.videos),
        tuple(
            replace(f, examples=tuple(e.removeprefix(f"{path}, ") for e in f.examples))
            for f in findings
        ),
        tuple(not_checked),
    )


def check_videos(
    videos: Sequence[Video],
    collector: Collector,
    *,
    features: bool = True,
    on_video: Observer | None = None,
) -> list[tuple[str, str]]:
    """Look for defects in videos that were read, whatever they were read from.

    Args:
        videos: All videos of all splits.
        collector: Told of what is found.
        features: Whether to read every feature, once.
        on_video: Called after each video whose features were read.

    Returns:
        Ids of findings that could not be looked for, and why.
    """
    find_background(videos, collector)
    find_one_frame_actions(videos, collector)
    find_rates(videos, collector)
    find_same_annotations(videos, collector)
    not_checked = []
    if not any(video.split for video in videos):
        not_checked.append(("split-leak", "the data has no splits" if videos else _NONE))
    with_features = [video for video in videos if video.features is not None]
    if with_features and features:
        find_in_features(with_features, collector, on_video)
    else:
        missing = "there are no features" if videos else _NONE
        reason = "features were not read" if with_features else missing
        not_checked += [(name, reason) for name in ("non-finite", "constant-features")]
    if not with_features:
        not_checked.append(("beyond-features", missing))
    return not_checked
