"""What a training run would cost, measured on a few of its real steps."""

from __future__ import annotations

import math
import shutil
import signal
import time
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t as students_t

from progfix import runs
from progfix.data.dataset import Dataset, Video
from progfix.diagnosis.measured import Interval
from progfix.diagnosis.run_memory import Kept, device_peak, process_peak
from progfix.files import temporary_folder
from progfix.predict import predict
from progfix.predictions_io import save_predictions
from progfix.training.interrupts import StopRequest
from progfix.training.loop import Event, StepDone, run_epochs
from progfix.training.loop_state import LoopState
from progfix.training.prepare import Prepared
from progfix.training.saving import saver
from progfix.training.setup import Setup
from progfix.training.steps import epoch_steps
from progfix.training.validation import validate

__all__ = ["FEWEST_STEPS", "MOST_STEPS", "SECONDS", "RunCost", "measure_cost"]

FEWEST_STEPS, MOST_STEPS = 3, 40
SECONDS = 10.0
"""Steps are measured for as long, between these numbers of them."""

_VIDEOS = 16
"""Videos that validation and prediction are measured on; as many make a chunk of them."""


@dataclass(frozen=True)
class RunCost:
    """What a run would take.

    Attributes:
        steps: Steps that were measured.
        skipped: How many of them the recipe skipped.
        steps_per_epoch: Steps of an epoch.
        epochs: Epochs of the run.
        epoch: Seconds of an epoch, validation and saving included, with the 95 % interval
            that the spread of the measured steps leaves.
        total: Seconds of the run from its start to the test predictions, likewise.
        memory: Peak of the process in bytes, the batch with the most frames included; NaN where
            the system does not say.
        device_memory: Peak of tensors on a CUDA device in bytes; NaN elsewhere.
        disk: Bytes of the run's folder.
        disk_free: Bytes that are free where it would be.
    """

    steps: int
    skipped: int
    steps_per_epoch: int
    epochs: int
    epoch: Interval
    total: Interval
    memory: float
    device_memory: float
    disk: int
    disk_free: int


@dataclass
class _Watch:
    """Times the steps and asks the loop to stop when there are enough."""

    stop: StopRequest = field(default_factory=StopRequest)
    began: float = field(default_factory=time.perf_counter)
    mark: float = field(default_factory=time.perf_counter)
    taken: list[float] = field(default_factory=list)
    skipped: int = 0

    def __call__(self, event: Event) -> None:
        now = time.perf_counter()
        if isinstance(event, StepDone):
            self.taken.append(now - self.mark)
            self.skipped += event.report.skipped
            enough = len(self.taken) >= MOST_STEPS or now - self.began >= SECONDS
            if enough and len(self.taken) >= FEWEST_STEPS:
                self.stop.receive(signal.SIGTERM, None)
        self.mark = time.perf_counter()


def measure_cost(prepared: Prepared, *, starting: float) -> RunCost:
    """Take some steps of a run, validate, save and predict, and bring that to the whole run.

    Files are written to a folder of the system's for temporary ones, and removed. The model is
    left with its initial weights.

    Args:
        prepared: The run.
        starting: Seconds that preparing it took.

    Raises:
        TrainingError: If a loss is not finite.
    """
    setup = prepared.setup
    initial = deepcopy(setup.model.state_dict())
    if setup.model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(setup.model.device)
    sample = _longest(setup.val, _VIDEOS)
    state, first = _largest_batch(setup, sample)
    watch = _Watch()
    # However short the run is, there are enough steps to measure.
    _loop(replace(setup, val=sample), LoopState(), watch, epochs=MOST_STEPS)
    started = time.perf_counter()
    validate(setup.judged, sample, setup.embeddings, setup.counting)
    again = time.perf_counter() - started
    test = prepared.data.split("test")
    with temporary_folder() as folder:
        saving, kept = _saved(folder, prepared, state)
        predicting, predicted = _predicted(folder, setup, test)
    kept_videos = Kept(setup, sample)
    memory = process_peak() + kept_videos.to_come
    device_memory = device_peak(setup.model.device)
    setup.model.load_state_dict(initial)
    val_share = _frames(setup.val) / max(1, _frames(sample))
    each = _batches(setup)
    # What does not fit in memory is read and embedded anew each time.
    again = again if kept_videos.fits else first
    epoch = _times(_mean(watch.taken), each, again * val_share + saving)
    epochs = setup.recipe.optimisation.epochs
    once = starting + (first - again) * val_share + predicting
    return RunCost(
        steps=len(watch.taken),
        skipped=watch.skipped,
        steps_per_epoch=each,
        epochs=epochs,
        epoch=epoch,
        total=_times(epoch, epochs, max(0.0, once)),
        memory=memory,
        device_memory=device_memory,
        disk=kept + predicted,
        disk_free=shutil.disk_usage(_existing(prepared.options.folder or runs.RUNS)).free,
    )


def _largest_batch(setup: Setup, sample: list[Video]) -> tuple[LoopState, float]:
    """Take the step that needs the most memory, and validate.

    Returns:
        A state that can be saved, and the seconds that the first validation took.
    """
    tasks: dict[str, list[Video]] = {}
    for video in setup.train:
        tasks.setdefault(video.task, []).append(video)
    size = setup.recipe.optimisation.batch_videos
    batches = [_longest(videos, size) for videos in tasks.values()]
    watch, state = _Watch(), LoopState()
    largest = replace(setup, train=max(batches, key=_frames), val=sample)
    _loop(largest, state, watch, epochs=1)
    return state, max(0.0, state.history[-1].seconds - sum(watch.taken))


def _loop(setup: Setup, state: LoopState, watch: _Watch, *, epochs: int) -> None:
    """Run the loop for so many epochs at the most, and keep nothing."""
    optimisation = replace(setup.recipe.optimisation, epochs=epochs)
    run_epochs(
        replace(setup, recipe=replace(setup.recipe, optimisation=optimisation)),
        state,
        save=lambda _best: None,
        observe=watch,
        stop=watch.stop,
    )


def _saved(folder: Path, prepared: Prepared, state: LoopState) -> tuple[float, int]:
    """Return seconds of saving and bytes of a run without its predictions."""
    started = time.perf_counter()
    saver(folder, prepared, state)(True)
    seconds = time.perf_counter() - started
    runs.write_config(folder, prepared.options.to_config())
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    sizes[runs.HISTORY] *= prepared.setup.recipe.optimisation.epochs
    return seconds, sum(sizes.values())


def _predicted(folder: Path, setup: Setup, test: Dataset) -> tuple[float, int]:
    """Return seconds and bytes of the test predictions; none without a test split."""
    sample = _longest(test, _VIDEOS)
    if not sample:
        return 0.0, 0
    started = time.perf_counter()
    chunks = list(predict(setup.model, replace(test, videos=tuple(sample))))
    save_predictions(folder / runs.PREDICTIONS, chunks)
    seconds = time.perf_counter() - started
    share = _frames(test.videos) / _frames(sample)
    return seconds * share, math.ceil((folder / runs.PREDICTIONS).stat().st_size * share)


def _batches(setup: Setup) -> int:
    return len(epoch_steps(setup, 0))


def _longest(videos: Iterable[Video], number: int) -> list[Video]:
    """Return the videos with the most frames, of those that have a segment with a known end."""
    usable = [v for v in videos if any(not s.censored for s in v.segments)]
    return sorted(usable, key=lambda video: -video.num_frames)[:number]


def _frames(videos: Iterable[Video]) -> int:
    return sum(video.num_frames for video in videos)


def _mean(values: Sequence[float]) -> Interval:
    """Return the mean with its 95 % interval (Student's t)."""
    mean, number = float(np.mean(values)), len(values)
    half = float(students_t.ppf(0.975, number - 1) * np.std(values, ddof=1) / number**0.5)
    return Interval(mean, max(0.0, mean - half), mean + half)


def _times(each: Interval, number: int, once: float) -> Interval:
    return Interval(*(number * end + once for end in (each.value, each.low, each.high)))


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that is there."""
    place = folder.absolute()
    return next(parent for parent in (place, *place.parents) if parent.exists())
