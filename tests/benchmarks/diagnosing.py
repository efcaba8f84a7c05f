"""What a whole diagnosis costs, probes included, as videos become more.

    python -m tests.benchmarks.diagnosing [--videos 250 1000 4000] [--json]

Test videos of 300 frames with stored embeddings (128-d, four actions each) and 48 training
videos, in HDF5; an untrained GRU head with the recommended letters, which streams. Each size runs
in a process of its own, `progfix diagnose CHECKPOINT --data FILE --json`, as a user would run it.
Seconds of the processor are summed over its threads.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from progfix.checkpoints.native import save_native
from progfix.checkpoints.provenance import Provenance
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.solutions import RECOMMENDED, apply

FRAMES, SIZE, ACTIONS, TRAIN = 300, 128, 4, 48

MEASURE = """
import resource, sys
from progfix.cli.app import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
"""


@dataclass(frozen=True)
class Cost:
    """One diagnosis."""

    videos: int
    frames: int
    seconds: float
    processor_seconds: float
    peak_mib: float
    findings: int


def videos(number: int) -> Iterator[Video]:
    """Videos whose embeddings show which action it is, and how far it has come."""
    rng = np.random.default_rng(0)
    shown = rng.standard_normal((2, ACTIONS, SIZE)).astype(np.float32)
    for place in range(TRAIN + number):
        cuts = np.sort(rng.choice(np.arange(20, FRAMES - 20), ACTIONS - 1, replace=False))
        starts, ends = [0, *cuts], [*cuts, FRAMES]
        features = rng.standard_normal((FRAMES, SIZE), dtype=np.float32)
        segments = []
        for action, (first, end) in enumerate(zip(starts, ends, strict=True)):
            progress = np.arange(1, end - first + 1, dtype=np.float32)[:, None] / (end - first)
            features[first:end] += shown[0, action] + progress * shown[1, action]
            segments.append(Segment(int(first), int(end) - 1, f"action {action}"))
        split = "train" if place < TRAIN else "test"
        yield Video(
            f"v{place:05d}", "t", FRAMES, tuple(segments), ArrayFeatures(features), split, 4.0
        )


def checkpoint(path: Path) -> None:
    """Write a head that was never trained."""
    torch.manual_seed(0)
    recipe = apply(RECOMMENDED)
    model = ProgressModel(None, build_head(recipe.head, SIZE))
    provenance = Provenance(recipe=recipe, durations={}, data={}, metrics={})
    save_native(path, model=model, provenance=provenance, epoch=0, moments={})


def measure(number: int, folder: Path) -> Cost:
    """Diagnose so many videos in a process of its own."""
    data, head = folder / "data.h5", folder / "head.pt"
    write_hdf5(data, videos(number))
    checkpoint(head)
    command = [sys.executable, "-c", MEASURE, "diagnose", str(head), "--data", str(data), "--json"]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    used, peak = map(float, done.stderr.split()[-2:])
    found = json.loads(done.stdout)
    data.unlink()
    return Cost(number, found["summary"]["frames"], wall, used, peak, len(found["findings"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, nargs="+", default=[250, 1000, 4000])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = [measure(number, Path(folder)) for number in chosen.videos]
    if chosen.json:
        sys.stdout.write(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
        return
    sys.stdout.write(
        f"{'videos':>8}{'frames':>12}{'seconds':>10}{'processor':>11}{'peak MiB':>10}\n"
    )
    for c in costs:
        sys.stdout.write(
            f"{c.videos:>8,}{c.frames:>12,}{c.seconds:>10.1f}{c.processor_seconds:>11.1f}"
            f"{c.peak_mib:>10.0f}\n"
        )


if __name__ == "__main__":
    main()
