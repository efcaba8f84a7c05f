"""A head's training step and evaluation on a GPU, in frames per second.

    python -m tests.benchmarks.gpu_head [--device cuda] [--segments 64 256 1024 4096] [--json]

Segments of 100 frames, 128-d, GRU with letters fgs. A training step is what `progfix train`
does with a group of so many segments: every prefix supervised, loss, gradients, Adam.
Evaluation is `predict_segments`, answers brought back to the CPU. The same answers through a
call per prefix: all segments' first n frames, for n = 1 .. 100.

The limit is what the device would need at the rates it reaches in the same run with a large
matrix product in float32 and with a copy, for the head's products (three times as many in a
training step) and for reading the embeddings. Without such a device the program says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from progfix.data.dataset import Segment
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.predict import predict_segments
from progfix.solutions import apply
from progfix.training.objectives import progress_loss
from progfix.training.sampling import choose_prefixes

FRAMES = 100
WIDTH = 128
SIZES = (64, 256, 1024, 4096)
REPEATS = 5


@dataclass(frozen=True)
class Row:
    """Frames per second of each, and shares of the limit in per cent."""

    segments: int
    training: float
    training_share: float
    evaluation: float
    evaluation_share: float
    per_prefix: float
    ratio: float
    peak_mib: float


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the median time of a call, after one that is not counted."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    work()
    times = []
    for _ in range(REPEATS):
        wait()
        start = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rates(device: torch.device) -> tuple[float, float]:
    """Return what the device reaches: FLOP/s of a product in float32, bytes/s of a copy."""
    size = 8192 if device.type == "cuda" else 1024
    square = torch.randn(size, size, device=device)
    block = torch.empty(size, size, device=device)
    product = seconds(lambda: torch.mm(square, square, out=block), device)
    return 2 * size**3 / product, 8 * size**2 / seconds(lambda: block.copy_(square), device)


def measured(count: int, device: torch.device, limits: tuple[float, float]) -> Row:
    """Measure a batch of so many segments."""
    torch.manual_seed(0)
    recipe = apply("fgs")
    head = build_head(recipe.head, WIDTH).to(device)
    segments = list(torch.randn(count, FRAMES, WIDTH, device=device))
    labels = [[Segment(0, FRAMES - 1, "a")]] * count
    optimiser = torch.optim.Adam(head.parameters())
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    def train() -> None:
        prefixes = choose_prefixes(labels, recipe.sampling, np.random.default_rng(0))
        optimiser.zero_grad()
        progress_loss(head, segments, prefixes, recipe.objective).backward()
        optimiser.step()

    training = seconds(train, device)
    head.eval()
    evaluation = seconds(lambda: predict_segments(head, segments), device)
    per_prefix = seconds(lambda: by_prefix(head, torch.stack(segments)), device)
    weights = sum(p.numel() for name, p in head.named_parameters() if "weight" in name)
    frames = count * FRAMES
    least = max(2 * weights * frames / limits[0], 4 * WIDTH * frames / limits[1])
    least_trained = max(6 * weights * frames / limits[0], 4 * WIDTH * frames / limits[1])
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    return Row(
        count,
        frames / training,
        100 * least_trained / training,
        frames / evaluation,
        100 * least / evaluation,
        frames / per_prefix,
        per_prefix / evaluation,
        peak,
    )


@torch.inference_mode()
def by_prefix(head: ProgressHead, segments: Tensor) -> Tensor:
    """Return the progress at every frame, `(B, T)`, a call per prefix length."""
    count, frames, _ = segments.shape
    answers = []
    for length in range(1, frames + 1):
        lengths = torch.full((count,), length, device=segments.device)
        answers.append(torch.sigmoid(head.raw_last(segments[:, :length], lengths)[:, 0]))
    return torch.stack(answers, dim=1).cpu()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or JSON; or say that there is no such device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--segments", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        why = "no CUDA device"
        left_out = json.dumps({"left out": why}) if options.json else f"left out: {why}"
        sys.stdout.write(left_out + "\n")
        return
    limits = rates(device)
    rows = [measured(count, device, limits) for count in options.segments]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    if options.json:
        report = {
            "device": name,
            "flops": limits[0],
            "bytes_per_second": limits[1],
            "rows": [asdict(row) for row in rows],
        }
        sys.stdout.write(json.dumps(report) + "\n")
        return
    reached = f"{limits[0] / 1e12:.2f} TFLOP/s, {limits[1] / 1e9:.0f} GB/s"
    sys.stdout.write(f"{name}: {reached}; {FRAMES} frames a segment\n")
    sys.stdout.write(
        "| segments | training, frames/s | of the limit | evaluation, frames/s | of the limit | "
        "per prefix, frames/s | ratio | peak MiB |\n|---|---|---|---|---|---|---|---|\n"
    )
    for row in rows:
        sys.stdout.write(
            f"| {row.segments} | {row.training:,.0f} | {row.training_share:.1f} % | "
            f"{row.evaluation:,.0f} | {row.evaluation_share:.1f} % | {row.per_prefix:,.0f} | "
            f"{row.ratio:.0f}x | {row.peak_mib:.0f} |\n"
        )


if __name__ == "__main__":
    main()
