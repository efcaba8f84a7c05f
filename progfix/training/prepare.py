"""Everything that a run needs, opened and checked before its folder is created."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from progfix.checkpoints import Checkpoint, open_checkpoint
from progfix.data.dataset import Dataset
from progfix.data.feature_scan import validate_features
from progfix.data.open import open_dataset
from progfix.errors import InputError, Problem
from progfix.features import require_some_features
from progfix.frame_counting import fit_counting
from progfix.predict import require_fit
from progfix.training.devices import resolve_device
from progfix.training.embeddings import EmbeddingCache
from progfix.training.execution import check_precision, compile_encoder
from progfix.training.loop_state import LoopState
from progfix.training.models import new_model
from progfix.training.optimisers import build_optimisers
from progfix.training.processes import ALONE, Processes
from progfix.training.recipe import Recipe
from progfix.training.run_options import RunOptions
from progfix.training.setup import Setup
from progfix.training.state import read_training
from progfix.training.statistics import frame_statistics

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run whose input was checked.

    Attributes:
        options: What it was asked to do.
        setup: What the loop works on.
        data: All splits.
        durations: Durations in frames of the training segments by action.
        init: The checkpoint whose head is trained anew, or None.
    """

    options: RunOptions
    setup: Setup
    data: Dataset
    durations: Mapping[str, NDArray[np.int64]]
    init: Checkpoint | None

    def restore(self, path: Path) -> LoopState:
        """Take up the state in a `last.pt` and return where the loop stands."""
        saved = read_training(path)
        self.setup.model.head.load_state_dict(saved.head)
        if saved.encoder is not None and self.setup.model.encoder is not None:
            self.setup.model.encoder.load_state_dict(saved.encoder)
        self.setup.optimisers.load_state_dict(saved.optimisers)
        if self.setup.average is not None and saved.average is not None:
            self.setup.average.load_state_dict(saved.average)
        return saved.loop


def prepare(options: RunOptions, processes: Processes = ALONE) -> Prepared:
    """Open and check everything that a run needs; nothing is written.

    Args:
        options: What the run is asked to do.
        processes: Who works on it.

    Raises:
        InputError: If the data, the checkpoint or the device does not do, or a step has fewer
            groups than there are processes.
    """
    _check_share(options.recipe, processes)
    device = resolve_device(options.device, local_rank=processes.local_rank)
    precision = options.recipe.optimisation.precision
    check_precision(precision, device)
    init = None
    if options.init is not None:
        init = open_checkpoint(
            options.init, head_spec=options.head_spec, new_head=options.recipe.head
        )
    data = open_dataset(options.data)
    train, val = data.split("train"), data.split("val")
    if not val.durations():
        raise _no_segments(data, "val")
    counting, durations = fit_counting(data), train.durations()
    if counting is None:
        raise _no_segments(data, "train")
    trained = options.recipe.method.trains_encoder
    if trained:
        _check_groups(train)
    torch.manual_seed(options.seed)
    wide = torch.float64 if precision == "float64" else torch.float32
    model = new_model(options.recipe, data, init).to(device, wide)
    # The test split is predicted at the end: what is wrong with it is found before the work.
    require_some_features(data)
    videos = (*train.videos, *val.videos, *data.split("test").videos)
    require_fit(model, replace(data, videos=videos))
    validate_features(videos)
    if options.execution.compiled:
        compile_encoder(model.encoder if trained else None, device)
    embeddings = EmbeddingCache(
        model,
        trained=trained,
        budget=options.execution.cache_bytes,
        readers=options.execution.readers,
    )
    try:
        mean, deviation = frame_statistics(train.videos, embeddings)
    finally:
        embeddings.close()  # what is prepared need not be trained, as in a dry run
    model.head.fit_normalisation(mean, deviation)
    model.head.fit_prior(np.concatenate(list(durations.values())))
    decay = options.recipe.optimisation.average
    average = None
    if decay:
        average = AveragedModel(model.head, multi_avg_fn=get_ema_multi_avg_fn(decay))
    setup = Setup(
        model=model,
        recipe=options.recipe,
        train=train.videos,
        val=val.videos,
        embeddings=embeddings,
        counting=counting,
        optimisers=build_optimisers(model, options.recipe),
        seed=options.seed,
        deviation=deviation,
        average=average,
        processes=processes,
    )
    return Prepared(options, setup, data, durations, init)


def _check_share(recipe: Recipe, processes: Processes) -> None:
    """Check that every process has something to do."""
    groups = recipe.optimisation.groups_per_step
    if groups < processes.size:
        raise InputError(
            Problem(
                f"--groups-per-step {groups}",
                f"at least {processes.size}, a group for each process",
                str(groups),
                f"raise it, or start {groups} processes at most",
            )
        )


def _no_segments(data: Dataset, split: str) -> InputError:
    return InputError(
        Problem(
            data.origin,
            f"videos with action segments in the {split} split",
            f"none; its splits are {', '.join(data.splits) or 'unknown'}",
            "give the splits with --splits, or write them with `progfix data convert`",
        )
    )


def _check_groups(train: Dataset) -> None:
    """Check that there are videos to align with each other."""
    videos = Counter(video.task for video in train if video.segments)
    if max(videos.values()) < 2:
        raise InputError(
            Problem(
                train.origin,
                "at least two training videos of one task, to align with each other",
                "one of each",
                "train the head alone with --method none",
            )
        )
