"""A sweep's numbers against loops over frames, videos and resamples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from progfix.data.open import open_dataset
from progfix.frame_counting import fit_counting
from progfix.predictions import Predictions
from progfix.sweeps.plan import Plan
from progfix.sweeps.statistics import RESAMPLES, evaluate_sweep
from tests.sweeps.made import made_plan, predict

ERRORS = {"good": 0.02, "fair": 0.05, "poor": 0.2}

Videos = dict[tuple[str, str], list[NDArray[np.float64]]]
"""Errors of frames by video: two columns, of the cell and of what it is compared with."""


def predicted(plan: Plan, folder: Path) -> dict[tuple[str, int], Predictions]:
    return {
        (run.cell, run.seed): predict(run, folder, error=ERRORS[run.cell], spread=0.05)
        for run in plan.runs
    }


def by_video(tables: list[tuple[Predictions, NDArray[np.float64]]]) -> Videos:
    """Group |error| of predictions, and of other answers to the same frames, by video."""
    found: Videos = {}
    for table, other in tables:
        names = zip(table.task.decode(), table.video.decode(), strict=True)
        errors = np.stack([abs(table.prediction - table.target), abs(other - table.target)], 1)
        for key, row in zip(names, errors, strict=True):
            found.setdefault(key, []).append(row)
    return found


def looped(videos: Videos) -> tuple[float, float, float]:
    """Pooled difference and its percentile interval, resampling videos one by one."""

    keys = sorted(videos)
    total = {key: np.sum(rows, axis=0) for key, rows in videos.items()}

    def difference(drawn: list[tuple[str, str]]) -> float:
        own, other = sum(total[key][0] for key in drawn), sum(total[key][1] for key in drawn)
        return float((own - other) / sum(len(videos[key]) for key in drawn))

    draws = np.random.default_rng(0).integers(len(keys), size=(RESAMPLES, len(keys)))
    values = [difference([keys[i] for i in row]) for row in draws.tolist()]
    low, high = np.quantile(values, [0.025, 0.975])
    return difference(keys), float(low), float(high)


@pytest.mark.parametrize("fresh", [False, True])
def test_differences_are_those_of_a_loop(tmp_path: Path, fresh: bool) -> None:
    plan = made_plan("fair", "good", fresh_splits=fresh)
    tables = predicted(plan, tmp_path)
    result = evaluate_sweep(plan, tmp_path, failed={})
    pairs = [(tables["good", seed], tables["fair", seed].prediction) for seed in plan.seeds]
    value, low, high = looped(by_video(pairs))
    found = result.difference("good", "fair")
    assert (found.mae.value, found.mae.low, found.mae.high) == pytest.approx((value, low, high))
    assert found.seeds == 3
    assert found.certain is (high < 0)
    turned = result.difference("fair", "good").mae
    assert (turned.value, turned.low, turned.high) == pytest.approx((-value, -high, -low))


@pytest.mark.parametrize("fresh", [False, True])
def test_counting_is_fitted_on_the_split_of_each_seed(tmp_path: Path, fresh: bool) -> None:
    plan = made_plan("fair", fresh_splits=fresh)
    tables = predicted(plan, tmp_path)
    result = evaluate_sweep(plan, tmp_path, failed={})
    pairs = []
    for run in plan.runs:
        counting = fit_counting(open_dataset(run.data))
        assert counting is not None
        table = tables["fair", run.seed]
        pairs.append((table, counting.predict(table)))
    value, low, high = looped(by_video(pairs))
    found = result.difference("fair", "frame_counting").mae
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high))
    counted = next(c for c in result.cells if c.name == "frame_counting")
    errors = np.concatenate([abs(other - t.target) for t, other in pairs])
    assert counted.mae == pytest.approx(errors.mean())
    for (table, other), seed in zip(pairs, plan.seeds, strict=True):
        expected = abs(other - table.target).mean()
        assert counted.scores["mae"].by_seed[seed] == pytest.approx(expected)


def test_cells_are_ranked_with_the_mean_and_spread_of_their_seeds(tmp_path: Path) -> None:
    plan = made_plan("poor", "good", "fair")
    tables = predicted(plan, tmp_path)
    result = evaluate_sweep(plan, tmp_path, failed={})
    assert [c.name for c in result.trained] == ["good", "fair", "poor"]
    ranked = [c.mae for c in result.cells]
    assert ranked == sorted(ranked)
    assert sum(c.is_baseline for c in result.cells) == 3
    for cell in result.trained:
        own = [tables[cell.name, seed] for seed in plan.seeds]
        errors = [abs(t.prediction - t.target).mean() for t in own]
        score = cell.scores["mae"]
        assert list(score.by_seed.values()) == pytest.approx(errors)
        assert score.mean == pytest.approx(np.mean(errors))
        assert score.std == pytest.approx(np.std(errors, ddof=1))
        # All seeds have the same frames, so that pooling them is taking their mean.
        assert score.pooled.value == pytest.approx(np.mean(errors))
        first = np.concatenate([t.prediction[t.elapsed == 1] for t in own])
        assert cell.scores["first_frame_median"].pooled.value == pytest.approx(np.median(first))


def test_cells_are_compared_on_the_seeds_that_both_have(tmp_path: Path) -> None:
    plan = made_plan("fair", "good")
    tables = predicted(plan, tmp_path)
    (tmp_path / "good-seed1" / "predictions.h5").unlink()
    result = evaluate_sweep(plan, tmp_path, failed={"good-seed1": "the loss exploded"})
    good = result.trained[0]
    assert (good.name, set(good.runs), good.failed) == ("good", {0, 2}, {1: "the loss exploded"})
    assert result.failed == [("good", 1, "the loss exploded")]
    found = result.difference("good", "fair")
    pairs = [(tables["good", seed], tables["fair", seed].prediction) for seed in (0, 2)]
    assert found.seeds == 2
    assert found.mae.value == pytest.approx(looped(by_video(pairs))[0])


def test_a_cell_without_any_run_is_last_and_in_no_difference(tmp_path: Path) -> None:
    plan = made_plan("fair", "good", seeds=(0,))
    predict(plan.runs[0], tmp_path, error=0.1)
    result = evaluate_sweep(plan, tmp_path, failed={"good-seed0": "no"})
    assert [c.name for c in result.trained] == ["fair"]
    assert result.cells[-1].name == "good"
    assert {d.name for d in result.differences} == {"fair"}
    with pytest.raises(KeyError):
        result.difference("good", "fair")
    with pytest.raises(ValueError, match="at least one finished run"):
        evaluate_sweep(plan, tmp_path / "elsewhere", failed={})


def test_a_video_is_one_video_however_many_seeds_test_it(tmp_path: Path) -> None:
    plan = made_plan("fair", seeds=tuple(range(6)), fresh_splits=True)
    predicted(plan, tmp_path)
    result = evaluate_sweep(plan, tmp_path, failed={})
    tested = {
        (video.task, video.name)
        for run in plan.runs
        for video in open_dataset(run.data).split("test")
    }
    assert len(tested) > 4  # more than one split's test videos
    assert result.difference("fair", "constant").videos == len(tested)


def test_comparing_needs_no_torch(tmp_path: Path) -> None:
    plan = made_plan("fair", seeds=(0,))
    predicted(plan, tmp_path)
    code = f"""
import sys
from pathlib import Path
from progfix.sweeps.statistics import evaluate_sweep
from progfix.sweeps.contract import read_sweep, write_sweep
from progfix.sweeps.report import write_report
from tests.sweeps.made import made_plan
plan = made_plan("fair", seeds=(0,))
folder = Path({str(tmp_path)!r})
write_report(folder, plan, evaluate_sweep(plan, folder, failed={{}}))
assert read_sweep(folder)[1] is not None
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {"sweep.json", "sweep.md", "sweep.csv", "sweep.png"}
