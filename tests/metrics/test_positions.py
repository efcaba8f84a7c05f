from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from progfix.metrics.positions import binned_sums, position_bins, value_bins


def test_ten_frames_in_ten_bins_give_one_each() -> None:
    elapsed = np.arange(1, 11)
    assert position_bins(elapsed, np.full(10, 10), 10).tolist() == list(range(10))


def test_an_edge_belongs_to_the_bin_below() -> None:
    # 1 of 3 frames has target 1/3, the upper edge of the first of 3 bins (0, 1/3].
    assert position_bins(np.array([1, 2, 3]), np.full(3, 3), 3).tolist() == [0, 1, 2]
    # With 10 bins: 1/3 in (.3, .4], 2/3 in (.6, .7], 1 in (.9, 1].
    assert position_bins(np.array([1, 2, 3]), np.full(3, 3), 10).tolist() == [3, 6, 9]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 100))
def test_position_bins_agree_with_fractions(a: int, b: int, bins: int) -> None:
    elapsed, duration = min(a, b), max(a, b)
    found = int(position_bins(np.array([elapsed]), np.array([duration]), bins)[0])
    target = Fraction(elapsed, duration)
    assert Fraction(found, bins) < target <= Fraction(found + 1, bins)


def test_value_bins_take_what_lies_outside_into_the_outer_bins() -> None:
    values = np.array([-0.2, 0.0, 0.05, 0.1, 0.11, 1.0, 1.7])
    assert value_bins(values, 10).tolist() == [0, 0, 0, 0, 1, 9, 9]


def test_binned_sums_agree_with_a_loop() -> None:
    rng = np.random.default_rng(1)
    place, group = rng.integers(5, size=200), rng.integers(3, size=200)
    values = rng.normal(size=(2, 200))
    found = binned_sums(place, group, (values[0], values[1]), groups=3, bins=5)
    expected = np.zeros((3, 5, 3))
    for row in range(200):
        expected[group[row], place[row]] += [1, values[0, row], values[1, row]]
    np.testing.assert_allclose(found, expected, atol=1e-12)
