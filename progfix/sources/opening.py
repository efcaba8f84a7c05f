"""From what a user names to a source."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from progfix import runs
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem, listed
from progfix.frame_counting import fit_counting
from progfix.hdf5_access.inspection import visit_early
from progfix.predict_processes import begin_early, predict_in_processes
from progfix.predictions_io import FORMATS, passed_over, read_predictions
from progfix.sources.baseline import PREFIX, evaluated, known_baselines, open_baseline
from progfix.sources.source import Source, SourceOptions

if TYPE_CHECKING:
    from progfix.model import ProgressModel

__all__ = ["is_itself", "open_source", "with_model"]

_DEFAULTS = SourceOptions()

_NAME_IT = ": name it with --data PATH"


def is_itself(text: str) -> bool:
    """Whether a source is what it is beside `--model`, too, and nothing to call that with."""
    return (
        text.startswith(PREFIX) or Path(text).suffix.lower() in FORMATS or runs.is_run(Path(text))
    )


def open_source(
    text: str | Path | None, options: SourceOptions = _DEFAULTS, *, data: Dataset | None = None
) -> Source:
    """Open one source.

    Args:
        text: A path, a `baseline:NAME`, or None for `options.model`, or else the newest run.
            With `options.model`, what is no baseline, run or predictions file is what that
            is called with.
        options: How to open it.
        data: All splits of the data to use where neither the options nor the source say.

    Raises:
        InputError: If there is no such source, or its file cannot be read.

    Example:
        >>> source = open_source("predictions.csv")  # doctest: +SKIP
    """
    text = None if text is None else str(text)
    if options.model is not None and (text is None or not is_itself(text)):
        return _from_module(text, options)
    if text is None:
        newest = runs.newest_run()
        if newest is None:
            raise InputError(
                Problem(
                    "SOURCE",
                    "a checkpoint, a run, a predictions file or a baseline",
                    f"none named, and no run under {runs.RUNS}/",
                    "name one, or make one with `progfix train`",
                )
            )
        text = str(newest)
    if text.startswith(PREFIX):
        return open_baseline(text.removeprefix(PREFIX), options, data)
    path = Path(text)
    if not path.exists():
        named = text.rpartition(":")[2]
        known = [PREFIX + name for name in known_baselines()]
        fix = f"did you mean {PREFIX}{named}?" if PREFIX + named in known else "check the path"
        expected = "a checkpoint, a run folder, a predictions file or a baseline"
        raise InputError(Problem(text, expected, "no such file", fix))
    if path.is_file() and path.suffix.lower() in FORMATS:
        return _from_file(path, options)
    return _from_checkpoint(path, options)


def _from_file(path: Path, options: SourceOptions) -> Source:
    data = None if options.data.path is None else open_dataset(options.data)
    return Source(
        label=path.stem,
        kind="predictions",
        path=path,
        chunks=partial(read_predictions, path),
        counting=None if data is None else fit_counting(data, options.fit_on),
        data=data,
        notices=_ambiguous(path),
    )


def _ambiguous(path: Path) -> tuple[str, ...]:
    """Say which of several columns a file's predictions are read from."""
    try:
        doubt = passed_over(path)
    except InputError:  # it is raised where the predictions are read
        return ()
    return () if doubt is None else (doubt,)


def _from_checkpoint(path: Path, options: SourceOptions) -> Source:
    if options.data.path is not None:
        visit_early(Path(options.data.path).expanduser())  # while PyTorch is imported
    if options.jobs > 1:
        begin_early()
    from progfix.checkpoints import open_checkpoint

    try:
        checkpoint = open_checkpoint(path, head_spec=options.head_spec)
    except InputError as error:
        if path.is_dir():
            raise _several(error, path) from error
        if path.suffix.lower() in runs.CHECKPOINT_SUFFIXES:
            raise
        raise _neither(error.problems[0], path) from error
    source = Source(
        label=path.name if path.is_dir() else path.stem,
        kind="run" if path.is_dir() else "checkpoint",
        path=path,
        checkpoint=checkpoint,
        why_not=f"the checkpoint does not say what data it was trained on{_NAME_IT}",
        notices=_unfinished(path) if path.is_dir() else (),
    )
    recorded = None
    if checkpoint.data:
        recorded = DataOptions.from_json(checkpoint.data, where=f"{checkpoint.path}: data")
    if options.data.path is not None:
        data = open_dataset(options.data)
        learnt_from = None if recorded is None else _train_split(recorded, options.data, data)
        seen = _seen(source.label, learnt_from, evaluated(data, options.split))
        source = replace(source, notices=(*source.notices, *seen))
        return with_model(source, checkpoint.model, data, options)
    if recorded is None:
        return source
    try:
        data = open_dataset(recorded)
    except InputError as error:
        # Data that has moved leaves what the file alone allows.
        first = error.problems[0]
        moved = f"the data it was trained on cannot be opened ({first.where}: {first.found})"
        return replace(source, why_not=f"{moved}{_NAME_IT}")
    seen = _seen(source.label, data.split("train"), evaluated(data, options.split))
    source = replace(source, notices=(*source.notices, *seen))
    return with_model(source, checkpoint.model, data, options)


def _train_split(recorded: DataOptions, given: DataOptions, data: Dataset) -> Dataset | None:
    """Return what a checkpoint was trained on, where that is the data it is judged on.

    Of other data nothing is said: names that are the same need not be the same videos.
    """
    recorded, given = recorded.resolved(), given.resolved()
    if recorded == given:
        return data.split("train")
    if recorded.path != given.path:
        return None
    try:
        return open_dataset(recorded).split("train")
    except InputError:  # such as splits that are gone
        return None


def _seen(label: str, learnt_from: Dataset | None, judged: Dataset) -> tuple[str, ...]:
    """Say how many of the videos that a model is judged on it was trained on."""
    if learnt_from is None:
        return ()
    names = {(video.task, video.name) for video in learnt_from}
    with_segments = [video for video in judged if video.segments]
    known = sum((video.task, video.name) in names for video in with_segments)
    if not known:
        return ()
    which = "all" if known == len(with_segments) else f"{known:,}"
    return (
        f"{label}: {which} of these {len(with_segments):,} videos are of those it was trained on, "
        "so that its errors say little about new ones (the test split of its own data is new)",
    )


def _several(error: InputError, folder: Path) -> InputError:
    """Say what is in a folder that is no source itself, where sources are: a sweep's, or tables."""
    files = sorted(folder.iterdir())
    found = [f for f in files if runs.is_run(f)]
    found = found or [f for f in files if f.suffix.lower() in FORMATS]
    if not found:
        return error
    named = " ".join(shlex.quote(str(f)) for f in found[:2])
    return InputError(
        Problem(
            str(folder),
            "a checkpoint, a run folder, a predictions file or a baseline",
            f"a folder with {listed(f.name for f in found)}",
            f"name what is in it, such as {named}",
        )
    )


def _unfinished(run: Path) -> tuple[str, ...]:
    """Say that a run has epochs to go, so that its best checkpoint may not be its last."""
    from progfix.training.history import read_history

    try:
        recipe = runs.read_config(run)["recipe"]
        epochs = recipe["optimisation"]["epochs"]  # type: ignore[index]  # or it is damaged
        done = len(read_history(run / runs.HISTORY))
    except (InputError, KeyError, TypeError):
        return ()
    if not isinstance(epochs, int) or done >= epochs:
        return ()
    return (
        f"{run}: {done} of {epochs} epochs are done; its best checkpoint so far is judged "
        f"(`progfix train --resume --out {run}` goes on where nothing trains it now)",
    )


def _neither(problem: Problem, path: Path) -> InputError:
    """Say what else could have been read, where a file is no checkpoint by name or content."""
    if path.suffix.lower() == ".json":
        fix = "annotations go after --data, splits after --splits, beside a source"
        return InputError(replace(problem, fix=fix))
    return InputError(
        replace(
            problem,
            expected=f"{problem.expected}, or predictions in {', '.join(FORMATS)}",
            fix="name the .pt file of a training, or write the predictions as CSV with the columns "
            "video, prediction, and target or elapsed and duration (docs/predictions.md)",
        )
    )


def _from_module(text: str | None, options: SourceOptions) -> Source:
    from progfix.external import load_module, predict_with_module

    if options.data.path is None:
        raise InputError(
            Problem(
                f"--model {options.model}",
                "data to run the model on",
                "no --data",
                "name it with --data, for example --data procedures/1",
            )
        )
    from progfix.features import require_features, require_some_features
    from progfix.sources.probing import probing_of_module
    from progfix.training.devices import resolve_device

    name = str(options.model)
    module = load_module(name, text)
    data = open_dataset(options.data)
    videos, device = evaluated(data, options.split), resolve_device(options.device)
    require_some_features(data)
    for video in videos:
        require_features(video)
    return Source(
        label=name.rpartition(":")[2],
        kind="model",
        chunks=partial(predict_with_module, module, name, videos, device),
        counting=fit_counting(data, options.fit_on),
        data=data,
        probing=probing_of_module(module, name, videos, device),
    )


def with_model(
    source: Source, model: ProgressModel, data: Dataset, options: SourceOptions
) -> Source:
    """Return the source with the model's predictions on the data."""
    from progfix.features import require_some_features
    from progfix.predict import predict, require_fit
    from progfix.sources.probing import probing_of_model
    from progfix.training.devices import resolve_device

    videos, device = evaluated(data, options.split), resolve_device(options.device)
    if options.jobs > 1 and device.type != "cpu":
        fix = "leave it out, or add --device cpu"
        problem = Problem(f"--jobs {options.jobs}", "a model on the CPU", f"one on {device}", fix)
        raise InputError(problem)
    require_some_features(data)
    require_fit(model, videos)
    model.to(device)
    several = partial(predict_in_processes, model, videos, options.jobs)
    return replace(
        source,
        chunks=several if options.jobs > 1 else partial(predict, model, videos),
        why_not=None,
        counting=fit_counting(data, options.fit_on),
        data=data,
        probing=probing_of_model(model, videos),
    )
