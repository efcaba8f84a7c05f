"""What each kind of head costs: one pass over a long segment, and frame by frame.

    python -m tests.benchmarks.head_kinds

One thread, processor time; solution f, and fh for the distribution over remaining frames.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch

from progfix.heads.build import HEADS, build_head
from progfix.heads.spec import HeadKind, HeadSpec
from progfix.solutions import apply
from progfix.training.recipe import Recipe
from tests.benchmarks.head_evaluation import FRAMES, REPEATS, WIDTH, at_once

STEPS = 200


def seconds(work: Callable[[], object]) -> float:
    """Median processor time of a call, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def measured(kind: HeadKind, letters: str) -> str:
    """Return a row of the table."""
    torch.manual_seed(0)
    head = build_head(apply(letters, Recipe(head=HeadSpec(kind=kind))).head, WIDTH).eval()
    segment = torch.randn(FRAMES, WIDTH)
    start = head.initial_state()

    def walk() -> torch.Tensor:
        state = start
        for frame in segment[:STEPS]:
            answer, state = head.step(frame[None], state)
        return answer.progress

    whole = seconds(lambda: at_once(head, segment))
    step = seconds(walk) / STEPS
    parameters = sum(p.numel() for p in head.parameters())
    state = sum(tensor.numel() * tensor.element_size() for tensor in start)
    return (
        f"{kind:12}{letters:>4}{parameters:12,}{1e3 * whole:10.2f}{1e3 * step:10.3f}"
        f"{state / 1024:10.1f}"
    )


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    sys.stdout.write(f"{FRAMES} frames, {WIDTH}-d, one thread\n")
    sys.stdout.write(
        f"{'head':12}{'':>4}{'weights':>12}{'pass ms':>10}{'step ms':>10}{'state KiB':>10}\n"
    )
    for kind in HEADS:
        for letters in ("f", "fh"):
            sys.stdout.write(measured(kind, letters) + "\n")


if __name__ == "__main__":
    main()
