"""Signals kept back while a library writes that does not survive an exception of theirs.

Python raises KeyboardInterrupt wherever its code happens to run. Where that is a file's
`write`, called back by libhdf5 from the freeing of an object, h5py can only print the
exception: it is gone, the block was not written, and the damaged file would be completed
and renamed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["HeldSignals", "held_signals"]


class HeldSignals:
    """The signals that came while they were held."""

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self._came: list[tuple[int, FrameType | None]] = []

    def deliver(self) -> None:
        """Hand what came to its handlers, where an exception of theirs does no harm.

        Raises:
            KeyboardInterrupt: On Ctrl-C, if its handler is Python's.
        """
        while self._came:
            number, frame = self._came.pop(0)
            handler = self._before[number]
            if callable(handler):
                handler(number, frame)

    def _hold(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            # One without a handler in Python ends the process, or does nothing, at once.
            if callable(handler := signal.getsignal(number)):
                self._before[number] = handler
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))

    def _let_go(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


@contextmanager
def held_signals() -> Iterator[HeldSignals]:
    """Keep Ctrl-C and SIGTERM back until the block has ended, or calls `deliver`.

    Outside the main thread there is nothing to do: Python runs no handlers there.

    Raises:
        KeyboardInterrupt: At the end, on Ctrl-C, if its handler is Python's.
    """
    held = HeldSignals()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    held._hold()
    try:
        yield held
    finally:
        held._let_go()
        held.deliver()
