"""Plans: which runs a sweep has, and what is refused before any of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.sweeps.cells import parse_cells
from progfix.sweeps.plan import Plan, PlannedRun
from progfix.sweeps.planning import make_plan
from progfix.training.assemble import Request, assemble

SMALL = DataOptions(path="procedures/1:tasks=1,videos=6,dim=4")


def plan_of(*solutions: str, seeds: tuple[int, ...] = (0, 1), **options: object) -> Plan:
    data = options.pop("data", SMALL)
    return make_plan(parse_cells(solutions), seeds, data=data, **options)  # type: ignore[arg-type]


def test_every_cell_has_every_seed_and_the_first_seeds_come_first() -> None:
    plan = plan_of("baseline", "fgs+lr=0.5", seeds=(4, 2))
    assert [run.name for run in plan.runs] == [
        "baseline-seed4",
        "fgs+lr=0.5-seed4",
        "baseline-seed2",
        "fgs+lr=0.5-seed2",
    ]
    assert plan.cells == ("baseline", "fgs+lr=0.5")


def test_a_run_is_what_train_would_run() -> None:
    (run,) = plan_of("fghs+dropout=0.3", seeds=(3,)).runs
    stored = PlannedRun(**json.loads(json.dumps(vars(run))))
    options, _ = assemble(
        Request(solution="fghs", settings={"head.dropout": 0.3}, data=SMALL, seed=3)
    )
    made = stored.options(Path("x"), "cpu")
    assert made.recipe == options.recipe
    assert (made.data, made.seed, made.cell) == (options.data, 3, "fghs+dropout=0.3")
    assert str(made.folder) == "x/fghs+dropout=0.3-seed3"


def test_fresh_splits_are_drawn_with_the_seed() -> None:
    runs = plan_of("f", "g", seeds=(0, 7), fresh_splits=True).runs
    assert [(run.cell, run.data.resplit) for run in runs] == [
        ("f", 0),
        ("g", 0),
        ("f", 7),
        ("g", 7),
    ]
    assert {run.data.resplit for run in plan_of("f").runs} == {None}


@pytest.mark.parametrize(
    ("solutions", "options", "message"),
    [
        (("fgs", "fgs+dropout=0"), {}, "found fgs and fgs+dropout=0, which are the same recipe"),
        (("f",), {"seeds": ()}, "--seeds: expected different seeds"),
        (("f",), {"seeds": (1, 1)}, "found 1,1"),
        (
            ("f",),
            {"fresh_splits": True, "data": DataOptions(path="procedures/1", resplit=3)},
            "found --resplit 3",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(
    solutions: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message.replace("+", r"\+")):
        plan_of(*solutions, **options)  # type: ignore[arg-type]


def test_a_problem_of_all_cells_is_said_once() -> None:
    with pytest.raises(InputError) as caught:
        plan_of("f", "g", "fgs", init=Path("missing.pt"))
    assert len(caught.value.problems) == 1
    assert "cell" not in str(caught.value)
