"""Recipes as JSON values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from progfix.solutions import SOLUTIONS, apply, conflicts
from progfix.training.recipe import SEED_RECIPE, Optimisation, Recipe
from progfix.training.serialise import recipe_from_dict, recipe_to_dict


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    letters = "".join(sorted(draw(st.sets(st.sampled_from(sorted(SOLUTIONS))))))
    recipe = SEED_RECIPE if conflicts(letters, HeadSpec()) else apply(letters)
    bias = st.floats(-100, 100)
    rates = st.floats(0, exclude_min=True, allow_infinity=False)
    return replace(
        recipe,
        head=replace(recipe.head, last_bias=draw(st.none() | bias)),
        optimisation=replace(recipe.optimisation, lr=draw(rates), epochs=draw(st.integers(1))),
    )


@given(recipes())
def test_a_recipe_comes_back_through_json(recipe: Recipe) -> None:
    text = json.dumps(recipe_to_dict(recipe))
    assert recipe_from_dict(json.loads(text), where="config.json: recipe") == recipe


def test_the_form() -> None:
    values = recipe_to_dict(apply("af"))
    assert values["solution"] == "af"
    head = values["head"]
    assert isinstance(head, dict)
    assert head["extra"] == ["position", "elapsed"]
    assert head["last_bias"] is None


def test_what_is_left_out_takes_its_default() -> None:
    assert recipe_from_dict({}, where="x") == SEED_RECIPE
    read = recipe_from_dict({"optimisation": {"lr": 1}}, where="x")
    assert read == replace(SEED_RECIPE, optimisation=Optimisation(lr=1.0))
    assert type(read.optimisation.lr) is float


@pytest.mark.parametrize(
    ("values", "where", "expected", "found"),
    [
        (None, "c: recipe", "names and values", "None"),
        ({"head": 3}, "c: recipe.head", "names and values", "3"),
        ({"hed": {}}, "c: recipe.hed", "head", "'hed'"),
        ({"head": {"kind": "lstm"}}, "c: recipe.head.kind", "one of gru, pooled", "'lstm'"),
        ({"head": {"kind": ["gru"]}}, "c: recipe.head.kind", "one of gru", "['gru']"),
        ({"head": {"extra": "position"}}, "c: recipe.head.extra", "a list", "'position'"),
        (
            {"head": {"extra": ["position", "time"]}},
            "c: recipe.head.extra[1]",
            "one of position",
            "'time'",
        ),
        ({"head": {"last_bias": "low"}}, "c: recipe.head.last_bias", "a number", "'low'"),
        (
            {"optimisation": {"lr": None}},
            "c: recipe.optimisation.lr",
            "a finite number above 0",
            "None",
        ),
        ({"optimisation": {"lr": True}}, "c: recipe.optimisation.lr", "a finite number", "True"),
        (
            {"optimisation": {"lr": float("nan")}},
            "c: recipe.optimisation.lr",
            "a finite number",
            "nan",
        ),
        (
            {"optimisation": {"epochs": 2.5}},
            "c: recipe.optimisation.epochs",
            "an integer of at least 1",
            "2.5",
        ),
        ({"optimisation": {"epochs": True}}, "c: recipe.optimisation.epochs", "an integer", "True"),
        (
            {"optimisation": {"own_gradients": 1}},
            "c: recipe.optimisation.own_gradients",
            "true or false",
            "1",
        ),
        (
            {"optimisation": {"epochs": -4}},
            "c: recipe.optimisation.epochs",
            "an integer of at least 1",
            "-4",
        ),
        (
            {"optimisation": {"batch_videos": 0}},
            "c: recipe.optimisation.batch_videos",
            "an integer of at least 1",
            "0",
        ),
        ({"optimisation": {"lr": 10**400}}, "c: recipe.optimisation.lr", "a finite", "100000"),
        ({"head": {"dropout": 2}}, "c: recipe.head.dropout", "a number from 0 to 0.95", "2"),
        ({"head": {"hidden": 10**9}}, "c: recipe.head.hidden", "from 1 to 16384", "1000000000"),
        ({"head": {"last_bias": 1e9}}, "c: recipe.head.last_bias", "from -100 to 100", "1000000"),
        (
            {"objective": {"progress_lambda": 0}},
            "c: recipe.objective.progress_lambda",
            "a finite number above 0",
            "0",
        ),
        (
            {"augmentation": {"feature_noise": -0.5}},
            "c: recipe.augmentation.feature_noise",
            "a number from 0 to 100",
            "-0.5",
        ),
        (
            {"head": {"kind": "pooled", "initial_state": "learned"}, "solution": "b"},
            "c: recipe.solution",
            "letters that go together",
            "b with the pooled head",
        ),
        (
            {"head": {"extra": ["position"], "output": "increment"}},
            "c: recipe.solution",
            "letters that go together",
            "a with d",
        ),
        ({"solution": "fs"}, "c: recipe.solution", "other fields bear out, without fs", "'fs'"),
        ({"solution": 3}, "c: recipe.solution", "text", "3"),
        ({"solution": "a!"}, "c: recipe.solution", "letters out of", "!"),
        ({"solution": "ba"}, "c: recipe.solution", "'ab'", "'ba'"),
        (
            {"head": {"kind": "transformer", "attention": {"heads": 3}}},
            "c: recipe.head",
            "fields go together",
            "3 attention heads do not divide 64 units",
        ),
        (
            {"head": {"convolution": {"kernel": 2}}},
            "c: recipe.head",
            "fields go together",
            "the gru head has no convolution",
        ),
        (
            {"head": {"kind": "tcn", "convolution": {"dilations": [1, 0]}}},
            "c: recipe.head.convolution.dilations[1]",
            "an integer from 1 to 65536",
            "0",
        ),
    ],
)
def test_errors_name_the_dotted_field(
    values: object, where: str, expected: str, found: str
) -> None:
    with pytest.raises(InputError) as caught:
        recipe_from_dict(values, where="c: recipe")
    (problem,) = caught.value.problems
    assert problem.where == where
    assert expected in problem.expected
    assert found in problem.found


def test_all_defects_are_reported_at_once() -> None:
    values: dict[str, Any] = {
        "head": {"kind": 1, "extra": [2, 3], "width": 4},
        "sampling": [],
        "loss": "l2",
    }
    with pytest.raises(InputError) as caught:
        recipe_from_dict(values, where="c")
    assert [problem.where for problem in caught.value.problems] == [
        "c.loss",
        "c.head.width",
        "c.head.kind",
        "c.head.extra[0]",
        "c.head.extra[1]",
        "c.sampling",
    ]
