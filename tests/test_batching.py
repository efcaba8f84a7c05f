"""Segments of similar lengths go together, and no chunk of videos is larger than it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.batching import PADDING, batches, chunks
from progfix.data.dataset import Video


@given(st.lists(st.integers(1, 500), max_size=200), st.integers(1, 4000))
def test_every_segment_is_in_one_batch_within_its_bounds(lengths: list[int], budget: int) -> None:
    found = list(batches(lengths, budget))
    assert sorted(row for rows in found for row in rows) == list(range(len(lengths)))
    for rows in found:
        padded = len(rows) * max(lengths[row] for row in rows)
        assert len(rows) == 1 or padded <= budget
        assert len(rows) <= 16 or padded <= PADDING * sum(lengths[row] for row in rows)


def test_the_shortest_come_first_and_a_batch_is_filled() -> None:
    # Sixteen go together whatever they are; the 17th would pad 17 x 9 = 153 > 1.25 x 109.
    lengths = [*range(1, 9), *[9] * 8, 9, 1]
    assert [len(rows) for rows in batches(lengths, 10_000)] == [16, 2]
    assert list(batches([5, 2, 4], 8)) == [[1, 2], [0]]


@pytest.mark.parametrize(("most", "expected"), [(2, [2, 2, 1]), (64, [3, 2])])
def test_chunks_are_cut_by_number_and_by_size(most: int, expected: list[int]) -> None:
    # 128 MB hold 2^25 numbers: three videos of 2^20 frames by 10 columns, not four.
    videos = [Video(f"v{i}", "t", 1 << 20, ()) for i in range(5)]
    found = list(chunks(videos, most, 10))
    assert [len(part) for part in found] == expected
    assert [video for part in found for video in part] == videos


def test_a_video_too_large_goes_alone_and_none_give_none() -> None:
    videos = [Video(f"v{i}", "t", frames, ()) for i, frames in enumerate((9, 1 << 26, 9))]
    assert [len(part) for part in chunks(videos, 64, 1)] == [1, 1, 1]
    assert list(chunks([], 64, 1)) == []
