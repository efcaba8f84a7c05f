"""Sweeps whose runs are predictions alone, made up in a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from progfix.baselines import action_frames
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.predictions import Predictions
from progfix.predictions_io import save_predictions
from progfix.sweeps.plan import Plan, PlannedRun
from progfix.sweeps.statistics import finished
from progfix.training.recipe import SEED_RECIPE
from progfix.training.run_options import RunOptions

__all__ = ["SMALL", "made_plan", "predict"]

SMALL = DataOptions(path="procedures/1:tasks=2,videos=12,dim=4")


def made_plan(*cells: str, seeds: tuple[int, ...] = (0, 1, 2), fresh_splits: bool = False) -> Plan:
    """A plan on the built-in data; the recipes do not matter."""
    runs = []
    for seed in seeds:
        data = replace(SMALL, resplit=seed) if fresh_splits else SMALL
        config = RunOptions(SEED_RECIPE, data, seed=seed).to_config()
        runs += [PlannedRun(f"{c}-seed{seed}", c, seed, config) for c in cells]
    return Plan(cells, seeds, fresh_splits, tuple(runs))


def predict(run: PlannedRun, folder: Path, *, error: float, spread: float = 0.0) -> Predictions:
    """Write predictions that err by `error` on average, more on some videos than on others.

    Args:
        run: The run.
        folder: The sweep's.
        error: Mean absolute error, roughly.
        spread: Standard deviation of the error between videos and seeds.
    """
    chunks = []
    for number, video in enumerate(open_dataset(run.data).split("test")):
        random = np.random.default_rng([run.seed, number, len(run.cell)])
        frames = action_frames(video)
        off = error + spread * random.standard_normal()
        noise = random.normal(0.0, 0.05, len(frames))
        chunks.append(frames.with_prediction(np.clip(frames.target + off + noise, 0.0, 1.0)))
    save_predictions(folder / run.name / "predictions.h5", chunks)
    assert finished(folder, run)
    return Predictions.concat(chunks)
