from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.plots.selection import SELECTIONS, Select, select

errors = st.lists(
    st.one_of(st.just(float("nan")), st.integers(0, 20).map(lambda n: n / 20)),
    min_size=1,
    max_size=30,
)


@given(errors, st.integers(1, 12), st.sampled_from(SELECTIONS), st.integers(0, 3))
def test_chosen_are_distinct_repeatable_and_as_many_as_there_are(
    values: list[float], number: int, how: Select, seed: int
) -> None:
    error, duration = np.array(values), np.arange(len(values))[::-1] % 7
    chosen = select(error, duration, number, how, seed=seed)
    assert len(set(chosen.tolist())) == len(chosen) == min(number, len(values))
    assert np.array_equal(chosen, select(error, duration, number, how, seed=seed))


@given(errors, st.integers(2, 12))
def test_spread_goes_from_the_best_to_the_worst(values: list[float], number: int) -> None:
    error = np.array(values)
    chosen = error[select(error, np.ones(len(error), np.int64), number)]
    known = chosen[~np.isnan(chosen)]
    if not np.isnan(error).all():
        assert known[0] == np.nanmin(error)
        if len(error) > 1:
            assert known[-1] == np.nanmax(error)
    assert np.all(np.diff(known) >= 0)


def test_undefined_errors_are_chosen_only_where_others_do_not_suffice() -> None:
    error = np.array([0.3, np.nan, 0.1, np.nan])
    ones = np.ones(4, np.int64)
    assert select(error, ones, 2).tolist() == [2, 0]
    assert select(error, ones, 2, "worst").tolist() == [0, 2]
    assert select(error, ones, 3, "best").tolist() == [2, 0, 1]


def test_ranks_by_hand() -> None:
    # Sorted: .1 (3), .2 (0), .3 (4), .4 (1), .5 (2); five ranks 0 .. 4, three ranks 0, 2, 4.
    error = np.array([0.2, 0.4, 0.5, 0.1, 0.3])
    duration = np.array([90, 10, 90, 50, 70])
    assert select(error, duration, 3).tolist() == [3, 4, 2]
    assert select(error, duration, 1).tolist() == [4]  # the median
    assert select(error, duration, 2, "best").tolist() == [3, 0]
    assert select(error, duration, 2, "worst").tolist() == [2, 1]
    assert select(error, duration, 3, "longest").tolist() == [0, 2, 4]  # a tie keeps the order
    assert select(error, duration, 5, "random", seed=1).tolist() == [0, 1, 2, 3, 4]


def test_short_segments_are_spread_over_only_where_others_do_not_suffice() -> None:
    error = np.array([0.2, 0.4, 0.5, 0.1, 0.3])
    duration = np.array([8, 9, 7, 1, 100])
    assert select(error, duration, 3).tolist() == [0, 4, 1]
    assert select(error, duration, 2).tolist() == [0, 1]
    assert select(error, duration, 4).tolist() == [3, 0, 1, 2]  # ranks 0, 1, 3, 4
    assert select(np.where(duration == 9, np.nan, error), duration, 2).tolist() == [0, 4]
    assert select(error, duration, 2, "worst").tolist() == [2, 1]


def test_random_depends_on_the_seed() -> None:
    error, duration = np.zeros(100), np.ones(100, np.int64)
    first = select(error, duration, 5, "random", seed=0)
    assert not np.array_equal(first, select(error, duration, 5, "random", seed=1))


def test_nothing_to_choose_from() -> None:
    for how in SELECTIONS:
        assert len(select(np.empty(0), np.empty(0, np.int64), 3, how)) == 0


def test_bad_requests() -> None:
    with pytest.raises(ValueError, match="at least 1 segment"):
        select(np.zeros(2), np.ones(2, np.int64), 0)
    with pytest.raises(ValueError, match="expected a selection out of spread"):
        select(np.zeros(2), np.ones(2, np.int64), 1, "median")  # type: ignore[arg-type]
