"""What can be wrong with data: the table of findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from progfix.errors import Problem

__all__ = [
    "EXAMPLES",
    "FINDINGS",
    "SEVERITIES",
    "DataFinding",
    "FindingText",
    "Severity",
    "count_of",
]

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""

EXAMPLES = 5
"""Examples that a finding names; the count says how many there are."""


@dataclass(frozen=True)
class FindingText:
    """What is said of every finding with the same id.

    Attributes:
        noun: The defect, after "1".
        nouns: The defects, after a larger number.
        why: What goes wrong if nothing is done about it.
        fix: What to do, the best first.
    """

    noun: str
    nouns: str
    why: str
    fix: tuple[str, ...]


FINDINGS: Mapping[str, FindingText] = {
    "invalid-file": FindingText(
        "unusable file or part of one",
        "unusable files or parts of them",
        "what cannot be read cannot be used",
        ("mend the file, or leave the videos out",),
    ),
    "mismatched-lists": FindingText(
        "task whose annotation lists are not one per video",
        "tasks whose annotation lists are not one per video",
        "annotations are paired with videos by position, so one list too many gives every "
        "later video the labels of another",
        (
            "--pairing views collapses the camera views of a recording where the count comes out",
            "--skip-tasks leaves tasks out",
            "--pairing position pairs by position, wrong after the first surplus list",
        ),
    ),
    "invalid-segments": FindingText(
        "segment reversed or outside its video",
        "segments reversed or outside their videos",
        "a segment that ends before it starts or lies outside the video has no progress",
        ("mend the annotation",),
    ),
    "overlapping-segments": FindingText(
        "segment overlapping an earlier one by more than a boundary frame",
        "segments overlapping an earlier one by more than a boundary frame",
        "a frame in two segments has two targets; one shared boundary frame is the habit of "
        "inclusive ends and kept in both, more is a mistake",
        (
            "of GTCC JSON, --ends half-open gives the frame to the later segment only",
            "mend annotations that overlap by more",
        ),
    ),
    "zero-length-segments": FindingText(
        "segment without a frame",
        "segments without a frame",
        "a segment with no frame at the features' rate cannot be predicted",
        ("raise --frame-rate if there are features at a higher rate",),
    ),
    "beyond-features": FindingText(
        "action that starts after the last frame of the features",
        "actions that start after the last frame of the features",
        "annotations that go on after the features' last frame have no input there",
        ("extract features up to the end", "check --fps and --frame-rate"),
    ),
    "missing-features": FindingText(
        "video without usable features",
        "videos without usable features",
        "a video without features can be counted but not predicted",
        ("add the files", "--feature-dir names their folder"),
    ),
    "feature-shapes": FindingText(
        "video with features of another size than most",
        "videos with features of another size than most",
        "a model takes features of one size",
        ("extract the features of all videos in the same way",),
    ),
    "missing-splits": FindingText(
        "unknown split",
        "unknown splits",
        "videos in no split are neither trained nor tested on",
        ("name them in the splits file", "--splits names the file or bundle"),
    ),
    "split-leak": FindingText(
        "video in two splits",
        "videos in two splits",
        "a video that is in training and in test makes the test score a memory test",
        (
            "name it in one split only, in the file that --splits reads (GTCC JSON, MS-TCN)",
            "of a progfix HDF5 file, do so before `progfix data convert` writes it",
        ),
    ),
    "background-as-action": FindingText(
        "action that looks like background",
        "actions that look like background",
        "background has no beginning and no end, so its progress cannot be learnt and its "
        "frames drown the others",
        ("--background names what is no action",),
    ),
    "non-finite": FindingText(
        "video with NaN or infinite features",
        "videos with NaN or infinite features",
        "one NaN or infinite feature turns the loss and every weight into NaN",
        ("extract the features of these videos again", "leave the videos out"),
    ),
    "constant-features": FindingText(
        "video whose features never change",
        "videos whose features never change",
        "features that never change, or are 0, say nothing about progress",
        ("extract the features of these videos again",),
    ),
    "one-frame-actions": FindingText(
        "action of one frame",
        "actions of one frame",
        "an action of one frame is complete at once: its only target is 1, and a constant "
        "0.5 errs by .5 on it",
        ("raise --frame-rate if there are features at a higher rate",),
    ),
    "duplicate-videos": FindingText(
        "name of several videos",
        "names of several videos",
        "the same content twice counts twice, and leaks when the copies are in two splits",
        ("leave one copy out of the annotations", "or out of all splits of the splits file"),
    ),
    "fps-mismatch": FindingText(
        "video whose labels and features are at different or unknown rates",
        "videos whose labels and features are at different or unknown rates",
        "annotations at another rate than the features put every segment in the wrong place",
        ("check --fps, the rate of the annotations, and --frame-rate, that of the features",),
    ),
}
"""Every finding about data by its id, in the order of reports."""


@dataclass(frozen=True)
class DataFinding:
    """One kind of defect, with everything of that kind that was found.

    Attributes:
        id: Stable name, a key of `FINDINGS`.
        severity: "error" must be mended, "warning" deserves a look, "info" is a notice.
        title: One line with the count.
        evidence: Counts and shares, JSON values.
        examples: Where, the first few.
        problems: What opening the data for use refuses; all of it.
        mended: Whether an option has mended it, which leaves nothing to do.
    """

    id: str
    severity: Severity
    title: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    mended: bool = False

    @property
    def text(self) -> FindingText:
        """Why it matters and what may help."""
        return FINDINGS[self.id]

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do: what mends all of these at once, if there is such, and what may."""
        if self.mended:
            return ()
        said = {problem.fix for problem in self.problems}
        return tuple(dict.fromkeys([*(said if len(said) == 1 else ()), *self.text.fix]))

    def to_json(self) -> dict[str, object]:
        """Return the finding as JSON values, keys as in `progfix-diagnosis/1`."""
        return {
            "id": self.id,
            "severity": self.severity,
            "title": self.title,
            "evidence": {**self.evidence, "examples": list(self.examples)},
            "why": self.text.why,
            "fix": list(self.remedies),
        }


def in_order(findings: Sequence[DataFinding]) -> tuple[DataFinding, ...]:
    """Sort findings by severity, then by the order of `FINDINGS`."""
    ids = list(FINDINGS)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), ids.index(f.id))))


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return "1 video", "2 videos", "21,560 videos"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
