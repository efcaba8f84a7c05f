"""`progfix train --dry-run`: the cost of a run, and what its recipe alone predicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from progfix.data.dataset import Dataset
from progfix.diagnosis.contract import plain
from progfix.diagnosis.foresight import foresee
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.remedy import letters_for
from progfix.diagnosis.run_cost import RunCost, measure_cost
from progfix.training.prepare import prepare
from progfix.training.run_options import RunOptions

__all__ = ["FORMAT", "DryRun", "SplitCounts", "dry_run", "dry_run_json"]

FORMAT = "progfix-dry-run/1"

_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class SplitCounts:
    """What a split holds.

    Attributes:
        split: Its name.
        videos: Videos.
        segments: Action segments.
        frames: Frames in them.
        all_frames: Frames of the videos, background included.
    """

    split: str
    videos: int
    segments: int
    frames: int
    all_frames: int


@dataclass(frozen=True)
class DryRun:
    """What is known of a run before it starts.

    Attributes:
        name: What it would be called.
        solution: Its letters.
        data: Where the data is.
        device: What it computes on, in words.
        splits: What the data holds.
        cost: What it would take.
        findings: What will go wrong whatever the head learns, worst first.
        not_checked: What could not be looked for.
        advised: Letters to train with instead; None where nothing speaks for others.
    """

    name: str
    solution: str
    data: str
    device: str
    splits: Sequence[SplitCounts]
    cost: RunCost
    findings: Sequence[Finding]
    not_checked: Sequence[NotChecked]
    advised: str | None


def dry_run(options: RunOptions) -> DryRun:
    """Prepare a run, take a few steps of it and throw them away; no run folder is made.

    Args:
        options: What `progfix.training.run.start_run` would be given.

    Raises:
        InputError: If the data, the checkpoint or the device does not do.
        TrainingError: If a loss is not finite.
    """
    started = time.perf_counter()
    prepared = prepare(options)
    cost = measure_cost(prepared, starting=time.perf_counter() - started)
    findings, not_checked = foresee(prepared)
    recipe = options.recipe
    letters = letters_for(
        recipe, findings, theirs=prepared.init is not None and prepared.init.kind == "gtcc"
    )
    return DryRun(
        name=recipe.name,
        solution=recipe.solution,
        data=prepared.data.origin,
        device=_device(prepared.setup.model.device),
        splits=[_counts(prepared.data, split) for split in _SPLITS],
        cost=cost,
        findings=findings,
        not_checked=not_checked,
        advised=letters if letters and letters != recipe.solution else None,
    )


def dry_run_json(result: DryRun) -> dict[str, object]:
    """Return a dry run as JSON values; NaN is None."""
    return {"format": FORMAT, **{k: plain(v) for k, v in asdict(result).items()}}


def _counts(data: Dataset, split: str) -> SplitCounts:
    videos = data.split(split).videos
    segments = [s for video in videos for s in video.segments]
    return SplitCounts(
        split,
        len(videos),
        len(segments),
        sum(s.duration for s in segments),
        sum(video.num_frames for video in videos),
    )


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)
