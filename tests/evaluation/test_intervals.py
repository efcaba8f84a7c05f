"""Intervals of groups: each from the same draws of videos, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from progfix.evaluation import Evaluation, Evaluator
from progfix.metrics import bootstrap
from progfix.metrics.bootstrap import percentile_interval, resample_weights

VIDEOS = 7
SEGMENTS = 6


def evaluated() -> Evaluation:
    """Actions a and b in every video, an action of its own in each."""
    rng = np.random.default_rng(0)
    evaluator = Evaluator()
    for video in range(VIDEOS):
        for action in ["a", "b", f"only {video}"] * (SEGMENTS // 3):
            evaluator.add(rng.random(rng.integers(3, 9)), video=f"v{video}", action=action)
    return evaluator.compute(bootstrap=200, seed=3, by=("action",))


def test_a_group_has_the_interval_of_its_errors_under_the_same_draws() -> None:
    found = evaluated()
    sums = found.sums
    mine = sums.index("action") == sums.actions.index("b")
    absolute, frames = (
        np.bincount(sums.index("video")[mine], sums.column(name)[mine], minlength=VIDEOS)
        for name in ("absolute", "frames")
    )
    weights = np.concatenate(list(resample_weights(VIDEOS, 200, 3)))
    low, high = percentile_interval(((weights @ absolute) / (weights @ frames))[:, None])
    mae = found.groups["action"]["b"]["mae"]
    assert (mae.low, mae.high) == pytest.approx((low[0], high[0]), abs=1e-12)


def test_a_group_in_one_video_has_no_interval_that_would_claim_certainty() -> None:
    groups = evaluated().groups["action"]
    alone = groups["only 3"]["mae"]
    assert alone.value > 0
    assert np.isnan([alone.low, alone.high]).all()
    assert groups["a"]["mae"].low < groups["a"]["mae"].high


def test_the_size_of_blocks_does_not_change_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = evaluated().groups["action"]["a"]
    monkeypatch.setattr(bootstrap, "_CELLS", 40)
    in_blocks = evaluated().groups["action"]["a"]
    for name, expected in at_once.items():
        assert in_blocks[name].low == pytest.approx(expected.low, abs=1e-12, nan_ok=True), name
        assert in_blocks[name].high == pytest.approx(expected.high, abs=1e-12, nan_ok=True), name
