"""The table of solutions: a letter, and what it changes in a recipe.

A solution is only what its letter says, so that the effect of a run can be put down to it.
The command line's choices, its help and the documentation are made from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import get_args

from progfix.errors import InputError, Problem
from progfix.heads.spec import Extra, HeadKind, HeadSpec
from progfix.training.recipe import SEED_RECIPE, Augmentation, Recipe

__all__ = ["RECOMMENDED", "SOLUTIONS", "Solution", "apply", "conflicts", "parse_letters"]

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


def _head(recipe: Recipe, **changes: object) -> Recipe:
    return replace(recipe, head=replace(recipe.head, **changes))  # type: ignore[arg-type]


def _extra(recipe: Recipe, column: Extra) -> Recipe:
    chosen = {*recipe.head.extra, column}
    return _head(recipe, extra=tuple(c for c in _COLUMN_ORDER if c in chosen))


def _position(recipe: Recipe) -> Recipe:
    return _extra(recipe, "position")


def _initial_state(recipe: Recipe) -> Recipe:
    return _head(recipe, initial_state="learned")


def _minimum_length(recipe: Recipe) -> Recipe:
    return replace(recipe, sampling=replace(recipe.sampling, min_segment_len=10))


def _delta(recipe: Recipe) -> Recipe:
    return _head(recipe, output="increment")


def _early_weight(recipe: Recipe) -> Recipe:
    return replace(recipe, objective=replace(recipe.objective, early_weight=True))


def _frame_count(recipe: Recipe) -> Recipe:
    return _extra(recipe, "elapsed")


def _own_gradients(recipe: Recipe) -> Recipe:
    return replace(recipe, optimisation=replace(recipe.optimisation, own_gradients=True))


def _hazard(recipe: Recipe) -> Recipe:
    return _head(recipe, output="remaining")


def _varied_input(recipe: Recipe) -> Recipe:
    return replace(
        _head(recipe, normalise=True),
        augmentation=Augmentation(time_warp=0.4, feature_noise=1.0),
        optimisation=replace(recipe.optimisation, head_lr=3e-3, average=0.99),
    )


def _full_supervision(recipe: Recipe) -> Recipe:
    return replace(recipe, sampling=replace(recipe.sampling, frames="every"))


_FORK = "proposed by the users of the GTCC progress-head fork"
_LATER = "learnt from the fork's later runs"

SOLUTIONS: Mapping[str, Solution] = {
    solution.letter: solution
    for solution in (
        Solution(
            "a",
            "position",
            "tells every frame where it stands in the prefix, i/T",
            _position,
            _FORK,
            {"d": "every prefix rescales the positions, so there is no one sum of increments"},
        ),
        Solution(
            "b",
            "initial state",
            "a learned h0 lets the first frame answer something else than 0.5",
            _initial_state,
            _FORK,
            {},
            heads=("gru",),
            head_reason="only a GRU has an initial state",
        ),
        Solution(
            "c",
            "minimum length",
            "trains on prefixes of 10 frames and more instead of 3",
            _minimum_length,
            _FORK,
            {"s": "with every frame supervised a minimum length would do nothing"},
        ),
        Solution(
            "d",
            "delta",
            "the head answers the increment of a frame, trained against 1/L; progress is the sum",
            _delta,
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
            _early_weight,
            _FORK,
            {"h": "a logarithmic score has no early frames to weigh; it is proper as it is"},
        ),
        Solution(
            "f",
            "frame count",
            "a causal clock on every frame, log1p(elapsed)/log1p(300)",
            _frame_count,
            _LATER,
            {},
        ),
        Solution(
            "g",
            "own gradients",
            "the head gets its own optimiser, rate and clip instead of what the encoder leaves",
            _own_gradients,
            _LATER,
            {},
        ),
        Solution(
            "h",
            "hazard",
            "answers how many frames are left as a distribution; progress is its median",
            _hazard,
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
            _full_supervision,
            _LATER,
            {"c": "with every frame supervised a minimum length would do nothing"},
        ),
        Solution(
            "v",
            "varied input",
            "features normalised, noisy and played faster or slower; weights averaged",
            _varied_input,
            "progfix",
            {},
        ),
    )
}

RECOMMENDED = "fghsv"
"""The letters behind `--solution recommended`; docs/solutions.md has the measurements."""

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
        InputError: If a letter is unknown.
    """
    name = text.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    unknown = sorted(set(name) - set(SOLUTIONS))
    if unknown:
        raise InputError(
            Problem(
                where,
                f"letters out of {''.join(SOLUTIONS)}, or one of {', '.join(_NAMES)}",
                f"{', '.join(unknown)} in {text!r}",
                "see `progfix train --help` for what each letter does",
            )
        )
    return "".join(sorted(set(name)))


def apply(letters: str, recipe: Recipe = SEED_RECIPE) -> Recipe:
    """Return the recipe with the solutions applied, in alphabetical order.

    Args:
        letters: Letters such as "ab"; "" leaves the recipe as it is.
        recipe: What to change.

    Raises:
        InputError: If a letter is unknown, or letters conflict with each other or the head.
    """
    chosen = parse_letters(letters)
    found = conflicts(recipe.solution + chosen, recipe.head)
    if found:
        raise InputError(
            Problem(
                "--solution",
                "letters that go together",
                "; ".join(found),
                "leave one letter of each conflict out",
            )
        )
    for letter in chosen:
        recipe = SOLUTIONS[letter].change(recipe)
    return replace(recipe, solution="".join(sorted({*recipe.solution, *chosen})))
