import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.metrics.spread import moments, pooled_std, weighted_median


def test_moments_by_hand() -> None:
    # 1 2 3: mean 2, deviations 1 + 0 + 1. 5: mean 5, no deviation.
    mean, deviations = moments(np.array([1.0, 2.0, 3.0, 5.0]), np.array([0, 3]))
    assert mean.tolist() == [2, 5]
    assert deviations.tolist() == [2, 0]


def test_pooled_std_agrees_with_numpy_on_repeated_segments() -> None:
    rng = np.random.default_rng(0)
    values, starts = rng.normal(size=60), np.array([0, 10, 13, 40])
    weights = np.array([[1, 1, 1, 1], [0, 2, 3, 1], [0, 0, 0, 1]], dtype=float)
    mean, deviations = moments(values, starts)
    count = np.diff(np.append(starts, 60)).astype(float)
    found = pooled_std(count, mean, deviations, weights)
    parts = np.split(values, starts[1:])
    for row, repeats in enumerate(weights.astype(int)):
        repeated = np.concatenate(
            [np.tile(part, n) for part, n in zip(parts, repeats, strict=True)]
        )
        assert found[row] == pytest.approx(repeated.std(), abs=1e-12)


def test_pooled_std_does_not_cancel_for_collapsed_predictions() -> None:
    rng = np.random.default_rng(0)
    values = 0.64 + 1e-9 * rng.normal(size=1000)
    starts = np.arange(0, 1000, 10)
    mean, deviations = moments(values, starts)
    found = pooled_std(np.full(100, 10.0), mean, deviations, np.ones((1, 100)))[0]
    assert found == pytest.approx(values.std(), rel=1e-4)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=20),
)
def test_weighted_median_agrees_with_numpy(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    weights = np.array([weight for _, weight in pairs], dtype=float)
    found = weighted_median(values, np.arange(len(values)), weights[None, :])[0]
    repeated = np.repeat(values, weights.astype(int))
    if len(repeated):
        assert found == np.median(repeated)
    else:
        assert np.isnan(found)


def test_weighted_median_finds_middles_that_are_far_off() -> None:
    # 100 groups of 50 values, each group higher than the one before: resamples that hold few
    # groups have their middle anywhere.
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(100), 50)
    values = group + rng.random(len(group))
    weights = rng.integers(0, 3, (40, 100)) * (rng.random((40, 100)) < rng.random((40, 1)) / 4)
    weights[0], weights[1] = 0, np.arange(100) == 99
    found = weighted_median(values, group, weights.astype(float))
    for row, repeats in zip(found, weights, strict=True):
        expected = np.repeat(values, repeats[group])
        assert row == np.median(expected) if len(expected) else np.isnan(row)


def test_weighted_median_leaves_nan_out() -> None:
    group = np.arange(3)
    assert weighted_median(np.array([np.nan, 3.0, 1.0]), group, np.ones((1, 3)))[0] == 2.0
    assert np.isnan(weighted_median(np.array([np.nan]), group[:1], np.ones((1, 1)))[0])
