"""From cells and seeds to a plan, with everything that is wrong said at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.sweeps.cells import Cell
from progfix.sweeps.plan import Plan, PlannedRun
from progfix.training.assemble import Request, assemble
from progfix.training.run_options import RunOptions

__all__ = ["make_plan"]


def make_plan(
    cells: Sequence[Cell],
    seeds: Sequence[int],
    *,
    data: DataOptions,
    fresh_splits: bool = False,
    init: Path | None = None,
    head_spec: str | None = None,
) -> Plan:
    """Return the runs of a sweep.

    Args:
        cells: At least one.
        seeds: Different ones, at least one.
        data: Data options; without a path, what `init` or else the defaults say.
        fresh_splits: Draw the splits of each seed's runs afresh with that seed.
        init: Checkpoint whose encoder is kept in all runs.
        head_spec: What its head is.

    Raises:
        InputError: With the conflicts of all cells, cells that are the same recipe, seeds
            that come twice, and options that contradict each other.
    """
    problems = _seed_problems(seeds)
    if fresh_splits and data.resplit is not None:
        problems.append(
            Problem(
                "--fresh-splits",
                "the splits to be drawn with each run's seed",
                f"--resplit {data.resplit}, which fixes them",
                "leave one of the two out",
            )
        )
    request = Request(data=data, init=init, head_spec=head_spec)
    assembled: dict[str, RunOptions] = {}
    notes: dict[str, None] = {}
    failed: dict[Problem, list[str]] = {}
    for cell in cells:
        wanted = replace(request, solution=cell.solution, head=cell.head, settings=cell.settings)
        try:
            assembled[cell.name], said = assemble(wanted)
            notes.update(dict.fromkeys(said))
        except InputError as error:
            for problem in error.problems:
                failed.setdefault(problem, []).append(cell.name)
    problems += _of_cells(failed, len(cells)) + _same_recipes(assembled)
    if problems:
        raise InputError(problems)
    runs = tuple(
        _run(name, seed, options, fresh=fresh_splits)
        for seed in seeds
        for name, options in assembled.items()
    )
    return Plan(tuple(assembled), tuple(seeds), fresh_splits, runs, tuple(notes))


def _run(cell: str, seed: int, options: RunOptions, *, fresh: bool) -> PlannedRun:
    data = replace(options.data, resplit=seed) if fresh else options.data
    config = replace(options, seed=seed, data=data).to_config()
    safe = re.sub(r"[^\w.+=-]", "_", cell)
    return PlannedRun(f"{safe}-seed{seed}", cell, seed, config)


def _seed_problems(seeds: Sequence[int]) -> list[Problem]:
    expected = "different seeds of at least 0, at least one"
    if seeds and len(set(seeds)) == len(seeds) and min(seeds) >= 0:
        return []
    found = ",".join(map(str, seeds)) or "none"
    return [Problem("--seeds", expected, found, "write a number of seeds, or a list like 0,1,5")]


def _of_cells(failed: Mapping[Problem, Sequence[str]], cells: int) -> list[Problem]:
    """Name the cell of each problem that not all of them share."""
    return [
        problem
        if len(names) == cells > 1
        else replace(problem, where=f"cell {name}, {problem.where}")
        for problem, names in failed.items()
        for name in (names[:1] if len(names) == cells > 1 else names)
    ]


def _same_recipes(assembled: Mapping[str, RunOptions]) -> list[Problem]:
    problems = []
    names = list(assembled)
    for place, name in enumerate(names):
        for earlier in names[:place]:
            if assembled[earlier].recipe == assembled[name].recipe:
                found = f"{earlier} and {name}, which are the same recipe"
                fix = "leave one of them out"
                problems.append(Problem("--solutions", "cells that differ", found, fix))
    return problems
