"""Counts on the grid of levels against NumPy on the values themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.metrics.levels import (
    LevelCounts,
    count_levels,
    level_of,
    level_value,
    levels_quantile,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_levels_are_the_lowest_not_below() -> None:
    # Steps of .005 up to 2; then 2 * 1.0025^k, so that the first beyond 2 is 2.005. -3 lies
    # between 2 * 1.0025^162 = 2.997 and 1.0025 times that, and the former is above it.
    values = np.array([0.0, 0.5, 0.57, 0.571, -0.001, 2.0, 2.001, -2.001, -3.0, -2.0])
    expected = [0.0, 0.5, 0.57, 0.575, 0.0, 2.0, 2.005, -2.0, -2 * 1.0025**162, -2.0]
    assert level_value(level_of(values)) == pytest.approx(expected, rel=1e-12)


@given(FINITE)
def test_any_finite_value_has_a_level_just_above(value: float) -> None:
    level = float(level_value(level_of(np.array([value])))[0])
    slack = max(abs(value), 1.0) * 1e-9
    assert value - slack <= level <= value + max(0.005, abs(value) * 0.0025) + slack


@given(st.integers(-300_000, 280_000))
def test_a_level_is_its_own_level(index: int) -> None:
    given_ = np.array([index])
    value = level_value(given_)
    if abs(float(value[0])) < 1.79e308:
        assert level_of(value) == given_


@given(
    st.lists(st.tuples(st.integers(0, 3), FINITE), min_size=1, max_size=40),
    st.sampled_from([0.05, 0.5, 0.95]),
)
def test_quantiles_agree_with_numpy(rows: list[tuple[int, float]], share: float) -> None:
    group, values = np.array([g for g, _ in rows]), np.array([v for _, v in rows])
    found = levels_quantile(*count_levels(group, values).table(4), share)
    grid = level_value(level_of(values))
    for g in range(4):
        mine = grid[group == g]
        if len(mine):
            assert found[g] == pytest.approx(np.quantile(mine, share, method="inverted_cdf"))
        else:
            assert np.isnan(found[g])


@given(st.lists(st.tuples(st.integers(0, 3), FINITE), max_size=40), st.integers(0, 40))
def test_parts_merge_into_the_whole(rows: list[tuple[int, float]], cut: int) -> None:
    def counted(part: list[tuple[int, float]]) -> LevelCounts:
        return count_levels(
            np.array([g for g, _ in part], np.int64), np.array([v for _, v in part])
        )

    parts = LevelCounts.merge([counted(rows[cut:]), counted(rows[:cut])])
    for found, expected in zip(parts, counted(rows), strict=True):
        assert found.tolist() == expected.tolist()
    assert int(parts.times.sum()) == len(rows)


def test_nothing_has_no_quantile() -> None:
    nothing = LevelCounts.merge([])
    assert np.isnan(levels_quantile(*nothing.table(2), 0.5)).tolist() == [True, True]
