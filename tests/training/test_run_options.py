"""config.json, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.solutions import apply
from progfix.training.recipe import with_values
from progfix.training.run_options import RunOptions


def config() -> dict[str, Any]:
    options = RunOptions(
        recipe=apply("fgs"),
        data=DataOptions(path="a.h5", skip_tasks=("tea",), feature_dir=Path("f")),
        init=Path("x.pt"),
        head_spec="none",
        seed=3,
    )
    config: dict[str, Any] = json.loads(json.dumps(options.to_config()))
    assert RunOptions.from_config(config, "c.json") == options
    return config


def test_what_is_about_one_run_is_not_repeated() -> None:
    entries = {"format": "progfix-run/1", "started": "2026", "cell": "fgs,lr=1"}
    assert RunOptions.from_config({**config(), **entries}, "c.json").cell is None


def test_every_defect_is_named_at_once() -> None:
    broken = config()
    broken["recipe"]["optimisation"]["epochs"] = -4
    broken["recipe"]["head"]["dropout"] = 2
    broken["recipe"]["head"]["kind"] = "nope"
    broken["data"]["reader"] = "nope"
    broken["data"]["skip_tasks"] = 5
    broken["seed"] = True
    broken["init"] = 7
    broken["epochs"] = 9
    with pytest.raises(InputError) as caught:
        RunOptions.from_config(broken, "c.json")
    texts = {problem.where: str(problem) for problem in caught.value.problems}
    assert texts.keys() == {
        "c.json: epochs",
        "c.json: recipe.optimisation.epochs",
        "c.json: recipe.head.dropout",
        "c.json: recipe.head.kind",
        "c.json: data.reader",
        "c.json: data.skip_tasks",
        "c.json: seed",
        "c.json: init",
    }
    assert texts["c.json: recipe.optimisation.epochs"].startswith(
        "c.json: recipe.optimisation.epochs: expected an integer of at least 1, found -4; "
    )
    assert "expected one of gru, " in texts["c.json: recipe.head.kind"]
    assert "expected a list, found 5" in texts["c.json: data.skip_tasks"]


def test_a_seed_that_torch_does_not_take() -> None:
    with pytest.raises(InputError, match=r"c\.json: seed: expected an integer from 0 to"):
        RunOptions.from_config({**config(), "seed": 2**64}, "c.json")


def test_letters_that_are_edited_alone_do_nothing_and_are_refused() -> None:
    broken = config()
    broken["recipe"]["solution"] = "abgs"
    with pytest.raises(InputError, match=r"c\.json: recipe\.solution: .* without ab"):
        RunOptions.from_config(broken, "c.json")


def test_a_recipe_must_be_there() -> None:
    broken = config()
    del broken["recipe"]
    with pytest.raises(InputError, match=r"c\.json: recipe: expected a value, found none"):
        RunOptions.from_config(broken, "c.json")


def test_settings_of_a_letter_may_be_the_users() -> None:
    mine = with_values(apply("gv"), {"augmentation.feature_noise": 0.25, "head.normalise": False})
    options = RunOptions(recipe=mine, data=DataOptions(path="a.h5"))
    stored = json.loads(json.dumps(options.to_config()))
    assert RunOptions.from_config(stored, "c.json").recipe == mine
