"""Training on features that stay in memory, against features streamed from an HDF5 file.

    python -m tests.benchmarks.streaming [FOLDER]

Writes 220 MB to the folder, by default a temporary one. Each epoch of a streamed run reads the
whole file; what the system kept of it in memory is dropped before. Seconds of an epoch without
validation, by the clock and of the processor in the thread that computes, and ratios to the
epoch in memory of the same turn: medians of five turns. By the clock means little where other
work leaves no processor for the readers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.options import DataOptions
from progfix.solutions import apply
from progfix.training.execution import Execution
from progfix.training.interrupts import StopRequest
from progfix.training.loop import run_epochs
from progfix.training.loop_state import LoopState
from progfix.training.prepare import prepare
from progfix.training.recipe import Method, MethodName
from progfix.training.run_options import RunOptions
from progfix.training.setup import Setup

TRAIN, FRAMES, WIDTH, ROUNDS = 24, 1000, 2048, 5

WAYS = {
    "in memory": Execution(readers=0, cache_gib=8),
    "streamed, 2 readers": Execution(readers=2, cache_gib=0.25),
    "streamed in the step": Execution(readers=0, cache_gib=0),
}
"""With readers a quarter of the memory is for what they read ahead; the rest is kept empty."""


def videos() -> Iterator[Video]:
    """Two tasks, actions of 50 frames."""
    rng = np.random.default_rng(0)
    for index in range(TRAIN + 3):
        features = rng.normal(size=(FRAMES, WIDTH)).astype(np.float32)
        segments = tuple(Segment(s, s + 49, f"a{s % 4}") for s in range(0, FRAMES, 50))
        split = "train" if index < TRAIN else ("val", "test", "test")[index - TRAIN]
        task, array = f"t{index % 2}", ArrayFeatures(features)
        yield Video(f"v{index}", task, FRAMES, segments, array, split=split)


@dataclass(eq=False)
class Way:
    """A run, an epoch at a time."""

    setup: Setup
    state: LoopState
    file: Path

    def epoch(self) -> tuple[float, float]:
        """Train an epoch; return its seconds by the clock, and of the thread's processor."""
        handle = os.open(self.file, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
        recipe = self.setup.recipe
        settings = replace(recipe.optimisation, epochs=self.state.epoch + 1)
        setup = replace(self.setup, val=[], recipe=replace(recipe, optimisation=settings))
        begun, worked = time.perf_counter(), time.thread_time()
        run_epochs(
            setup, self.state, save=lambda _: None, observe=lambda _: None, stop=StopRequest()
        )
        return time.perf_counter() - begun, time.thread_time() - worked


def measured(file: Path, method: MethodName) -> list[str]:
    """Return the rows of a table."""
    recipe = apply("fgs")
    if method != "none":
        recipe = replace(recipe, method=Method(method))
    ways = {}
    for name, execution in WAYS.items():
        options = RunOptions(recipe, DataOptions(path=str(file)), device="cpu", execution=execution)
        ways[name] = Way(prepare(options).setup, LoopState(), file)
        # Nothing is kept of what streams, whatever room there is.
        if name != "in memory":
            ways[name].setup.embeddings._budget = 0
            ways[name].setup.embeddings._kept.clear()
        ways[name].epoch()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(way.epoch())
    first = np.array(times["in memory"])
    rows = []
    for name, pairs in times.items():
        taken = np.array(pairs)
        (clock, work), (late, more) = np.median(taken, axis=0), np.median(taken / first, axis=0)
        rows.append(f"| `{method}` | {name} | {clock:.2f} | {late:.2f} | {work:.2f} | {more:.2f} |")
    weights = [next(iter(way.setup.model.head.parameters())) for way in ways.values()]
    if not all(torch.equal(weights[0], other) for other in weights):
        raise AssertionError("the ways have trained different heads")
    return rows


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    with TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        file = Path(folder) / "streaming.h5"
        write_hdf5(file, videos())
        print_row = sys.stdout.write
        print_row(f"{TRAIN} videos of {FRAMES} frames, {WIDTH}-d: {file.stat().st_size:,} bytes\n")
        print_row("| method | features | clock s | ratio | processor s | ratio |\n")
        print_row("|---|---|---|---|---|---|\n")
        for method in ("tcc", "none"):
            for row in measured(file, method):
                print_row(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
