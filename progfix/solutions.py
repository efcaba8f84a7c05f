"""The table of solutions: a letter, and what it changes in a recipe.

A solution is only what its letter says, so that the effect of a run can be put down to it.
The command line's choices, its help and the documentation are made from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import combinations
from typing import get_args

from progfix.errors import InputError, Problem
from progfix.heads.spec import Extra, HeadKind, HeadSpec
from progfix.training.recipe import SEED_RECIPE, Recipe, with_values

__all__ = [
    "RECOMMENDED",
    "RECOMMENDED_FOR_GTCC",
    "SOLUTIONS",
    "Solution",
    "apply",
    "conflicts",
    "parse_letters",
]

_COLUMN_ORDER: tuple[Extra, ...] = ("position", "prefix-length", "elapsed")


@dataclass(frozen=True)
class Solution:
    """One entry of the table.

    Attributes:
        letter: What the user types.
        name: Two or three words.
        reason: Why it should help, in one line.
        change: What it does to a recipe.
        source: Who proposed it.
        conflicts: Letters it cannot be combined with, and why.
        heads: The kinds of head it applies to; the reason it does not apply to others is
            in `head_reason`.
    """

    letter: str
    name: str
    reason: str
    change: Callable[[Recipe], Recipe]
    source: str
    conflicts: Mapping[str, str]
    heads: tuple[HeadKind, ...] = get_args(HeadKind)
    head_reason: str = ""


def _sets(values: Mapping[str, object]) -> Callable[[Recipe], Recipe]:
    return lambda recipe: with_values(recipe, values)


def _extra(column: Extra) -> Callable[[Recipe], Recipe]:
    def change(recipe: Recipe) -> Recipe:
        chosen = {*recipe.head.extra, column}
        ordered = tuple(known for known in _COLUMN_ORDER if known in chosen)
        return with_values(recipe, {"head.extra": ordered})

    return change


_FORK = "proposed by the users of the GTCC progress-head fork"
_LATER = "learnt from later runs of the GTCC progress-head fork"

SOLUTIONS: Mapping[str, Solution] = {
    solution.letter: solution
    for solution in (
        Solution(
            "a",
            "position",
            "tells every frame where it stands in the prefix, i/T",
            _extra("position"),
            _FORK,
            {"d": "every prefix rescales the positions, so there is no one sum of increments"},
        ),
        Solution(
            "b",
            "initial state",
            "a learned h0 lets the first frame answer something else than 0.5",
            _sets({"head.initial_state": "learned"}),
            _FORK,
            {},
            heads=("gru",),
            head_reason="only a GRU has an initial state",
        ),
        Solution(
            "c",
            "minimum length",
            "trains on prefixes of 10 frames and more instead of 3",
            _sets({"sampling.min_segment_len": 10}),
            _FORK,
            {"s": "with every frame supervised a minimum length would do nothing"},
        ),
        Solution(
            "d",
            "delta",
            "the head answers the increment of a frame, trained against 1/L; progress is the sum",
            _sets({"head.output": "increment"}),
            _FORK,
            {
                "a": "every prefix rescales the positions, so there is no one sum of increments",
                "h": "a head answers increments or a distribution, not both",
            },
        ),
        Solution(
            "e",
            "early weight",
            "early frames cost up to 20 times more: min(1 / max(target, 0.05), 20)",
            _sets({"objective.early_weight": True}),
            _FORK,
            {"h": "a logarithmic score has no early frames to weigh; it is proper as it is"},
        ),
        Solution(
            "f",
            "frame count",
            "a causal clock on every frame, log1p(elapsed)/log1p(300)",
            _extra("elapsed"),
            _LATER,
            {},
        ),
        Solution(
            "g",
            "own gradients",
            "the head gets its own optimiser, rate and clip instead of what the encoder leaves",
            _sets({"optimisation.own_gradients": True}),
            _LATER,
            {},
        ),
        Solution(
            "h",
            "hazard",
            "answers how many frames are left as a distribution; progress is its median",
            _sets({"head.output": "remaining"}),
            "progfix",
            {
                "d": "a head answers increments or a distribution, not both",
                "e": "a logarithmic score has no early frames to weigh; it is proper as it is",
            },
        ),
        Solution(
            "s",
            "full supervision",
            "every frame of every segment is a target, the first included",
            _sets({"sampling.frames": "every"}),
            _LATER,
            {"c": "with every frame supervised a minimum length would do nothing"},
        ),
        Solution(
            "v",
            "varied input",
            "features normalised, noisy and played faster or slower; weights averaged",
            _sets(
                {
                    "head.normalise": True,
                    "augmentation.time_warp": 0.4,
                    "augmentation.feature_noise": 0.5,
                    "optimisation.head_lr": 3e-3,
                    "optimisation.average": 0.99,
                }
            ),
            "progfix",
            {},
        ),
    )
}

RECOMMENDED = "fghsv"
"""The letters behind `--solution recommended`; docs/solutions.md has the measurements."""

RECOMMENDED_FOR_GTCC = "gsv"
"""The best letters whose head the GTCC code base can load; docs/solutions.md measures it."""

_NAMES = {"baseline": "", "none": "", "recommended": RECOMMENDED}


def conflicts(letters: str, head: HeadSpec) -> list[str]:
    """Return why these letters cannot go together, one sentence per conflict."""
    found = [
        f"{first} with {second}: {SOLUTIONS[first].conflicts[second]}"
        for first, second in combinations(sorted(set(letters)), 2)
        if second in SOLUTIONS[first].conflicts
    ]
    found += [
        f"{letter} with the {head.kind} head: {SOLUTIONS[letter].head_reason}"
        for letter in sorted(set(letters))
        if head.kind not in SOLUTIONS[letter].heads
    ]
    return found


def parse_letters(text: str, *, where: str = "--solution") -> str:
    """Return the letters of a solution in alphabetical order.

    Args:
        text: Letters such as "ab" or "BA", or one of "baseline", "none", "recommended".
        where: What to name in an error.

    Raises:
        InputError: If a letter is unknown, or there twice.
    """
    name = text.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    unknown = sorted(set(name) - set(SOLUTIONS))
    if unknown:
        close = get_close_matches(name, _NAMES, n=1)
        raise InputError(
            Problem(
                where,
                f"letters out of {''.join(SOLUTIONS)}, or one of {', '.join(_NAMES)}",
                f"{', '.join(unknown)} in {text!r}",
                f"did you mean {close[0]}?"
                if close
                else "`progfix explain solutions` says what each letter does",
            )
        )
    if len(set(name)) < len(name):
        once = "".join(dict.fromkeys(name))
        raise InputError(Problem(where, "each letter once", repr(text), f"did you mean {once}?"))
    return "".join(sorted(name))


def apply(letters: str, recipe: Recipe = SEED_RECIPE, *, where: str = "--solution") -> Recipe:
    """Return the recipe with the solutions applied, in alphabetical order.

    Args:
        letters: Letters such as "ab"; "" leaves the recipe as it is.
        recipe: What to change.
        where: What to name in an error.

    Raises:
        InputError: If a letter is unknown, or letters conflict with each other or the head.
    """
    chosen = parse_letters(letters, where=where)
    found = conflicts(recipe.solution + chosen, recipe.head)
    if found:
        raise InputError(
            Problem(
                where,
                "letters that go together",
                "; ".join(found),
                "leave one letter of each conflict out",
            )
        )
    for letter in chosen:
        recipe = SOLUTIONS[letter].change(recipe)
    return replace(recipe, solution="".join(sorted({*recipe.solution, *chosen})))
