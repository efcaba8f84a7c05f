"""How well the encoders that a sweep trained align the test videos."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from progfix import runs
from progfix.checkpoints import open_checkpoint
from progfix.data.dataset import Dataset
from progfix.evaluation import Estimate
from progfix.evaluation.alignment import align
from progfix.sources import Source
from progfix.sweeps.result import Score
from progfix.sweeps.tables import ALIGNMENT_COLUMNS

__all__ = ["alignment_of"]


def alignment_of(folders: Mapping[int, Path], data: Mapping[int, Dataset]) -> dict[str, Score]:
    """Measure the encoders of one cell.

    Args:
        folders: Run of each seed.
        data: All splits of each seed's data.

    Returns:
        By the names of `progfix.sweeps.tables.ALIGNMENT_COLUMNS`; the pooled value is the
        mean of the seeds, without an interval, since no metric is a sum over videos.

    Raises:
        InputError: If a checkpoint or the data cannot be read.
    """
    found = {
        seed: align(
            Source(folder.name, "run", checkpoint=open_checkpoint(folder / runs.BEST),
                   data=data[seed]),
            metrics=ALIGNMENT_COLUMNS,
        ).scores
        for seed, folder in folders.items()
    }  # fmt: skip
    scores = {}
    for name in ALIGNMENT_COLUMNS:
        by_seed = {seed: values[name].value for seed, values in found.items()}
        score = Score(Estimate(math.nan), by_seed)
        scores[name] = replace(score, pooled=Estimate(score.mean, count=len(by_seed)))
    return scores
