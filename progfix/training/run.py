"""One training run from its options to its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from progfix import runs
from progfix.baselines import fit_counting
from progfix.checkpoints import Checkpoint, open_checkpoint
from progfix.checkpoints.gtcc import expressible
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.checkpoints.native import save_native
from progfix.checkpoints.provenance import Provenance
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.errors import InputError, Problem
from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.predict import check_fit, predict
from progfix.predictions_io import save_predictions
from progfix.training.devices import resolve_device
from progfix.training.embeddings import EmbeddingCache
from progfix.training.history import EpochRow, write_history
from progfix.training.interrupts import listen
from progfix.training.loop import Event, LoopState, Setup, run_epochs
from progfix.training.optimisers import build_optimisers
from progfix.training.recipe import Recipe
from progfix.training.run_options import RunOptions
from progfix.training.state import read_training, save_training
from progfix.training.statistics import frame_statistics

__all__ = ["RunResult", "resume_run", "start_run"]

_LOCK = ".lock"
Observer = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class RunResult:
    """How a run ended.

    Attributes:
        folder: Where everything is.
        finished: Whether the last epoch was completed.
        stopped_by: Number of the signal that stopped it, or None.
        history: A row per completed epoch.
    """

    folder: Path
    finished: bool
    stopped_by: int | None
    history: tuple[EpochRow, ...]


def start_run(options: RunOptions, observe: Observer) -> RunResult:
    """Train from the beginning, in a new folder.

    Everything that can be wrong with the input is found before the folder is created.

    Args:
        options: What to do.
        observe: Called after every step and epoch.

    Raises:
        InputError: If the data, the checkpoint, the device or the folder does not do.
        TrainingError: If the loss is no longer finite.
    """
    prepared = _prepare(options)
    folder = runs.new_run(options.folder, options.recipe.solution)
    runs.write_config(folder, options.to_config())
    return _train(folder, prepared, LoopState(), observe)


def resume_run(
    folder: Path, observe: Observer, *, epochs: int | None = None, device: str = "auto"
) -> RunResult:
    """Go on with a run that was stopped; on the same machine the result is the same.

    Args:
        folder: The run.
        observe: Called after every step and epoch.
        epochs: A new number of epochs, or None for the run's own.
        device: "auto", or a torch device.

    Raises:
        InputError: If the folder is no run, or its data is not there any more.
        TrainingError: If the loss is no longer finite.
    """
    config = runs.read_config(folder)
    options = RunOptions.from_config(config, str(folder / runs.CONFIG))
    if epochs is not None:
        optimisation = replace(options.recipe.optimisation, epochs=epochs)
        options = replace(options, recipe=replace(options.recipe, optimisation=optimisation))
    prepared = _prepare(replace(options, device=device))
    state = LoopState()
    if (folder / runs.LAST).exists():
        state = prepared.restore(folder / runs.LAST)
    return _train(folder, prepared, state, observe)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A run whose input was checked."""

    options: RunOptions
    setup: Setup
    data: Dataset
    durations: Mapping[str, NDArray[np.int64]]
    init: Checkpoint | None

    def restore(self, path: Path) -> LoopState:
        saved = read_training(path)
        self.setup.model.head.load_state_dict(saved.head)
        self.setup.optimisers.load_state_dict(saved.optimisers)
        if self.setup.average is not None and saved.average is not None:
            self.setup.average.load_state_dict(saved.average)
        return saved.loop


def _prepare(options: RunOptions) -> _Prepared:
    device = resolve_device(options.device)
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
    torch.manual_seed(options.seed)
    model = _model(options.recipe, data, init).to(device)
    for video in (*train.videos, *val.videos):
        check_fit(model, video)
    embeddings = EmbeddingCache(model)
    mean, deviation = frame_statistics(train.videos, embeddings)
    model.head.fit_normalisation(mean, deviation)
    model.head.fit_prior(np.concatenate(list(durations.values())))
    decay = options.recipe.optimisation.average
    average = None
    if decay:
        average = AveragedModel(model.head, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]
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
    )
    return _Prepared(options, setup, data, durations, init)


def _no_segments(data: Dataset, split: str) -> InputError:
    return InputError(
        Problem(
            data.origin,
            f"videos with action segments in the {split} split",
            f"none; its splits are {', '.join(data.splits) or 'unknown'}",
            "give the splits with --splits, or write them with `progfix data convert`",
        )
    )


def _model(recipe: Recipe, data: Dataset, init: Checkpoint | None) -> ProgressModel:
    if init is not None:
        encoder = init.model.encoder
        if encoder is not None:
            encoder.requires_grad_(requires_grad=False)
        return ProgressModel(encoder, build_head(recipe.head, init.model.head.width))
    shape = data.feature_shape
    if shape is None or len(shape) != 1:
        found = "annotations without features" if shape is None else f"frame maps {shape}"
        raise InputError(
            Problem(
                data.origin,
                "one feature vector per frame to train a head on",
                found,
                "name the folder with the .npy features with --feature-dir, make features with "
                "`progfix data make --annotations`, or pass --init with an encoder",
            )
        )
    return ProgressModel(None, build_head(recipe.head, shape[0]))


def _saver(folder: Path, prepared: _Prepared, state: LoopState) -> Callable[[bool], None]:
    """Return what saves the run: the best checkpoint first, so that none is ever missing."""

    def save(best: bool) -> None:
        if best:
            _save_best(folder / runs.BEST, prepared, state.history[-1])
        save_training(folder / runs.LAST, prepared.setup, state)
        write_history(folder / runs.HISTORY, state.history)

    return save


def _save_best(path: Path, prepared: _Prepared, row: EpochRow) -> None:
    """Write the checkpoint: in the layout of the one it repairs, where that can hold it."""
    setup, init = prepared.setup, prepared.init
    provenance = Provenance(
        recipe=setup.recipe,
        durations=prepared.durations,
        data=prepared.options.data.changed(),
        metrics={"val_mae": row.val_mae, "train_loss": row.train_loss},
    )
    if init is not None and init.kind == "gtcc" and expressible(setup.recipe.head) is None:
        write_gtcc(
            init,
            setup.judged.state_dict(),
            setup.recipe.head,
            path,
            adam=setup.optimisers.head_state(setup.model.head),
            provenance=provenance,
        )
        return
    save_native(
        path,
        model=ProgressModel(setup.model.encoder, setup.judged),
        provenance=provenance,
        epoch=row.epoch - 1,
        moments=setup.optimisers.moments(setup.model),
    )


def _write_predictions(folder: Path, prepared: _Prepared) -> None:
    """Write the best checkpoint's predictions of the test split, where there is one."""
    test = prepared.data.split("test")
    if test.durations():
        model = open_checkpoint(folder / runs.BEST).model
        chunks = predict(model.to(prepared.setup.model.device), test)
        save_predictions(folder / runs.PREDICTIONS, chunks)


def _train(folder: Path, prepared: _Prepared, state: LoopState, observe: Observer) -> RunResult:
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            Problem(
                str(folder),
                "a run that no other process works on",
                "one that is being trained right now",
                "wait for it, or start a new run with --out",
            )
        ) from error
    with lock, listen() as stop:
        save = _saver(folder, prepared, state)
        if not state.history and not state.step:
            save(False)
        finished = run_epochs(prepared.setup, state, save=save, observe=observe, stop=stop)
        if finished:
            _write_predictions(folder, prepared)
    return RunResult(folder, finished, stop.signal, tuple(state.history))
