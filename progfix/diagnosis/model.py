"""What a diagnosis says: findings, numbers with their baselines, and what was not checked.

The fields are those of the JSON format that other tools build on
(`progfix.diagnosis.contract`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from progfix.diagnosis.measured import Probes

__all__ = [
    "SEVERITIES",
    "Diagnosis",
    "Fault",
    "Finding",
    "NotChecked",
    "Number",
    "Place",
    "Position",
    "Role",
    "Rung",
    "Severity",
    "Skill",
    "Summary",
]


Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From worst to mildest."""

Role = Literal["cause", "symptom"]
Number = float | int | str | None


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, how it is known, and what to do about it.

    Attributes:
        id: Stable kebab-case name; docs/diagnosis has a page of that name.
        severity: "error" where the predictions cannot be used for what they claim,
            "warning" where they are worse than they look, "info" where it is good to know.
        title: What was found, one plain sentence.
        why: What it comes from, and how it is known.
        evidence: The numbers that decided it.
        fix: Letters of `progfix.solutions` that cure it and that the recipe does not have;
            empty where none does.
        gain: MAE that repairing it alone would save, at least 0; NaN where that is unknown.
        repair: What was repaired to know the gain, as the subject of a sentence; empty
            where the gain is unknown.
        advice: What else to do, in words; empty where the letters say it all.
        against: Letters that bring it about and are left out of what is advised.
        role: "symptom" where another finding of the same diagnosis explains it.
    """

    id: str
    severity: Severity
    title: str
    why: str
    evidence: Mapping[str, Number]
    fix: tuple[str, ...] = ()
    gain: float = math.nan
    repair: str = ""
    advice: str = ""
    against: tuple[str, ...] = ()
    role: Role = "cause"


@dataclass(frozen=True)
class NotChecked:
    """A check that could not run, and why.

    Attributes:
        id: Name of the finding that it looks for.
        reason: What was missing, and how to supply it.
    """

    id: str
    reason: str


@dataclass(frozen=True)
class Position:
    """Errors of the frames in one part of their action.

    Attributes:
        low: Where the part begins, as a share of the action; frames at it are not included.
        high: Where it ends; frames at it are included.
        mae: Mean absolute error; NaN without frames.
        bias: Mean of prediction - target; NaN without frames.
        count: Frames.
    """

    low: float
    high: float
    mae: float
    bias: float
    count: int


@dataclass(frozen=True)
class Skill:
    """1 - MAE / MAE of a baseline, over all frames; NaN where the baseline is undefined.

    Attributes:
        constant: Against answering 0.5.
        frame_counting: Against counting frames, without knowing the action.
        frame_counting_per_action: Against counting frames, given the action's name.
        fitted_on: What frame counting learnt its durations from.
    """

    constant: float = math.nan
    frame_counting: float = math.nan
    frame_counting_per_action: float = math.nan
    fitted_on: str | None = None


@dataclass(frozen=True)
class Summary:
    """The numbers behind the verdict; NaN or 0 where there are no predictions.

    Attributes:
        videos: Videos with at least one frame.
        segments: Action segments.
        frames: Frames with a finite prediction.
        mae: Mean absolute error over frames.
        mae_constant: That of answering 0.5.
        mae_frame_counting: That of counting frames.
        mae_frame_counting_per_action: That of counting frames, given the action's name.
        prediction_low: 5 % quantile of the predictions.
        prediction_high: 95 % quantile.
        target_low: 5 % quantile of the targets.
        target_high: 95 % quantile.
        spread: Standard deviation of the predictions over that of the targets.
        first_frame_median: Median over segments of the prediction at the first frame.
        first_frame_target: Median over segments of the target there.
        last_frame_median: Median over segments of the prediction at the last frame, where
            the target is 1.
    """

    videos: int = 0
    segments: int = 0
    frames: int = 0
    mae: float = math.nan
    mae_constant: float = math.nan
    mae_frame_counting: float = math.nan
    mae_frame_counting_per_action: float = math.nan
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    target_low: float = math.nan
    target_high: float = math.nan
    spread: float = math.nan
    first_frame_median: float = math.nan
    first_frame_target: float = math.nan
    last_frame_median: float = math.nan


Place = Literal["data", "encoder", "head", "training", "metric", "undecided", "nowhere"]


@dataclass(frozen=True)
class Fault:
    """Where the error comes from, as far as the evidence says.

    Attributes:
        place: "nowhere" where nothing is wrong, "undecided" where several places would
            explain what was seen.
        decided_by: Id of the finding that decided it; None where none did.
        words: One or two sentences.
    """

    place: Place
    decided_by: str | None
    words: str


@dataclass(frozen=True)
class Rung:
    """One step of the ladder from knowing nothing to being right.

    Attributes:
        name: Stable: "constant", "frame_counting", "frame_counting_per_action",
            "embedding_probe", "head", "repaired", "perfect".
        label: In words.
        mae: Its mean absolute error.
    """

    name: str
    label: str
    mae: float


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What is known about a source, worst cause first.

    Attributes:
        source: Its label.
        verdict: One or two sentences in plain words.
        fault: Where the error comes from.
        summary: The numbers behind the verdict.
        skill: Against constant and frame counting.
        positions: Error by position in the action, from its beginning to its end.
        findings: Causes before symptoms, then by severity and gain.
        oracles: MAE after a repair, by the repair's name.
        ladder: From knowing nothing to being right, with the head's place on the way.
        probes: What the model answered to other inputs, what its embeddings carry, and what
            one step of its training does.
        not_checked: What could not be looked at.
        notices: What makes the diagnosis itself less sure, or its input look odd.
        fix_command: Command line that applies the fixes; None where there are none.
    """

    source: str
    verdict: str
    fault: Fault = field(default_factory=lambda: Fault("undecided", None, ""))
    summary: Summary = field(default_factory=Summary)
    skill: Skill = field(default_factory=Skill)
    positions: tuple[Position, ...] = ()
    findings: tuple[Finding, ...] = ()
    oracles: Mapping[str, float] = field(default_factory=dict)
    ladder: tuple[Rung, ...] = ()
    probes: Probes = field(default_factory=Probes)
    not_checked: tuple[NotChecked, ...] = ()
    notices: tuple[str, ...] = ()
    fix_command: str | None = None

    def worst(self) -> Severity | None:
        """Return the severity of the worst finding; None without findings."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), None)

    def __repr__(self) -> str:
        """Return the whole screen, so that a notebook shows it."""
        from progfix.diagnosis.render import render_text

        return render_text(self)

    def _repr_html_(self) -> str:
        """Return the report as a frame, whose style stays apart from the notebook's."""
        from html import escape

        from progfix.report import render_page

        return (
            f'<iframe srcdoc="{escape(render_page(self))}" title="progfix diagnosis" '
            'style="width: 100%; height: 36em; border: 0"></iframe>'
        )
