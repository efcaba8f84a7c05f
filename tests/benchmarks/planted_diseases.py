"""Planted against reported: how often the diagnosis names what was planted.

    python -m tests.benchmarks.planted_diseases --first 1000 --seeds 5 --pair-seeds 1

prints the tables of docs/diagnosis.md. What counts as found is in tests/diagnosis/planting.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from scipy.stats import beta

from progfix.diagnosis import Diagnosis
from tests.diagnosis.planting import DISEASES, HEALTHY, compatible, healthy


@dataclass(frozen=True)
class Outcome:
    """One case.

    Attributes:
        planted: Names of diseases; none in a healthy case.
        reported: Ids of the causes that are no mere notice, in order of rank.
        errors: Whether any finding is an error.
        right: Every planted disease is among as many first causes.
    """

    planted: tuple[str, ...]
    reported: tuple[str, ...]
    errors: bool
    right: bool


def outcome(planted: tuple[str, ...], diagnosis: Diagnosis) -> Outcome:
    """Judge one diagnosis."""
    serious = [f for f in diagnosis.findings if f.severity != "info"]
    causes = tuple(dict.fromkeys(f.id for f in serious if f.role == "cause"))
    first = set(causes[: len(planted)])
    right = all(DISEASES[name].accepted & first for name in planted)
    errors = diagnosis.worst() == "error"
    return Outcome(planted, causes, errors, right if planted else not errors)


def pairs() -> list[tuple[str, str]]:
    """Return all pairs of diseases that can be seen in one model."""
    return [pair for pair in combinations(DISEASES, 2) if compatible(*pair)]


def run(planted: tuple[str, ...], seed: int) -> Outcome:
    """Plant diseases in a sound case and diagnose it."""
    case = healthy(seed)
    # What exchanges the rule comes before what changes its answers.
    for name in sorted(planted, key=lambda n: DISEASES[n].part != "reading"):
        case = DISEASES[name].plant(case)
    with tempfile.TemporaryDirectory() as folder:
        return outcome(planted, case.diagnose(Path(folder)))


def run_healthy(seeds: Iterable[int]) -> Iterator[Outcome]:
    """Diagnose every kind of healthy head."""
    for seed in seeds:
        for make in HEALTHY.values():
            yield outcome((), make(seed).diagnose())


def interval(hits: int, cases: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Clopper and Pearson 1934)."""
    low = float(beta.ppf(0.025, hits, cases - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, cases - hits)) if hits < cases else 1.0
    return low, high


def summary(name: str, outcomes: Iterable[Outcome]) -> str:
    """Return one row of the table of rates."""
    judged = list(outcomes)
    hits = sum(o.right for o in judged)
    low, high = interval(hits, len(judged))
    return f"| {name} | {hits} of {len(judged)} | {low:.1%} to {high:.1%} |"


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the rows of planted against reported."""
    rows: dict[str, list[Outcome]] = {}
    for one in outcomes:
        rows.setdefault(" + ".join(one.planted) or "nothing", []).append(one)
    for planted, cases in rows.items():
        said = Counter(", ".join(o.reported) or "nothing" for o in cases)
        told = "; ".join(f"{what} ({n})" for what, n in said.most_common())
        yield f"| {planted} | {sum(o.right for o in cases)} of {len(cases)} | {told} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1000, help="first seed")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each disease alone")
    parser.add_argument("--pair-seeds", type=int, default=1, help="seeds of each pair")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    sound = list(run_healthy(seeds))
    alone = [run((name,), seed) for name in DISEASES for seed in seeds]
    both = [
        run(pair, given.first + place + turn * len(pairs()))
        for turn in range(given.pair_seeds)
        for place, pair in enumerate(pairs())
    ]
    lines = [
        "| planted | found | 95 % interval |",
        "|---|---|---|",
        summary("one disease: the top cause", alone),
        summary("two: both among the top two", both),
        summary("nothing: no error", sound),
        summary(
            "nothing: nothing but notices",
            [Outcome((), o.reported, o.errors, not o.reported) for o in sound],
        ),
        "",
        "| planted | found | reported causes (cases) |",
        "|---|---|---|",
        *table([*sound, *alone, *(o for o in both if not o.right)]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
