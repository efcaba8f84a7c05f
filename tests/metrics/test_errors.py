import numpy as np
import pytest

from progfix.metrics.errors import error_sums
from progfix.metrics.segments import ratio, row_segments, segment_lengths, segment_sums


def test_error_sums_by_hand() -> None:
    # Errors .3 and -.1 in the first segment, -.5 in the second.
    found = error_sums(
        np.array([0.8, 0.9, 0.5]), np.array([0.5, 1.0, 1.0]), np.array([0, 2], dtype=np.int64)
    )
    assert found.absolute == pytest.approx([0.4, 0.5])
    assert found.squared == pytest.approx([0.10, 0.25])
    assert found.signed == pytest.approx([0.2, -0.5])


def test_segments_of_a_table() -> None:
    starts = np.array([0, 2, 3])
    assert segment_lengths(starts, 6).tolist() == [2, 1, 3]
    assert row_segments(starts, 6).tolist() == [0, 0, 1, 2, 2, 2]
    assert segment_sums(np.arange(6), starts).tolist() == [1, 2, 12]


def test_an_empty_table_has_no_segments() -> None:
    empty = np.empty(0, dtype=np.int64)
    assert segment_lengths(empty, 0).tolist() == []
    assert segment_sums(np.empty(0), empty).tolist() == []


def test_a_ratio_of_nothing_is_undefined() -> None:
    assert np.isnan(ratio(np.array([0.0, 1.0]), np.array([0.0, 0.0]))).all()
    assert ratio(np.array([1.0]), np.array([4.0])).tolist() == [0.25]
