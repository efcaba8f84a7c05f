"""The table of solutions: each letter changes what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from progfix.solutions import RECOMMENDED, SOLUTIONS, apply, conflicts, parse_letters
from progfix.training.recipe import SEED_RECIPE, Augmentation


def test_the_seed_recipe_is_the_failing_one() -> None:
    recipe = SEED_RECIPE
    assert (recipe.head.kind, recipe.head.hidden, recipe.head.extra) == ("gru", 64, ())
    assert recipe.head.initial_state == "zero"
    assert recipe.sampling.min_segment_len == 3
    assert (recipe.sampling.samples_per_video, recipe.sampling.frames_per_segment) == (5, 3)
    assert recipe.objective.progress_lambda == 1e6
    assert (recipe.optimisation.lr, recipe.optimisation.clip) == (1e-4, 1e-5)
    assert (recipe.optimisation.epochs, recipe.optimisation.batch_videos) == (50, 2)
    assert not recipe.optimisation.own_gradients


def test_each_letter_changes_one_thing() -> None:
    seed = SEED_RECIPE
    expected = {
        "a": replace(seed, head=replace(seed.head, extra=("position",))),
        "b": replace(seed, head=replace(seed.head, initial_state="learned")),
        "c": replace(seed, sampling=replace(seed.sampling, min_segment_len=10)),
        "d": replace(seed, head=replace(seed.head, output="increment")),
        "e": replace(seed, objective=replace(seed.objective, early_weight=True)),
        "f": replace(seed, head=replace(seed.head, extra=("elapsed",))),
        "g": replace(seed, optimisation=replace(seed.optimisation, own_gradients=True)),
        "h": replace(seed, head=replace(seed.head, output="remaining")),
        "s": replace(seed, sampling=replace(seed.sampling, frames="every")),
        "v": replace(
            seed,
            head=replace(seed.head, normalise=True),
            augmentation=Augmentation(time_warp=0.4, feature_noise=0.5),
            optimisation=replace(seed.optimisation, head_lr=3e-3, average=0.99),
        ),
    }
    assert set(SOLUTIONS) == set(expected)
    for letter, recipe in expected.items():
        assert apply(letter) == replace(recipe, solution=letter)


@given(st.permutations(list("abefg")))
def test_the_order_of_letters_does_not_matter(letters: list[str]) -> None:
    assert apply("".join(letters)) == apply("abefg")
    one_by_one = SEED_RECIPE
    for letter in letters:
        one_by_one = apply(letter, one_by_one)
    assert one_by_one == apply("abefg")


def test_columns_keep_the_order_of_the_checkpoints() -> None:
    assert apply("fa").head.extra == ("position", "elapsed")


@pytest.mark.parametrize(
    ("letters", "word"),
    [("ad", "sum"), ("da", "sum"), ("cs", "nothing"), ("dh", "not both"), ("eh", "proper")],
)
def test_conflicts_are_refused_with_their_reason(letters: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        apply(letters)


def test_a_conflict_with_an_earlier_solution_is_found() -> None:
    with pytest.raises(InputError, match="a with d"):
        apply("d", apply("a"))


def test_the_pooled_head_refuses_an_initial_state() -> None:
    pooled = replace(SEED_RECIPE, head=HeadSpec(kind="pooled"))
    with pytest.raises(InputError, match="b with the pooled head: only a GRU has"):
        apply("b", pooled)
    assert apply("af", pooled).head.extra == ("position", "elapsed")


def test_conflicts_are_mutual() -> None:
    for letter, solution in SOLUTIONS.items():
        for other in solution.conflicts:
            assert letter in SOLUTIONS[other].conflicts


def test_names_and_unknown_letters() -> None:
    assert parse_letters("BA") == "ab"
    assert parse_letters("baseline") == parse_letters("none") == ""
    assert parse_letters("recommended") == RECOMMENDED
    with pytest.raises(InputError, match="found x, z in 'zxa'"):
        parse_letters("zxa")
    with pytest.raises(InputError, match=r"did you mean recommended\?"):
        parse_letters("recomended")


def test_the_recommended_letters_do_not_conflict() -> None:
    assert conflicts(RECOMMENDED, SEED_RECIPE.head) == []


def test_a_letter_is_said_once_and_conflicts_name_where_they_were_said() -> None:
    with pytest.raises(InputError, match="--solution: expected each letter once, found 'fggs'; "):
        parse_letters("fggs")
    with pytest.raises(InputError, match="--try: expected letters that go together"):
        apply("dh", where="--try")
