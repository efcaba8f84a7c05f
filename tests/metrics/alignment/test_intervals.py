"""Resampled alignment metrics against videos that really stand in the sample several times."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from progfix.metrics.alignment.intervals import mean_interval
from progfix.metrics.alignment.measure import alignment_scores
from progfix.metrics.alignment.variants import Variant
from progfix.metrics.alignment.videos import Score, mean_over_pairs, mean_over_videos
from progfix.metrics.bootstrap import resample_weights
from tests.metrics.alignment.made import random_videos

ALL_BUT_R2 = {
    "kendalls_tau", "wild_tau", "eae", "ap_5", "ap_10", "ap_15", "video_ogpe",
    "phase_classification_10", "phase_classification_50", "phase_classification_100",
}  # fmt: skip


def test_each_video_once_is_the_metric_itself() -> None:
    scores = alignment_scores(random_videos(1, 6), random_videos(2, 5))
    once = np.ones((1, 5))
    assert {name for name, score in scores.items() if score.parts is not None} == ALL_BUT_R2
    for name in ALL_BUT_R2:
        parts = scores[name].parts
        assert parts is not None
        assert parts.value(once)[0] == pytest.approx(scores[name].value, abs=1e-12), name


def test_a_mean_of_what_was_fitted_on_has_no_parts() -> None:
    variants: tuple[Variant, ...] = ("lav", "gtcc")
    for variant in variants:
        scores = alignment_scores([], random_videos(2, 5), variant=variant)
        assert scores["phase_classification_100"].parts is None


def test_pairs_by_hand() -> None:
    # a drawn twice, b once: pairs a-b and b-a twice each, and no a-a. (2 * .2 + 2 * .6) / 4.
    parts = mean_over_pairs(np.array([[9.0, 0.2, 0.7], [0.6, 9.0, np.nan], [0.5, 0.5, 9.0]])).parts
    assert parts is not None
    weights = np.array([[2.0, 1, 0], [1, 1, 1], [0, 3, 0], [0, 1, 1]])
    # All once: a-b, a-c, b-a, c-a, c-b. b alone: no pair. b and c: only c-b is defined.
    expected = [0.4, (0.2 + 0.7 + 0.6 + 0.5 + 0.5) / 5, np.nan, 0.5]
    assert parts.value(weights) == pytest.approx(expected, nan_ok=True)


def test_intervals_equal_a_loop_over_resamples() -> None:
    rng = np.random.default_rng(0)
    sizes, resamples = (4, 1, 3), 200
    pairs = [rng.normal(size=(size, size)) for size in sizes]
    pairs[0][1, 2] = np.nan
    singles = [rng.normal(size=size) for size in sizes]
    of_pairs: list[float] = []
    of_videos: list[float] = []
    for weights in np.concatenate(list(resample_weights(sum(sizes), resamples, 7))):
        by_task: tuple[list[float], list[float]] = ([], [])
        for task, (start, size) in enumerate(zip((0, 4, 5), sizes, strict=True)):
            times = weights[start : start + size].astype(int)
            drawn = np.repeat(np.arange(size), times)
            values = [pairs[task][i, j] for i, j in itertools.product(drawn, drawn) if i != j]
            defined = [value for value in values if not np.isnan(value)]
            if defined:
                by_task[0].append(float(np.mean(defined)))
            if len(drawn):
                by_task[1].append(float(np.mean(singles[task][drawn])))
        of_pairs.append(float(np.mean(by_task[0])) if by_task[0] else np.nan)
        of_videos.append(float(np.mean(by_task[1])))
    for scores, values in (
        ([mean_over_pairs(task) for task in pairs], of_pairs),
        ([mean_over_videos(task) for task in singles], of_videos),
    ):
        expected = np.nanquantile(values, [0.025, 0.975])
        assert mean_interval(scores, sizes, resamples, 7) == pytest.approx(expected)


def test_no_interval_without_resamples_a_second_video_or_parts() -> None:
    one = mean_over_videos([0.5])
    assert np.isnan(mean_interval([one], [1], 100, 0)).all()
    assert np.isnan(mean_interval([mean_over_videos([0.5, 0.6])], [2], 0, 0)).all()
    assert np.isnan(mean_interval([Score(0.5, 2, 0)], [2], 100, 0)).all()
    two = mean_over_videos([0.5, 0.6])
    assert not np.isnan(mean_interval([two, Score(np.nan, 0, 3)], [2, 3], 100, 0)).any()
