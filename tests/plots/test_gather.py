from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from progfix.plots.gather import Replay, SegmentTable, pick_rows, segment_keys, shared_segments
from progfix.predictions import Predictions
from tests.plots.made import offset, video


def table_of(*chunks: Predictions) -> SegmentTable:
    table = SegmentTable()
    for chunk in chunks:
        table.add(chunk)
    return table


def test_few_chunks_are_produced_once_and_many_at_each_pass() -> None:
    chunks = [video(f"v{n}", [5, 5], offset(0.0)) for n in range(4)]
    passes = []

    def produce() -> Iterator[Predictions]:
        passes.append(1)
        yield from chunks

    for budget, expected in ((40, 1), (39, 3)):
        passes.clear()
        replay = Replay(produce, budget)
        for _ in range(3):
            assert [chunk.video.names for chunk in replay] == [c.video.names for c in chunks]
        assert len(passes) == expected


def test_an_interrupted_pass_keeps_nothing() -> None:
    replay = Replay(lambda: iter([video("a", [2], offset(0)), video("b", [2], offset(0))]), 100)
    next(iter(replay))
    assert [chunk.video.names for chunk in replay] == [("a",), ("b",)]


def test_errors_of_segments_by_hand() -> None:
    table = table_of(
        video("v", [2, 4], lambda t: t + len(t) / 10),
        video("w", [3], lambda t: np.array([np.nan, t[1], t[2] + 0.6])),
    )
    assert table.keys == [("tea", "v", 0, 2), ("tea", "v", 1, 4), ("tea", "w", 0, 3)]
    assert table.absolute == pytest.approx([0.4, 1.6, 0.6])
    assert table.frames == [2, 4, 2]


def test_shared_segments_are_those_of_all_with_the_same_duration() -> None:
    a = table_of(video("v", [2, 4], offset(0)), video("w", [3], offset(0)))
    b = table_of(video("w", [3], offset(0)), video("v", [2, 5], offset(0)))
    shared = shared_segments([a, b])
    assert shared.keys == [("tea", "v", 0, 2), ("tea", "w", 0, 3)]
    assert shared.rows == [0, 2]
    assert shared.others == 2  # v 1 of four frames in one, of five in the other
    assert shared.with_task


def test_a_source_without_tasks_matches_by_video_and_ambiguous_videos_do_not() -> None:
    a = table_of(
        video("v", [2], offset(0), task="tea"),
        video("w", [2], offset(0), task="tea"),
        video("w", [2], offset(0), task="soup"),
    )
    unknown = frozenset({"task"})
    b = table_of(*(video(n, [2], offset(0), task="", missing=unknown) for n in ("v", "w")))
    shared = shared_segments([a, b])
    assert shared.keys == [("", "v", 0, 2)]
    assert not shared.with_task
    assert shared.others == 3  # w of two tasks in one, w of which of them in the other


def test_picked_rows_are_the_segments_rows_and_reading_stops() -> None:
    first = video("v", [2, 4], offset(0.25))

    def chunks() -> Iterator[Predictions]:
        yield first
        raise AssertionError("read on after everything was found")

    wanted = {("tea", "v", 1, 4)}
    found = pick_rows(chunks(), wanted)
    assert set(found) == wanted
    assert np.array_equal(found["tea", "v", 1, 4].prediction, first.prediction[2:])
    assert segment_keys(first, with_task=False) == [("", "v", 0, 2), ("", "v", 1, 4)]
