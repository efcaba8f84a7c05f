from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.collector import Collector
from progfix.data.dataset import Segment
from progfix.data.reading import tasks_to_keep, valid_segments
from progfix.errors import InputError


def segments(*spans: tuple[int, int]) -> list[Segment]:
    return [Segment(start, end, "x") for start, end in spans]


@pytest.mark.parametrize(
    ("spans", "shared", "refused"),
    [
        ([(0, 3), (4, 6)], 0, []),
        ([(4, 6), (0, 4)], 1, []),
        # the middle one has one frame, which is the end of the first and start of the last
        ([(0, 4), (4, 4), (4, 9)], 2, []),
        ([(0, 4), (3, 6)], 0, ["overlapping-segments"]),
        # the third lies within the first, although it is behind the second
        ([(0, 8), (8, 8), (5, 6)], 1, ["overlapping-segments"]),
        ([(3, 2)], 0, ["invalid-segments"]),
        ([(-1, 2), (5, 10), (0, 9)], 0, ["invalid-segments"]),
    ],
)
def test_order_shared_frames_and_refusals(
    spans: list[tuple[int, int]], shared: int, refused: list[str]
) -> None:
    collector = Collector()
    valid, count = valid_segments("v", segments(*spans), 10, collector)
    assert count == shared
    assert [finding.id for finding in collector.findings()] == refused
    assert list(valid) == sorted(valid, key=lambda s: s.start)


@given(st.lists(st.tuples(st.integers(-3, 22), st.integers(-3, 22)), max_size=8))
def test_what_is_accepted_agrees_with_painting_frames(spans: list[tuple[int, int]]) -> None:
    collector = Collector()
    valid, shared = valid_segments("v", segments(*spans), 20, collector)
    inside = [(a, b) for a, b in spans if 0 <= a <= b < 20]
    assert sorted((s.start, s.end) for s in valid) == sorted(inside)
    ids = {finding.id for finding in collector.findings()}
    assert ("invalid-segments" in ids) == (len(inside) < len(spans))
    # Two segments that overlap by more than a frame share an edge between frames.
    edges = [{(f, f + 1) for f in range(a, b)} for a, b in inside]
    together = any(one & other for i, one in enumerate(edges) for other in edges[:i])
    within = any(c < a and b < d for a, b in inside for c, d in inside if a == b)
    assert ("overlapping-segments" in ids) == (together or within)
    assert shared <= max(0, len(inside) - 1)


def test_tasks_to_keep() -> None:
    assert tasks_to_keep(["a", "b", "c"], ["b"]) == ("a", "c")
    with pytest.raises(InputError, match="tasks out of a, found x, y"):
        tasks_to_keep(["a"], ["x", "a", "y"])
