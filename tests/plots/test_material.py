"""From sources to what is drawn: the same rows, chosen by the first source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from progfix.data.dataset import Dataset, Segment, Video
from progfix.frame_counting import FrameCounting
from progfix.leave_one_out import LeaveOneVideoOut
from progfix.plots.material import Wanted, gather
from progfix.predictions import Predictions
from progfix.sources import Source
from tests.plots.made import offset, source, video

DURATIONS = {"u": [4, 6], "v": [5, 3], "w": [8]}


def chunks(by: float, *names: str) -> list[Predictions]:
    """Videos whose segment k is wrong by `by` * (k + 1)."""
    made = []
    for name in names or tuple(DURATIONS):
        chunk = video(name, DURATIONS[name], offset(0.0))
        made.append(chunk.with_prediction(chunk.target + by * (chunk.segment + 1)))
    return made


def test_views_hold_the_sources_rows() -> None:
    sources = [source("a", *chunks(0.1)), source("b", *reversed(chunks(-0.2)))]
    material = gather(sources, Wanted(number=9))
    assert material.survey.labels == ("a", "b")
    assert len(material.segments) == 5
    table = {
        (name, k): target
        for name, lengths in DURATIONS.items()
        for k, length in enumerate(lengths)
        for target in (np.arange(1, length + 1) / length,)
    }
    for view in material.segments:
        target = table[view.video, view.segment]
        assert view.duration == len(target)
        assert view.action == f"act_{view.segment}"
        a, b = view.curves
        assert np.array_equal(a.target, target)
        assert a.prediction == pytest.approx(target + 0.1 * (view.segment + 1))
        assert b.prediction == pytest.approx(target - 0.2 * (view.segment + 1))
        assert a.mae == pytest.approx(0.1 * (view.segment + 1))


def test_another_source_does_not_change_the_choice() -> None:
    first = source("a", *chunks(0.1))
    other = source("b", *(c.with_prediction(c.target * 0) for c in chunks(0.0)))
    alone, together = (gather(s, Wanted(number=3)) for s in ([first], [first, other]))
    names = [[(v.video, v.segment) for v in m.segments] for m in (alone, together)]
    assert names[0] == names[1]
    assert len(together.segments[0].curves) == 2


def test_only_segments_of_all_sources_are_chosen_and_it_is_said() -> None:
    material = gather([source("a", *chunks(0.1)), source("b", *chunks(0.1, "v"))], Wanted())
    assert {view.video for view in material.segments} == {"v"}
    assert any("the 2 that all sources have; as 3 more are in some" in n for n in material.notices)
    nothing = gather([source("a", *chunks(0.1, "u")), source("b", *chunks(0.1, "v"))], Wanted())
    assert nothing.segments == ()


def test_counting_is_the_training_split_or_else_the_other_videos() -> None:
    counting = FrameCounting.fit({"act_0": np.array([10])}, fitted_on="ten frames")
    trained = gather([replace(source("a", *chunks(0.1)), counting=counting)], Wanted())
    for view in trained.segments:
        assert view.counting == pytest.approx(np.arange(1, view.duration + 1) / 10)
    assert "frame counting is fitted on: ten frames" in trained.notices
    untrained = gather([source("a", *chunks(0.1))], Wanted(number=9))
    oracle = LeaveOneVideoOut.fit(chunks(0.1))
    expected = {
        (c.video.names[0], k): answers[c.segment == k]
        for c in chunks(0.1)
        for answers in (oracle.predict(c),)
        for k in (0, 1)
    }
    for view in untrained.segments:
        assert view.counting is not None
        assert np.array_equal(view.counting, expected[view.video, view.segment])


def test_baselines_are_over_the_first_sources_frames() -> None:
    counting = FrameCounting.fit({"act_0": np.array([8]), "act_1": np.array([4])})
    material = gather([replace(source("a", *chunks(0.1)), counting=counting)], Wanted())
    whole = Predictions.concat(chunks(0.1))
    for name, answers in (
        ("constant .5", np.full(len(whole), 0.5)),
        ("frame counting", counting.predict(whole)),
        ("frame counting, per action", counting.predict(whole, per_action=True)),
    ):
        expected = np.mean(np.abs(answers - whole.target))
        assert material.survey.baselines[name].mae == pytest.approx(expected, abs=1e-12)


def test_without_action_names_there_is_no_counting_per_action() -> None:
    chunk = video("v", [4, 5], offset(0.1), actions=["", ""], missing=frozenset({"action"}))
    other = video("w", [4], offset(0.1), actions=[""], missing=frozenset({"action"}))
    material = gather([source("a", chunk, other)], Wanted())
    assert list(material.survey.baselines) == ["constant .5", "frame counting"]


def test_whole_videos_with_their_gaps_where_the_data_is_known() -> None:
    segments = (Segment(3, 6, "act_0"), Segment(10, 15, "act_1"))
    data = Dataset((Video("u", "tea", 20, segments),))
    base = source("a", *chunks(0.1, "u"))
    wanted = Wanted(videos=True, segments=False)
    known = gather([replace(base, data=data)], wanted).videos[0]
    assert (known.starts, known.num_frames, known.gaps_known) == ((3, 10), 20, True)
    unknown = gather([base], wanted).videos[0]
    assert (unknown.starts, unknown.num_frames, unknown.gaps_known) == ((0, 4), 10, False)
    # Data whose segments are others is not this video's.
    shorter = Dataset((Video("u", "tea", 20, (Segment(3, 5, "act_0"), segments[1])),))
    assert not gather([replace(base, data=shorter)], wanted).videos[0].gaps_known


def test_videos_are_chosen_by_their_frames_mean_error() -> None:
    # By hand: u (.1 * 4 + .2 * 6) / 10 = .16; v (.1 * 5 + .2 * 3) / 8 = .1375; w .1.
    material = gather([source("a", *chunks(0.1))], Wanted(number=3, videos=True))
    assert [view.segments[0].video for view in material.videos] == ["w", "v", "u"]
    assert [len(view.segments) for view in material.videos] == [1, 2, 2]


def test_frames_that_are_left_out_or_outside_are_counted_in_the_notices() -> None:
    chunk = video("v", [4], lambda t: np.array([np.nan, 0.2, 1.5, -0.1]))
    notices = gather([source("a", chunk)], Wanted()).notices
    assert any(n.startswith("a: 1 of 4 frames have no finite prediction") for n in notices)
    assert "a: 2 of 3 predictions are outside [0, 1]" in notices


def test_percentages_are_noticed() -> None:
    notices = gather([source("a", video("v", [40], lambda t: 100 * t))], Wanted()).notices
    assert any("if they are percentages, divide them by 100" in notice for notice in notices)
    notices = gather([source("a", *chunks(0.1))], Wanted()).notices
    assert not any("0 to 1" in notice for notice in notices)


def test_a_source_without_predictions_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="a has no predictions: no data"):
        gather([Source("a", "checkpoint", why_not="no data")], Wanted())
