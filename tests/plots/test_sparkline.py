from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from progfix.plots.sparkline import BLOCKS, sparkline


def test_levels_by_hand() -> None:
    # Eight levels of 1/8 each: .0 is the first, .5 the fifth, 1 the last; outside is clipped.
    assert sparkline([0.0, 0.124, 0.125, 0.5, 1.0, -3.0, 9.0]) == "▁▁▂▅█▁█"
    assert sparkline([0.0, math.nan, 1.0]) == "▁ █"
    assert sparkline([1.0, 3.0, 5.0], low=1.0, high=5.0) == "▁▅█"
    assert sparkline([2.0, 2.0], low=2.0, high=2.0) == "▁▁"
    assert sparkline([], width=5) == ""


def test_long_curves_keep_their_ends() -> None:
    line = sparkline([0.0] + [0.5] * 500 + [1.0], width=12)
    assert (len(line), line[0], line[-1]) == (12, "▁", "█")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(2, 30))
def test_rising_curves_rise(values: list[float], width: int) -> None:
    line = sparkline(sorted(values), width=width)
    assert len(line) == min(width, len(values))
    levels = [BLOCKS.index(block) for block in line]
    assert levels == sorted(levels)
