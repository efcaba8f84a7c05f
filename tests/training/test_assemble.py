"""From what a user said to the options of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from progfix import runs
from progfix.data.options import DataOptions
from progfix.solutions import apply
from progfix.training.assemble import Request, assemble
from progfix.training.recipe import Recipe, with_values
from progfix.training.run_options import RunOptions


def run_of(folder: Path, recipe: Recipe) -> Path:
    folder.mkdir()
    options = RunOptions(recipe, DataOptions(path="procedures/1"))
    (folder / runs.CONFIG).write_text(
        json.dumps({"format": "progfix-run/1", "started": "2026", **options.to_config()})
    )
    return folder


def test_other_letters_take_along_what_the_user_set_and_not_what_the_old_letters_did(
    tmp_path: Path,
) -> None:
    own = {"optimisation.epochs": 7, "augmentation.time_warp": 0.1, "sampling.min_segment_len": 5}
    run = run_of(tmp_path / "run", with_values(apply("egv"), own))
    options, _ = assemble(Request(config=run, solution="ab"))
    assert options.recipe == with_values(apply("ab"), own)
    options, _ = assemble(Request(config=run, solution="fgsv", settings={"head.normalise": False}))
    assert options.recipe == with_values(apply("fgsv"), {**own, "head.normalise": False})


def test_without_letters_the_recipe_stays(tmp_path: Path) -> None:
    recipe = with_values(apply("fghsv"), {"optimisation.average": 0.5})
    options, _ = assemble(Request(config=run_of(tmp_path / "run", recipe), seed=3))
    assert (options.recipe, options.seed) == (recipe, 3)


def test_another_kind_of_head_keeps_letters_and_numbers(tmp_path: Path) -> None:
    recipe = with_values(apply("gs"), {"head.dropout": 0.25})
    options, _ = assemble(Request(config=run_of(tmp_path / "run", recipe), head="pooled"))
    assert options.recipe == replace(recipe, head=replace(recipe.head, kind="pooled"))


def test_the_built_in_data_is_named_where_nothing_was_said_of_data() -> None:
    assert assemble(Request())[1] == ("no --data: this is the built-in data, procedures/1",)
    assert assemble(Request(data=DataOptions(path="procedures/1")))[1] == ()
