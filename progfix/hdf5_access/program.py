"""What the child process runs: visit everything that a reader would, and survive it.

Run as a script, with requests on standard input, one JSON list `[file, CPU seconds]` per
line. Each is answered by dots while there is progress, and then a line end, or "memory" and
a line end. Errors that HDF5 reports are of no interest here, since the parent will meet the
same; what counts is that it neither crashes nor hangs nor takes more memory than the limit.

It imports no other module of progfix and so starts in the time that h5py takes.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5t

IDLE_SECONDS = 10
"""How long to wait for the next file before ending."""

DOT_SECONDS = 0.1
"""Between two signs of progress, at least."""

EXTRA_MEMORY = 1 << 30
"""Bytes of address space beyond what the interpreter and its libraries take."""

BLOCK_BYTES = 1 << 22
"""Bytes that are read at once."""

BEST_COMPRESSION = 1032
"""Bytes that deflate makes of one stored byte at most; the other filters do less."""

ALWAYS_CLAIMED = 1 << 20
"""Bytes that a data set may claim without having stored any."""

DEEPEST = 2
"""Readers look at the root's members and at theirs."""

ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError)
"""What h5py raises on a damaged or foreign file, lack of memory aside."""

REFUSALS = ("memory allocation", "no space available for allocation")
"""How HDF5 says that it was refused memory."""

Progress = Callable[[], None]


def main() -> None:
    """Answer until the parent closes the pipe or asks nothing for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    _limit_memory()
    _say("\n")
    while _asked() and (line := sys.stdin.readline()):
        path, seconds = json.loads(line)
        _limit_processor(seconds)
        try:
            visit(Path(path), _Dots())
        except MemoryError:
            _say("memory\n")
        else:
            _say("\n")


def visit(path: Path, progress: Progress) -> None:
    """Open a file and look at all that its first two levels hold.

    Args:
        path: The file.
        progress: Called after each object.

    Raises:
        MemoryError: If it asks for more than the limit.
    """
    with _tolerant(), h5py.File(path, "r") as file:
        _visit_group(h5g.open(file.id, b"/"), 1, progress)


def _visit_group(group: h5g.GroupID, level: int, progress: Progress) -> None:
    members: list[bytes] = []

    def note(name: bytes, link: h5l.LinkInfo) -> None:
        if link.type == h5l.TYPE_HARD:  # links to elsewhere are never followed
            members.append(name)

    with _tolerant():
        group.links.iterate(note, info=True)
    with _tolerant():
        _read_attributes(group)
    for name in members:
        with _tolerant():
            found = h5o.open(group, name)
            if isinstance(found, h5d.DatasetID):
                _visit_dataset(found, progress)
            elif isinstance(found, h5g.GroupID) and level < DEEPEST:
                _visit_group(found, level + 1, progress)
        progress()


@contextmanager
def _tolerant() -> Iterator[None]:
    """Pass over what h5py raises, but not where HDF5 was refused memory."""
    try:
        yield
    except ERRORS as error:
        if any(words in str(error).lower() for words in REFUSALS):
            raise MemoryError from error


def _read_attributes(group: h5g.GroupID) -> None:
    for index in range(h5a.get_num_attrs(group)):
        with _tolerant():
            attribute = h5a.open(group, index=index)
            if not _is_plain(attribute.get_type()):
                attribute.read(np.empty(attribute.shape, attribute.dtype))


def _visit_dataset(dataset: h5d.DatasetID, progress: Progress) -> None:
    """Walk the index of the chunks; read what is more than plain values.

    Plain values may be many, and reading them meets nothing but the places of chunks and
    filters.
    """
    stored = dataset.get_storage_size()  # which walks the index
    plain = _is_plain(dataset.get_type())
    if plain and stored and dataset.get_create_plist().get_nfilters():
        return
    table = h5py.Dataset(dataset)
    if table.is_virtual or table.external or not table.size:
        return
    claimed = table.size * table.dtype.itemsize
    if not plain and claimed > stored * BEST_COMPRESSION + ALWAYS_CLAIMED:
        return  # readers refuse it
    if table.ndim == 0:
        _ = table[()]
        return
    rows = 1 if plain else len(table)
    row_bytes = claimed // len(table)
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, rows if row_bytes < EXTRA_MEMORY else 0, step):
        _ = table[start : min(start + step, rows)]
        progress()


@lru_cache(maxsize=64)
def _is_plain_type(encoded: bytes) -> bool:
    kind = h5t.decode(encoded)
    if kind.get_class() == h5t.STRING:
        return not kind.is_variable_str()
    numeric = kind.get_class() in (h5t.INTEGER, h5t.FLOAT)
    return numeric and bool(h5t.py_create(kind.dtype).equal(kind))


def _is_plain(kind: h5t.TypeID) -> bool:
    """Whether values are text of fixed length, or numbers as processors have them."""
    return _is_plain_type(kind.encode())


def _limit_memory() -> None:
    """Allow `EXTRA_MEMORY` more address space where the system counts it, and no file."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        taken = Path("/proc/self/statm")
        if taken.exists():  # Linux; elsewhere the limit is not kept, or stops the interpreter
            pages = int(taken.read_text().split()[0])
            limit = pages * resource.getpagesize() + EXTRA_MEMORY
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _limit_processor(seconds: int) -> None:
    """Let the system end this process after so many more seconds of processor time."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = math.ceil(used.ru_utime + used.ru_stime) + seconds
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


class _Dots:
    """Says that there is progress, now and then: each dot wakes the parent."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + DOT_SECONDS
            _say(".")


def _asked() -> bool:
    """Wait for a request, not for ever where the system can tell."""
    if os.name != "posix":
        return True
    return bool(select.select([sys.stdin], [], [], IDLE_SECONDS)[0])


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
