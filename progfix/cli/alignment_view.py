"""What `progfix eval --alignment` shows of embeddings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from progfix.cli.render import Rows, Screen, count, number
from progfix.metrics.alignment.variants import DEFINITIONS

if TYPE_CHECKING:
    from progfix.evaluation.alignment import Alignment
    from progfix.evaluation.report import Result

__all__ = ["show_alignment"]

_TABLES: Sequence[Mapping[str, str]] = (
    {
        "kendalls_tau": "Kendall",
        "wild_tau": "wild tau",
        "eae": "EAE",
        "video_ogpe": "video OGPE",
    },
    {
        "phase_progression": "progr. R2",
        "phase_classification_10": "SVM 10 %",
        "phase_classification_50": "SVM 50 %",
        "phase_classification_100": "SVM 100 %",
    },
    {"ap_5": "AP@5", "ap_10": "AP@10", "ap_15": "AP@15"},
)
_UNITS = {
    "phase_progression": "boundaries",
    "video_ogpe": "videos",
    "phase_classification": "frames",
    "ap": "frames",
}


def show_alignment(screen: Screen, results: Sequence[Result]) -> None:
    """Print tables of alignment metrics and, below them, what is undefined and what differs.

    Args:
        screen: Where.
        results: Those without alignment metrics are named if others have some.
    """
    alignments = {r.label: r.alignment for r in results if r.alignment is not None}
    if not alignments:
        return
    first = next(iter(alignments.values()))
    known = DEFINITIONS[first.variant]
    for columns in _TABLES:
        shown = {name: title for name, title in columns.items() if name in known}
        if first.variant == "carl":
            shown = {name: title.replace("SVM", "logistic") for name, title in shown.items()}
        if shown:
            screen.print("", _scores(alignments, shown), sep="\n")
    for label, alignment in alignments.items():
        for line in (_origin(alignment), *_undefined(alignment)):
            screen.print(Text(f"{label}: {line}", style="dim"), soft_wrap=True)
    for label in (result.label for result in results if result.alignment is None):
        screen.print(Text(f"{label}: predictions alone, no embeddings", style="dim"))
    if first.variant != "default":
        for name, definition in {_family(n): text for n, text in known.items()}.items():
            screen.print(Text(f"{first.variant}, {name}: {definition}", style="dim"))


def _scores(alignments: Mapping[str, Alignment], columns: Mapping[str, str]) -> Rows:
    rows = Rows("embeddings", columns.values())
    for label, alignment in alignments.items():
        rows.add(label, *(number(alignment.scores[name].value) for name in columns))
        ends = [alignment.intervals[name] for name in columns]
        if not all(math.isnan(low) for low, _ in ends):
            rows.add(
                "  95 % interval",
                *(
                    "-" if math.isnan(low) else f"{number(low)} to {number(high)}"
                    for low, high in ends
                ),
                style="dim",
            )
    return rows


def _family(name: str) -> str:
    """Return ap_5, ap_10 and so on as ap, of which there is one definition."""
    return re.sub(r"_\d+$", "", name)


def _origin(alignment: Alignment) -> str:
    if alignment.variant in ("lav", "gtcc"):
        return f"{alignment.embeddings} of {count(alignment.videos, 'video')}, fitted on the same"
    fitted = f"no other videos in {alignment.fitted_on} to fit on"
    if alignment.train_videos:
        fitted = f"fitted on {alignment.fitted_on}, {count(alignment.train_videos, 'video')}"
    return f"{alignment.embeddings} of {count(alignment.videos, 'video')}, {fitted}"


def _undefined(alignment: Alignment) -> Iterator[str]:
    lonely: list[str] = []
    if alignment.videos == len(alignment.tasks):  # one each
        lonely += [name for name, score in alignment.scores.items() if math.isnan(score.value)]
    if lonely:
        yield (
            f"{', '.join(lonely)} compare videos of a task, and each task has one here; choose "
            "more with --split all, or give data with more videos"
        )
    for name, score in alignment.scores.items():
        if score.undefined and name not in lonely:
            unit = next((u for key, u in _UNITS.items() if name.startswith(key)), "pairs of videos")
            everything = score.count + score.undefined
            yield f"{name} undefined in {score.undefined:,} of {everything:,} {unit}"
