"""What no evaluation can do without, each alone in this process, on one thread.

    python -m tests.benchmarks.scale_floors reading|arithmetic FILE CHECKPOINT

Prints seconds and memory as JSON. Opening the file, importing, and making the input of the
arithmetic are not counted.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from progfix.batching import FRAMES_PER_BATCH, batches
from progfix.checkpoints import open_checkpoint
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.heads.gru import GruHead

VIDEOS = 64
"""Whose segments are cut into batches together, as `progfix.predict.predict` does."""


def reading(file: Path) -> tuple[float, float]:
    """Read every video's features as they are stored, and make them float32."""
    with h5py.File(file) as opened:
        groups = [name for name in opened if not name.startswith("#")]

        def read() -> None:
            for name in groups:
                opened[name]["features"][()].astype(np.float32)

        return seconds(read)


def arithmetic(file: Path, checkpoint: Path) -> tuple[float, float]:
    """Run the recurrence and the linear layers of a head over the file's segments."""
    head = open_checkpoint(checkpoint).model.head
    if not isinstance(head, GruHead):
        raise SystemExit(f"{checkpoint}: expected a GRU head, found {type(head).__name__}")
    gru = nn.GRU(head.gru.input_size, head.gru.hidden_size, batch_first=True)
    videos = open_dataset(DataOptions(path=str(file))).videos
    numbers = torch.randn(FRAMES_PER_BATCH, gru.input_size)
    wall = cpu = 0.0
    with torch.inference_mode():
        for first in range(0, len(videos), VIDEOS):
            lengths = [
                s.duration for video in videos[first : first + VIDEOS] for s in video.segments
            ]
            for rows in batches(lengths, FRAMES_PER_BATCH):
                sizes = torch.tensor([lengths[row] for row in rows]).sort(descending=True).values
                shape = len(rows), int(sizes[0])
                padded = numbers[: shape[0] * shape[1]].reshape(*shape, -1)
                packed = pack_padded_sequence(padded, sizes, batch_first=True)
                taken = seconds(lambda: head.fc(gru(packed)[0].data))  # noqa: B023  # run at once
                wall, cpu = wall + taken[0], cpu + taken[1]
    return wall, cpu


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes, by the clock and by the processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main(arguments: list[str]) -> None:
    """Measure one of the two."""
    torch.set_num_threads(1)
    what, file, checkpoint = arguments[0], Path(arguments[1]), Path(arguments[2])
    wall, cpu = reading(file) if what == "reading" else arithmetic(file, checkpoint)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"wall": wall, "cpu": cpu, "mib": mib}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
