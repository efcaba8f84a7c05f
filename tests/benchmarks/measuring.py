"""What the benchmarks measure with: medians of interleaved runs, and live tensor memory."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Run = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One comparison: times in milliseconds, `ratio` = competitor / ours, `bar` asked for."""

    what: str
    competitor: str
    ours_ms: float
    competitor_ms: float | None
    ratio: float | None
    bar: float | None
    note: str = ""

    HEADER: ClassVar[str] = (
        "| what | competitor | ours, ms | competitor, ms | ratio | bar | note |\n"
        "|---|---|---|---|---|---|---|"
    )

    def line(self) -> str:
        other = "missing" if self.competitor_ms is None else f"{self.competitor_ms:.1f}"
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}x"
        bar = "" if self.bar is None else f"{self.bar:g}x"
        return (
            f"| {self.what} | {self.competitor} | {self.ours_ms:.1f} | {other} | {ratio} | "
            f"{bar} | {self.note} |"
        )


def medians(
    *runs: Run, repeats: int, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Median milliseconds of each, run in turns so that load on the machine hits all alike.

    The clock counts processor time: everything here runs on one thread.
    """
    for run in runs:
        run()
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, times, strict=True):
            start = clock()
            run()
            taken.append((clock() - start) * 1e3)
    return [sorted(taken)[len(taken) // 2] for taken in times]


def compare(
    what: str, ours: Run, competitor: str, theirs: Run, *, bar: float, repeats: int, note: str = ""
) -> Row:
    mine, other = medians(ours, theirs, repeats=repeats)
    return Row(what, competitor, mine, other, other / mine, bar, note)


def backward(loss: Callable[..., Tensor], *args: object, **settings: object) -> Run:
    """A run of loss(*args, **settings), forward and backward."""

    def run() -> None:
        loss(*args, **settings).backward()

    return run


class Live(TorchDispatchMode):
    """Counts the bytes of live tensors that the operations under it made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor) and leaf.untyped_storage() not in self.seen:
                self._watch(leaf.untyped_storage())
        return out

    def _watch(self, storage: torch.UntypedStorage) -> None:
        size = storage.nbytes()
        self.seen.add(storage)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._drop, size)

    def _drop(self, size: int) -> None:
        self.now -= size
