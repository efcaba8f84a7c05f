"""The built-in data: pinned, because figures are measured on it."""

from __future__ import annotations

import math
import pickle
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.baselines import Baseline, baseline_predictions
from progfix.data.appearance import Appearance, SyntheticFeatures, looks_of, stream
from progfix.data.dataset import Dataset, Segment, Video
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.data.synthetic import (
    Procedures,
    parse_procedures,
    procedures,
    with_synthetic_features,
)
from progfix.errors import InputError
from progfix.frame_counting import FrameCounting


def built_in(name: str = "procedures/1") -> Dataset:
    return open_dataset(DataOptions(path=name))


def error_of(name: Baseline, data: Dataset) -> float:
    counting = FrameCounting.fit(data.split("train").durations())
    tables = baseline_predictions(name, data.split("test"), counting)
    return float(np.concatenate([np.abs(t.prediction - t.target) for t in tables]).mean())


def test_sizes() -> None:
    data = built_in()
    assert {name: len(data.split(name)) for name in data.splits} == {
        "train": 64,
        "val": 16,
        "test": 16,
    }
    assert len(data.tasks) == 4
    assert {len([v for v in data.split("val") if v.task == t]) for t in data.tasks} == {4}
    assert len(data.durations()) == 32
    assert (data.feature_shape, {v.fps for v in data}) == ((128,), {4.0})
    assert data.description == "procedures/1, 4 tasks, 96 videos, features 128-d at 4 fps"


def test_baselines_are_where_the_design_has_them() -> None:
    # Design: constant .250, counting .156, per action .107. With only 16 test videos the
    # last digits are this draw's; over 8 seeds counting spans .142 to .166.
    data = built_in()
    assert error_of("constant", data) == pytest.approx(0.2500, abs=0.0005)
    assert error_of("frame-counting", data) == pytest.approx(0.1566, abs=0.0005)
    assert error_of("frame-counting-per-action", data) == pytest.approx(0.1119, abs=0.0005)


def test_the_draw_is_pinned() -> None:
    # Any change here is another version of the data, not a new expected value.
    video = built_in().videos[0]
    assert video.num_frames == 500
    assert [(s.start, s.end, s.action) for s in video.segments[:3]] == [
        (15, 28, "p1-b"),
        (48, 79, "p1-c"),
        (93, 162, "p1-d"),
    ]
    features = video.read()
    assert features.dtype == np.float32
    assert features[0, :3] == pytest.approx([-0.04073424, -0.47581452, -0.90702891], abs=1e-5)
    assert float(features.astype(np.float64).sum()) == pytest.approx(-1467.9380, abs=1e-2)


def test_generated_in_about_a_second() -> None:
    start = time.process_time()
    frames = sum(len(video.read()) for video in built_in("procedures/1:seed=77"))
    assert frames > 50_000
    assert time.process_time() - start < 3.0


def test_durations_follow_their_distribution() -> None:
    data = built_in("procedures/1:videos=200")
    logs = [np.log(d) for d in data.durations().values()]
    medians = np.array([np.exp(np.median(values)) for values in logs])
    # Log-uniform in 20 to 160 frames, so every sixth below 28.3; sigma 0.35 around it.
    assert 18 < medians.min() < 40
    assert 90 < medians.max() < 175
    assert np.mean([values.std() for values in logs]) == pytest.approx(0.35, abs=0.02)


def test_order_has_local_swaps_and_omissions_and_gaps() -> None:
    data = built_in("procedures/1:videos=400,tasks=1")
    orders = [[s.action for s in video.segments] for video in data]
    assert np.mean([len(order) for order in orders]) == pytest.approx(7.2, abs=0.1)
    swapped = np.mean([order != sorted(order) for order in orders])
    assert 0.3 < swapped < 0.8
    gaps = [b.start - a.end - 1 for v in data for a, b in pairwise(v.segments)]
    assert (min(gaps), max(gaps)) == (4, 24)
    assert all(v.segments[-1].end < v.num_frames - 1 for v in data)


def test_parts_have_the_norms_that_are_documented() -> None:
    spec = Procedures(noise=0.0)
    data = procedures(spec)
    looks = looks_of(tuple(f"p1-{letter}" for letter in "abcdefgh"), spec.appearance)
    norms = [np.linalg.norm(look.prototype) for look in looks.values()]
    assert np.mean(norms) == pytest.approx(3.0, abs=0.15)
    visible = [look.period is None for name, look in looks.items() if name]
    assert sum(visible) == 6
    features = data.videos[0].features
    assert isinstance(features, SyntheticFeatures)
    noisy = replace(features, appearance=Appearance())
    noise = noisy.read() - data.videos[0].read()
    assert np.linalg.norm(noise, axis=1).mean() == pytest.approx(2.0, abs=0.02)
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.02


def test_a_visible_action_moves_along_its_curve_and_a_repetitive_one_circles() -> None:
    looks = looks_of(("a", "b", "c", "d"), Appearance())
    still = next(look for look in looks.values() if look.period is not None)
    moving = looks["a"] if looks["a"].period is None else looks["b"]
    path = moving.phase(50, 0.3)
    assert path[-1] == pytest.approx(3.0 * moving.along, abs=1e-9)  # sin(pi) = 0
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 0.3
    assert (np.diff(path @ moving.along) > 0).all()
    circle = still.phase(50, 0.3)
    assert np.linalg.norm(circle, axis=1) == pytest.approx(np.full(50, 3.0))
    assert still.period is not None
    assert 8 <= still.period <= 24


def test_what_differs_between_videos_is_one_constant() -> None:
    segments = (Segment(0, 9, "a"),)
    one, other = (
        SyntheticFeatures(name, 10, segments, ("a",), Appearance(noise=0.0, visible=1.0)).read()
        for name in ("x", "y")
    )
    difference = one - other
    assert np.ptp(difference, axis=0).max() < 1e-5
    assert np.linalg.norm(difference[0]) == pytest.approx(1.5 * math.sqrt(2), abs=0.4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 95), st.integers(0, 200), st.integers(0, 200))
def test_any_range_of_frames_is_a_slice_of_the_video(row: int, start: int, size: int) -> None:
    video = built_in().videos[row]
    expected = video.read()[start : start + size]
    assert np.array_equal(pickle.loads(pickle.dumps(video)).read(start, start + size), expected)  # noqa: S301


def test_a_reader_cannot_spoil_what_the_next_one_gets() -> None:
    video = built_in().videos[0]
    video.read()[:] = 0
    assert video.read().any()


def test_options_change_what_they_say() -> None:
    spec = parse_procedures(
        "procedures/1:seed=3,visible=0.5,noise=1.5,fps=8,tasks=2,videos=6,dim=16"
    )
    assert spec == Procedures(3, 2, 6, 8.0, 16, 1.5, 0.5)
    assert parse_procedures(spec.name) == spec
    assert Procedures().name == "procedures/1"
    data = built_in(spec.name)
    assert (len(data), data.feature_shape, data.origin) == (12, (16,), spec.name)
    slow = built_in("procedures/1:fps=2")
    assert np.mean([v.num_frames for v in slow]) == pytest.approx(
        np.mean([v.num_frames for v in built_in()]) / 2, rel=0.02
    )
    assert built_in("procedures/1:seed=1").videos[0].segments != built_in().videos[0].segments


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("procedures/1:sed=1", "'sed'"),
        ("procedures/1:seed=1.5", "'1.5'"),
        ("procedures/1:seed=-1", "'-1'"),
        ("procedures/1:visible=1.2", "'1.2'"),
        ("procedures/1:noise=nan", "'nan'"),
        ("procedures/1:videos=2", "'2'"),
        ("procedures/1:dim", "''"),
        ("procedures/2", "no such file"),
    ],
)
def test_wrong_options_are_named(name: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        built_in(name)


def test_all_wrong_options_at_once() -> None:
    with pytest.raises(InputError) as caught:
        built_in("procedures/1:sed=1,visible=7,dim=0")
    assert len(caught.value.problems) == 3


def test_real_annotations_get_features() -> None:
    segments = (Segment(2, 5, "cut"), Segment(5, 9, "stir"))
    plain = [Video("v", "t", 12, segments, None, "train", 2.0)]
    (video,) = with_synthetic_features(plain, Appearance(dim=8))
    (same,) = with_synthetic_features(plain, Appearance(dim=8))
    (other,) = with_synthetic_features(plain, Appearance(seed=1, dim=8))
    assert (video.num_frames, video.segments, video.split) == (12, segments, "train")
    assert video.source == "v, synthetic features"
    assert video.read().shape == (12, 8)
    assert np.array_equal(video.read(), same.read())
    assert not np.array_equal(video.read(), other.read())


def test_streams_differ_by_seed_and_name_and_are_pinned() -> None:
    assert stream(0, "a").random() != stream(0, "b").random()
    assert stream(0, "a").random() != stream(1, "a").random()
    assert stream(0, "a", "b").random() != stream(0, "ab").random()
