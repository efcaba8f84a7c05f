"""What a finding, a solution or a metric is, in the words of the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from progfix.data.findings import FINDINGS as OF_DATA
from progfix.doc_pages import page_path, paragraph, section, table_row, without_links
from progfix.errors import InputError, Problem, listed
from progfix.solutions import RECOMMENDED, SOLUTIONS, Solution, parse_letters
from progfix.topic_names import nearest, understood
from progfix.training.recipe import SEED_RECIPE, changes

__all__ = ["GROUPS", "Topic", "explained", "topics"]

Group = Literal["findings", "solutions", "metrics"]
GROUPS: Mapping[Group, str] = {
    "findings": "What `progfix diagnose` and `progfix data check` find",
    "solutions": "Letters for `progfix train --solution`",
    "metrics": "What `progfix eval` measures",
}


@dataclass(frozen=True)
class Topic:
    """Something that can be explained.

    Attributes:
        name: As the user types it.
        group: What it is one of.
        summary: One line.
        text: Returns the explanation, Markdown.
    """

    name: str
    group: Group
    summary: str
    text: Callable[[], str]


def topics() -> dict[str, Topic]:
    """Return everything that can be explained, by name, a group after the other.

    Raises:
        InputError: If the pages are not where they were installed.
    """
    found = [*_findings(), *_solutions(), *_metrics()]
    return {topic.name: topic for topic in found}


def explained(text: str) -> list[Topic]:
    """Return what a user asks about: one topic, a whole group, or each of several letters.

    Args:
        text: Such as "early-bias", "mae", "fgs", "solutions".

    Raises:
        InputError: If there is nothing of the name.
    """
    known = topics()
    name = understood(text, [*known, *GROUPS])
    if name in GROUPS:
        return [topic for topic in known.values() if topic.group == name]
    if name is not None:
        return [known[name]]
    letters = text.strip().lower()
    if letters and set(letters) <= set(SOLUTIONS):
        return [known[letter] for letter in parse_letters(letters, where="TOPIC")]
    close = nearest(text, [*known, *GROUPS])
    meant = close[0] if len(close) == 1 else f"one of {listed(close)}"
    raise InputError(
        Problem(
            "TOPIC",
            f"a finding, a metric, letters out of {''.join(SOLUTIONS)}, or {', '.join(GROUPS)}",
            repr(text),
            f"did you mean {meant}?" if close else "`progfix explain` lists them all",
        )
    )


def _findings() -> list[Topic]:
    pages = {page.stem: page for page in page_path("diagnosis").glob("*.md")}
    found = {
        name: Topic(name, "findings", _opening(page), partial(_finding, page))
        for name, page in pages.items()
    }
    for name, said in OF_DATA.items():
        if name not in pages:  # refused data, of which there is nothing to see
            text = "\n".join([f"# {name}", "", said.why, "", *(f"- {fix}" for fix in said.fix)])
            why = f"{said.why[0].upper()}{said.why[1:]}."
            found[name] = Topic(name, "findings", why, partial(str, text))
    return [found[name] for name in sorted(found)]


def _opening(page: Path) -> str:
    _, opening, *_ = page.read_text(encoding="utf-8").split("\n\n")
    first, *_ = re.split(r"(?<=[.!?:]) (?=[A-Z])", " ".join(opening.split()))
    return first


def _finding(page: Path) -> str:
    """Return a page without its picture, how that was made, and the way back."""
    parts = page.read_text(encoding="utf-8").strip().split("\n\n")
    hidden = re.compile(r"!\[|\*[^*]*\*$|    python -m|\[All findings\]")
    return without_links("\n\n".join(part for part in parts if not hidden.match(part)))


def _solutions() -> list[Topic]:
    letters = [
        Topic(
            letter, "solutions", f"{solution.name}: {solution.reason}", partial(_solution, solution)
        )
        for letter, solution in SOLUTIONS.items()
    ]
    return [
        *letters,
        Topic("baseline", "solutions", "none of them: the recipe that fails", _baseline),
        Topic("recommended", "solutions", f"{RECOMMENDED}, the default", _recommended),
    ]


def _baseline() -> str:
    letters: dict[str, list[str]] = {}
    for solution in SOLUTIONS.values():
        for change in changes(solution.change(SEED_RECIPE), SEED_RECIPE).items():
            letters.setdefault("`{}` = {}".format(*change), []).append(solution.letter)
    said = (
        "The recipe that fails, as users of the GTCC progress-head fork trained it: a head with a "
        "zero first state on sampled prefixes, under one optimiser and clip with the encoder. "
        "Train it to see the fault, and to measure a repair against. What letters change in it:"
    )
    values = [f"- {value} ({', '.join(changing)})" for value, changing in letters.items()]
    return "\n".join(["# baseline: no letter", "", said, "", *values])


def _recommended() -> str:
    said = "What `progfix train` takes, unless the checkpoint of `--init` cannot hold it:"
    letters = [_solution(SOLUTIONS[letter]) for letter in RECOMMENDED]
    return "\n\n".join([f"# recommended: {RECOMMENDED}", said, *letters])


def _solution(solution: Solution) -> str:
    said = table_row("solutions.md", solution.letter)
    lines = [f"# {solution.letter}: {solution.name}", "", f"{said['what it changes']}.", ""]
    for label in ("should help", "should not"):
        if said[label]:
            lines += [f"*{label.capitalize()}:* {said[label]}.", ""]
    changed = changes(SEED_RECIPE, solution.change(SEED_RECIPE))
    lines += [f"- `{name}` = {value}" for name, value in changed.items()]
    lines += [f"- not with {letter}: {why}" for letter, why in solution.conflicts.items()]
    if solution.head_reason:
        lines.append(f"- only with `--head {', '.join(solution.heads)}`: {solution.head_reason}")
    lines += ["", f"Source: {solution.source}. docs/solutions.md has what it was measured to do."]
    return "\n".join(lines)


_SECTIONS = {
    "kendalls_tau": "Kendall's tau",
    "wild_tau": "Wild tau",
    "phase_progression": "Phase progression",
    "phase_classification": "Phase classification",
    "ap": "AP@K",
    "eae": "Enclosed area error",
    "video_ogpe": "Video-level OGPE, and cumulative L2",
}
"""Headings in docs/metrics.md about metrics of embeddings, by how their names begin."""


def _metrics() -> list[Topic]:
    from progfix.evaluation import METRICS
    from progfix.metrics.alignment.variants import METRICS as OF_EMBEDDINGS

    found = [
        Topic(name, "metrics", summary, partial(_metric, name, summary))
        for name, metric in METRICS.items()
        for summary in (f"{metric.title}; over {metric.unit}{_better(metric.better)}",)
    ]
    for name in OF_EMBEDDINGS:
        heading = next(h for begin, h in _SECTIONS.items() if name.startswith(begin))
        summary = f"{heading}, of embeddings"
        found.append(Topic(name, "metrics", summary, partial(section, "metrics.md", heading)))
    return [*found, *(Topic(n, "metrics", s, partial(_said, n)) for n, (s, _) in _TERMS.items())]


_TERMS = {
    "skill": ("1 - MAE / MAE of a baseline", "`skill_X = "),
    "voc": ("value-order correlation, which is spearman", "*Trap: VOC.*"),
    "leave-one-video-out": (
        "how frame counting learns durations from predictions alone",
        "*Where the durations D come from*",
    ),
}
"""Words about metrics: what they are, and how the paragraph of docs/metrics.md begins."""


def _said(term: str) -> str:
    summary, beginning = _TERMS[term]
    return f"# {term}\n\n{summary}.\n\n{paragraph('metrics.md', beginning)}"


def _better(which: str | None) -> str:
    return "" if which is None else f", {which} is better"


def _metric(name: str, title: str) -> str:
    if name.startswith("skill_"):
        return f"# {name}\n\n{title}: {paragraph('metrics.md', _TERMS['skill'][1])}"
    row = table_row("metrics.md", name)
    lines = [f"- {label}: {value}" for label, value in row.items() if value and label != "metric"]
    worked = [_worked_example()] if row.get("example") else []
    text = "\n".join([f"# {name}", "", title, "", *lines])
    return "\n\n".join([text, *worked, "docs/metrics.md has its traps."])


def _worked_example() -> str:
    """Return the table of the two videos that examples are of."""
    parts = iter(page_path("metrics.md").read_text(encoding="utf-8").split("\n\n"))
    table = next(next(parts) for part in parts if part.startswith("These two videos"))
    return f"The example, of two videos (an error is prediction - target):\n\n{table}"
