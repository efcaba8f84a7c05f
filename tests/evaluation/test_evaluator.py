import dataclasses
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.errors import InputError
from progfix.evaluation import METRICS, Estimate, Evaluation, Evaluator
from progfix.frame_counting import FrameCounting
from progfix.predictions import Predictions
from tests.evaluation.oracle import expected_metrics
from tests.made_predictions import cut_by_video, made_predictions


def _evaluate(*chunks: Predictions, bootstrap: int = 0) -> Evaluation:
    evaluator = Evaluator()
    for chunk in chunks:
        evaluator.update(chunk)
    return evaluator.compute(bootstrap=bootstrap)


def _values(result: Evaluation) -> dict[str, float]:
    found = {name: value.value for name, value in result.metrics.items()}
    for baseline, metrics in result.baselines.items():
        found |= {f"{baseline}.{name}": value.value for name, value in metrics.items()}
    return found


def test_errors_by_hand() -> None:
    # Video x of task t: targets .5 and 1, predictions .5 and .5: errors 0 and .5.
    # Video y of task t: targets 1/3, 2/3, 1, predictions right but the first, off by .3.
    # Video z of task u: one frame, off by .2.
    evaluator = Evaluator()
    evaluator.add([0.5, 0.5], video="x", task="t")
    evaluator.add([1 / 3 + 0.3, 2 / 3, 1], video="y", task="t")
    evaluator.add([0.8], video="z", task="u")
    result = evaluator.compute()
    assert result["mae"].value == pytest.approx((0.5 + 0.3 + 0.2) / 6)
    assert result["mae"].count == 6
    assert result["rmse"].value == pytest.approx(np.sqrt((0.25 + 0.09 + 0.04) / 6))
    assert result["mae_video"].value == pytest.approx((0.25 + 0.1 + 0.2) / 3)
    assert result["mae_video"].count == 3
    assert result["rmse_video"].value == pytest.approx((np.sqrt(0.125) + np.sqrt(0.03) + 0.2) / 3)
    assert result["ogpe"].value == pytest.approx(((0.25 + 0.1) / 2 + 0.2) / 2)
    assert result["ogpe"].count == 2
    assert result["bias"].value == pytest.approx((-0.5 + 0.3 - 0.2) / 6)


def test_skills_by_hand() -> None:
    # Constant 0.5 on two segments of 2 frames: errors 0 and .5 each, MAE .25. The
    # predictions err by .1 everywhere: skill 1 - .1/.25 = .6.
    evaluator = Evaluator(counting=FrameCounting.fit({"": np.array([4])}, fitted_on="four"))
    evaluator.add([0.6, 0.9], video="x")
    evaluator.add([0.6, 0.9], video="y")
    result = evaluator.compute()
    assert result["skill_constant"].value == pytest.approx(0.6)
    # Counting on a duration of 4 answers 1/4 and 2/4: errors .25 and .5, MAE .375.
    assert result["skill_frame_counting"].value == pytest.approx(1 - 0.1 / 0.375)
    assert result.baselines["frame_counting"]["mae"].value == pytest.approx(0.375)
    assert result.fitted_on == "four"


def test_a_constant_is_undefined_in_rank_and_all_in_monotonicity() -> None:
    evaluator = Evaluator()
    evaluator.add([0.5] * 4, video="x")
    evaluator.add([0.1], video="y")
    evaluator.add([0.1, 0.3, 0.2], video="z")
    result = evaluator.compute()
    # Only z has a rank correlation: Spearman 1 - 6 * 2 / 24 = .5, tau (2 - 1) / 3.
    assert result["spearman"].value == pytest.approx(0.5)
    assert result["kendall"].value == pytest.approx(1 / 3)
    assert (result["spearman"].count, result["spearman"].undefined) == (1, 2)
    # 3 + 0 + 2 pairs, one of which falls, by .1.
    assert result["monotonicity"].value == pytest.approx(4 / 5)
    assert result["fall_size"].value == pytest.approx(0.1)
    assert result["fall_size"].count == 1


def test_first_and_last_frames_count_only_where_they_were_given() -> None:
    evaluator = Evaluator()
    evaluator.add([0.2] + [0.5] * 49 + [0.9], video="x")
    evaluator.add([0.4, 0.7], video="x")
    evaluator.add([0.6], video="y", elapsed=[2], duration=3)
    result = evaluator.compute()
    assert result["first_frame_median"].value == pytest.approx(0.3)
    assert (result["first_frame_median"].count, result["first_frame_median"].undefined) == (2, 1)
    assert result["last_frame_median"].value == pytest.approx(0.8)
    long = result["first_frame_median_40"]
    assert (long.value, long.count, long.undefined) == (0.2, 1, 0)


@given(st.integers(0, 10**6), st.sampled_from([None, 1, 2]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_agrees_with_the_oracle(seed: int, digits: int | None, gaps: bool) -> None:
    table = made_predictions(seed, digits=digits, gaps=gaps, max_duration=60)
    found = _values(_evaluate(table))
    for name, value in expected_metrics(table).items():
        assert found[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name


def test_the_oracle_knows_every_metric() -> None:
    known = set(expected_metrics(made_predictions()))
    assert set(METRICS) - known == {
        "coverage",
        "coverage_50",
        "coverage_95",
        "interval_width",
        "crps",
    }


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_merging_and_order_change_nothing(seed: int, random: Random) -> None:
    table = made_predictions(seed, digits=1)
    whole = Evaluator()
    whole.update(table)
    chunks = cut_by_video(table)
    random.shuffle(chunks)
    first, second = Evaluator(), Evaluator()
    for i, chunk in enumerate(chunks):
        (first if i % 2 else second).update(chunk)
    merged = first.merge(second).compute(bootstrap=20, by=("task", "action", "duration"))
    expected = whole.compute(bootstrap=20, by=("task", "action", "duration"))
    assert all(_same(merged[name], expected[name]) for name in METRICS)
    assert merged.groups.keys() == expected.groups.keys()
    for kind, groups in expected.groups.items():
        for group, metrics in groups.items():
            for name, value in metrics.items():
                assert _same(merged.groups[kind][group][name], value)
    for kind_ in ("positions", "values"):
        for part, other in zip(getattr(merged, kind_), getattr(expected, kind_), strict=True):
            assert _same(part.mae, other.mae)
            assert _same(part.bias, other.bias)


def _same(first: Estimate, second: Estimate) -> bool:
    a, b = dataclasses.astuple(first), dataclasses.astuple(second)
    return all(x == y or (x != x and y != y) for x, y in zip(a, b, strict=True))


def test_parts_of_the_buffer_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Videos are cut between segments as well, as they are by a loop that adds segments.
    table = made_predictions(2, videos=12)
    whole = _evaluate(table, bootstrap=10)
    monkeypatch.setattr("progfix.evaluation.evaluator._BUFFER", 50)
    monkeypatch.setattr("progfix.evaluation.measure._ROWS", 40)
    starts = [*table.segment_starts().tolist(), len(table)]
    cut = _evaluate(*(table.take(slice(a, b)) for a, b in pairwise(starts)), bootstrap=10)
    for name, value in _values(whole).items():
        assert _values(cut)[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    for kind in ("positions", "values"):
        for part, other in zip(getattr(cut, kind), getattr(whole, kind), strict=True):
            assert part.count == other.count
            assert part.mae.value == pytest.approx(other.mae.value, nan_ok=True)
            assert part.mae.low == pytest.approx(other.mae.low, nan_ok=True)


def test_a_segment_that_goes_on_counting_is_still_another_segment() -> None:
    # Frame 1 of one segment, then frame 2 of the next: two runs of frames, not one.
    evaluator = Evaluator()
    evaluator.add([0.5], video="x", elapsed=[1], duration=4)
    evaluator.add([0.5], video="x", elapsed=[2], duration=8)
    evaluator.add([0.5], video="y", elapsed=[1], duration=2)
    found = evaluator.compute().baselines["frame_counting"]["mae"].value
    # x is counted on a duration of 2: 1/2 and 2/2 for 1/4 and 2/8. y on 4 and 8: 1/6 for 1/2.
    assert found == pytest.approx((1 / 4 + 3 / 4 + 1 / 3) / 3)


def test_lists_arrays_and_tensors_are_taken() -> None:
    evaluator = Evaluator()
    evaluator.add([0.5, 0.5], video="list")
    evaluator.add(np.array([0.5, 0.5], dtype=np.float16), video="array")
    evaluator.add(torch.tensor([0.5, 0.5]), video="tensor")
    assert evaluator.compute()["mae"].value == pytest.approx(0.25)


def test_computing_twice_and_going_on() -> None:
    chunks = cut_by_video(made_predictions(3))
    evaluator = Evaluator()
    for chunk in chunks[:3]:
        evaluator.update(chunk)
    assert _same(evaluator.compute()["mae"], evaluator.compute()["mae"])
    for chunk in chunks[3:]:
        evaluator.update(chunk)
    assert _same(evaluator.compute()["mae"], _evaluate(*chunks)["mae"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_is_refused_by_video(bad: float) -> None:
    evaluator = Evaluator()
    with pytest.raises(InputError, match="video x: expected finite numbers, found"):
        evaluator.add([0.1, bad], video="x")


def test_a_segment_given_twice_is_refused() -> None:
    table = made_predictions()
    with pytest.raises(ValueError, match="was given more than once"):
        _evaluate(table, table)


def test_nothing_given_and_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        Evaluator().compute()
    with pytest.raises(ValueError, match="at least 1 bin"):
        Evaluator(bins=0)
    with pytest.raises(ValueError, match="same bins"):
        Evaluator(bins=5).merge(Evaluator())


def test_the_ends_of_two_videos_do_not_touch() -> None:
    # The same segment index in consecutive videos, and the same name in two tasks.
    evaluator = Evaluator()
    evaluator.add([0.9], video="x", task="t")
    evaluator.add([0.1], video="x", task="u")
    result = evaluator.compute()
    assert result["mae_video"].count == 2
    assert result["monotonicity"].count == 0


@pytest.mark.parametrize("by", ["task", ["tasks"], ["task", "position"]])
def test_unknown_breakdowns_are_an_error_of_the_caller(by: list[str]) -> None:
    evaluator = Evaluator()
    evaluator.add([0.5, 1.0], video="a")
    with pytest.raises(ValueError, match=r"expected a list of breakdowns out of .*task"):
        evaluator.compute(by=by)  # type: ignore[arg-type]
