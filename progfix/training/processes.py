"""The processes of a run under torchrun, and what they tell each other.

All that is exchanged but gradients are a few numbers, which go through the CPU (gloo): a
process that has gone is noticed there at once, on every kind of device.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from progfix.errors import InputError, LostProcessError, Problem

__all__ = ["ALONE", "PATIENCE", "Processes", "joined"]

PATIENCE = timedelta(minutes=30)
"""How long a process that answers no more, but has not gone, is waited for."""

T = TypeVar("T")


@dataclass(eq=False)
class Processes:
    """The processes of a run, as one of them sees them; alone, all of this costs nothing.

    Attributes:
        rank: Which one this is, from 0.
        size: How many there are.
        local_rank: Which one this is on its machine; None alone.
        store: Where all of them can count something, even when one has gone.
        control: Group for what goes through the CPU.
        lost: Whether one has gone: nothing can be exchanged any more.
    """

    rank: int = 0
    size: int = 1
    local_rank: int | None = None
    store: Store | None = None
    control: dist.ProcessGroup | None = None
    lost: bool = False

    @property
    def first(self) -> bool:
        """Whether this is the one that prints and writes."""
        return self.rank == 0

    def share(self, items: Iterable[T]) -> list[T]:
        """Return what this process has to do of what all have to do."""
        return list(items)[self.rank :: self.size]

    def total(self, values: Tensor) -> Tensor:
        """Return the sums over all processes, the same in each.

        Args:
            values: On the CPU, of the same shape in all processes.

        Raises:
            LostProcessError: If a process has gone.
        """
        if self.size > 1:
            values = values.clone()
            with self._company():
                dist.all_reduce(values, group=self.control)
        return values

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put the sums over all processes into tensors, in one exchange for each type.

        Args:
            tensors: On the device, of the same shapes in all processes.

        Raises:
            LostProcessError: If a process has gone.
        """
        self._in_one(tensors, dist.all_reduce)

    def take_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the values of the first.

        Raises:
            LostProcessError: If a process has gone.
        """
        self._in_one(tensors, lambda flat: dist.broadcast(flat, 0))

    def highest(self, value: int) -> int:
        """Return the largest value of all processes.

        Raises:
            LostProcessError: If a process has gone.
        """
        if self.size == 1:
            return value
        found = torch.tensor([value])
        with self._company():
            dist.all_reduce(found, op=dist.ReduceOp.MAX, group=self.control)
        return int(found)

    def everywhere(self, work: Callable[[], T]) -> T:
        """Do something in every process; if it fails in one, it fails in all.

        Raises:
            InputError: With every problem that any process had with it, each once.
            LostProcessError: If a process has gone.
        """
        if self.size == 1:
            return work()
        result: T | None = None
        problems: tuple[Problem, ...] = ()
        try:
            result = work()
        except InputError as error:
            problems = tuple(error.problems)
        found: list[tuple[Problem, ...]] = [()] * self.size
        with self._company():
            dist.all_gather_object(found, problems, group=self.control)
        if any(found):
            raise InputError(dict.fromkeys(problem for some in found for problem in some))
        return cast("T", result)

    def on_first(self, work: Callable[[], T]) -> T:
        """Do something in the first process alone, and return in all what it returned.

        When a process has gone, the first still does it, and the others have no result.

        Raises:
            InputError: In all processes, if it fails in the first.
            LostProcessError: If a process has gone.
        """
        if self.size == 1 or (self.lost and self.first):
            return work()
        if self.lost:
            return cast("T", None)
        told: list[tuple[T | None, tuple[Problem, ...]]] = [(None, ())]
        if self.first:
            try:
                told = [(work(), ())]
            except InputError as error:
                told = [(None, tuple(error.problems))]
        with self._company():
            dist.broadcast_object_list(told, src=0, group=self.control)
        result, problems = told[0]
        if problems:
            raise InputError(problems)
        return cast("T", result)

    def _in_one(self, tensors: Sequence[Tensor], exchange: Callable[[Tensor], object]) -> None:
        if self.size == 1:
            return
        for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
            some = [tensor for tensor in tensors if tensor.dtype == dtype]
            flat = torch.cat([tensor.detach().reshape(-1) for tensor in some])
            with self._company():
                exchange(flat)
            parts = flat.split([tensor.numel() for tensor in some])
            for tensor, part in zip(some, parts, strict=True):
                tensor.detach().copy_(part.view_as(tensor))

    @contextmanager
    def _company(self) -> Iterator[None]:
        """Make one kind of error of all that torch raises when a process has gone."""
        try:
            yield
        except RuntimeError as error:
            self.lost = True
            raise LostProcessError(_reason(error), speaks=self._speaks()) from error

    def _speaks(self) -> bool:
        """Whether this process is the first to notice, and so the one that says it."""
        if self.store is not None:
            with suppress(RuntimeError):  # the store went with the process that kept it
                return bool(self.store.add("lost", 1) == 1)
        return True


def _reason(error: RuntimeError) -> str:
    """Return what happened, without gloo's source file before it and its advice after it."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return re.sub(r"^\[[^\]]*\] *", "", line).split(". ")[0]


ALONE = Processes()
"""One process, which has nobody to talk to."""


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the other processes that torchrun started, or be alone where it did not.

    Args:
        device: "auto", or a torch device; CUDA means a GPU for each process, and NCCL for
            the gradients.

    Yields:
        The processes; inside the block they can exchange things.

    Raises:
        InputError: If the device is one that processes cannot share.
        LostProcessError: If the others cannot be reached.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE
        return
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    if not cuda and device not in ("auto", "cpu"):
        raise InputError(
            Problem(
                "--device",
                "auto, cpu or cuda under torchrun, where each process takes its own",
                device,
                "pass --device auto",
            )
        )
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if cuda and local < torch.cuda.device_count():
        torch.cuda.set_device(local)
    processes = Processes(local_rank=local)
    with processes._company():
        try:
            store, processes.rank, processes.size = next(rendezvous("env://"))
        except ValueError as error:
            raise InputError(
                Problem(
                    "WORLD_SIZE and what belongs to it in the environment",
                    "what torchrun sets",
                    str(error),
                    "start the processes with torchrun, or unset WORLD_SIZE",
                )
            ) from error
        processes.store = PrefixStore("progfix", store)
        dist.init_process_group(
            "nccl" if cuda else "gloo",
            store=store,
            rank=processes.rank,
            world_size=processes.size,
            timeout=PATIENCE,
        )
        processes.control = dist.new_group(backend="gloo", timeout=PATIENCE) if cuda else None
    try:
        yield processes
    finally:
        # With one gone the others cannot be told good-bye; the process ends all the same.
        if not processes.lost:
            dist.destroy_process_group()
