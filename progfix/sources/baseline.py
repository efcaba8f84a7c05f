"""Baselines as sources: what sees nothing, and what sees only how far embeddings move."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from progfix.baselines import BASELINES, baseline_predictions
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.data.options import BUILT_IN, DataOptions
from progfix.errors import InputError, Problem
from progfix.frame_counting import fit_counting
from progfix.sources.source import Source, SourceOptions

__all__ = ["PREFIX", "evaluated", "known_baselines", "open_baseline"]

PREFIX = "baseline:"

_CUMULATIVE = ("cumulative-l2", "cumulative-l2-per-action")


def known_baselines() -> tuple[str, ...]:
    """Return the names that may follow "baseline:"; cumulative-l2 may name a checkpoint."""
    return (*BASELINES, *_CUMULATIVE, f"{_CUMULATIVE[0]}@CHECKPOINT")


def evaluated(data: Dataset, split: str) -> Dataset:
    """Return the videos of the split to evaluate.

    Raises:
        InputError: If it has no video with a segment.
    """
    chosen = data.split(split)
    if not any(video.segments for video in chosen):
        raise InputError(
            Problem(
                f"--split {split}",
                f"videos with action segments in {data.origin}",
                f"none; it has {', '.join(data.splits) or 'no splits'}",
                "name another split, or all",
            )
        )
    return chosen


def open_baseline(name: str, options: SourceOptions, data: Dataset | None) -> Source:
    """Open a baseline.

    Args:
        name: Without "baseline:". `cumulative-l2@PATH` takes the encoder of the checkpoint at
            PATH, and its data where nothing else says.
        options: How to open it.
        data: All splits of the data to use where the options do not say.

    Raises:
        InputError: If there is no such baseline, or it lacks data, a split or features.
    """
    if name.partition("@")[0] in _CUMULATIVE:
        return _cumulative(name, options, data)
    known = next((baseline for baseline in BASELINES if baseline == name), None)
    if known is None:
        raise InputError(
            Problem(
                f"{PREFIX}{name}",
                f"one of {', '.join(known_baselines())}",
                repr(name),
                "choose one of them",
            )
        )
    data = _data(name, options, data)
    videos = evaluated(data, options.split)
    counting = fit_counting(data, options.fit_on)
    if counting is None and name.startswith("frame-counting"):
        raise _nothing_to_fit(name, options, data, "to count on")
    return Source(
        label=PREFIX + name,
        kind="baseline",
        chunks=partial(baseline_predictions, known, videos, counting),
        counting=counting,
        data=data,
    )


def _cumulative(name: str, options: SourceOptions, data: Dataset | None) -> Source:
    from progfix.cumulative_l2 import CumulativeL2
    from progfix.embedding import Embedder, check_vectors, encode_with, feature_vectors

    kind, _, path = name.partition("@")
    embed: Embedder = feature_vectors
    model = None
    if path:
        from progfix.checkpoints import open_checkpoint
        from progfix.predict import require_fit
        from progfix.training.devices import resolve_device

        if not Path(path).exists():
            problem = Problem(PREFIX + name, "a checkpoint", "no such file", "check the path")
            raise InputError(problem)
        checkpoint = open_checkpoint(Path(path), head_spec=options.head_spec)
        if options.data.path is None and data is None and checkpoint.data is not None:
            stored = DataOptions.from_json(checkpoint.data, where=f"{checkpoint.path}: data")
            data = open_dataset(stored)
        model = checkpoint.model.to(resolve_device(options.device))
        embed = encode_with(model)
    data = _data(name, options, data)
    videos, fitted = evaluated(data, options.split), options.fit_on.split("+")
    train = data.where(lambda video: video.split in fitted)
    counting = fit_counting(data, options.fit_on)
    if counting is None:
        raise _nothing_to_fit(name, options, data, "whose paths give the unit")
    if model is not None:
        require_fit(model, train)
        require_fit(model, videos)
    else:
        for video in (*train, *videos):
            check_vectors(video)
    predictor = CumulativeL2(
        train.videos, videos.videos, embed, per_action=kind.endswith("per-action")
    )
    return Source(
        label=f"{PREFIX}{kind}" + (f"@{Path(path).stem}" if path else ""),
        kind="baseline",
        chunks=predictor.predict,
        counting=counting,
        data=data,
    )


def _data(name: str, options: SourceOptions, data: Dataset | None) -> Dataset:
    if options.data.path is not None:
        return open_dataset(options.data)
    if data is None:
        raise InputError(
            Problem(
                f"{PREFIX}{name}",
                "data whose frames it can answer",
                "no --data, and no other source that says",
                f"add --data with the data set that is judged, or {BUILT_IN}, the built-in one; "
                "beside predictions alone leave the baseline out: eval and diagnose show "
                "constant and frame counting by themselves",
            )
        )
    return data


def _nothing_to_fit(name: str, options: SourceOptions, data: Dataset, use: str) -> InputError:
    return InputError(
        Problem(
            f"{PREFIX}{name}",
            f"segments in the {options.fit_on} split {use}",
            f"none in {data.origin}",
            "give the splits with --splits, or other ones with --fit-on",
        )
    )
