"""Every frame of long segments: one pass, or shared prefixes, against a prefix at a time.

    python -m tests.benchmarks.head_evaluation [--json]

The loop is what the GTCC progress-head fork does: cut the prefix, run the head on it, take
the last answer. All ways give the same numbers (checked here to 1e-6), in one thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.solutions import apply

FRAMES = 500
WIDTH = 128
REPEATS = 5


def loop(head: ProgressHead, segment: Tensor) -> Tensor:
    """Answer one prefix after the other."""
    return torch.stack(
        [
            torch.sigmoid(head.raw_last(segment[None, :n], torch.tensor([n]))[0, 0])
            for n in range(1, len(segment) + 1)
        ]
    )


def at_once(head: ProgressHead, segment: Tensor) -> Tensor:
    """Answer all frames as progfix does."""
    answers: Tensor = head(segment[None], torch.tensor([len(segment)]))[0]
    return answers


def seconds(work: Callable[[], Tensor], repeats: int) -> float:
    """Median wall-clock time of a call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(letters: str, segment: Tensor) -> dict[str, float | str]:
    """Time both ways for the head of a solution."""
    torch.manual_seed(0)
    head = build_head(apply(letters).head, WIDTH).eval()
    difference = (loop(head, segment) - at_once(head, segment)).abs().max().item()
    if difference > 1e-6:
        raise SystemExit(f"solution {letters!r}: the two ways differ by {difference:.1e}")
    slow = seconds(lambda: loop(head, segment), 2)
    fast = seconds(lambda: at_once(head, segment), REPEATS)
    # Two products per weight and frame: the arithmetic that one pass cannot avoid.
    sizes = {n: p.numel() for n, p in head.named_parameters() if "weight" in n}
    once = sizes.pop("gru.weight_ih_l0") + sizes["fc.0.weight"] + sizes["fc.2.weight"]
    recurrent = sizes["gru.weight_hh_l0"] * (1 if head.streams else (FRAMES + 1) / 2)
    flops = 2 * FRAMES * (once + recurrent)
    return {
        "solution": letters or "baseline",
        "loop_ms": 1e3 * slow,
        "progfix_ms": 1e3 * fast,
        "ratio": slow / fast,
        "gflop_per_s": flops / fast / 1e9,
    }


@torch.inference_mode()
def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    segment = torch.randn(FRAMES, WIDTH, generator=torch.Generator().manual_seed(1))
    rows = [compare(letters, segment) for letters in ("", "bf", "a", "ab")]
    if options.json:
        json.dump({"frames": FRAMES, "width": WIDTH, "threads": 1, "rows": rows}, sys.stdout)
        return
    sys.stdout.write(f"one segment of {FRAMES} frames, {WIDTH}-d, one thread\n")
    heading = f"{'solution':10}{'loop ms':>10}{'progfix ms':>12}{'ratio':>8}{'GFLOP/s':>9}"
    sys.stdout.write(heading + "\n")
    for row in rows:
        sys.stdout.write(
            f"{row['solution']:10}{row['loop_ms']:10.1f}{row['progfix_ms']:12.2f}"
            f"{row['ratio']:8.0f}{row['gflop_per_s']:9.1f}\n"
        )


if __name__ == "__main__":
    main()
