"""Ctrl-C, a scheduler's SIGTERM and a limit of time, turned into a request to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["TIME_OVER", "StopRequest", "StoppedError", "exit_status", "listen"]

TIME_OVER = 124
"""Stands beside the numbers of signals; also the exit status, as of `timeout`."""

_STRETCHES = 3.0
_SPARE_SECONDS = 10.0
"""A run stops so many of its longest stretches between two questions before its deadline,
and this for the start and end of the process, which take seconds on a busy machine."""


class StoppedError(Exception):
    """The work at hand was given up, since somebody asked to stop; it begins anew later."""


def exit_status(number: int) -> int:
    """Return the exit status of a command that a signal, or `TIME_OVER`, has stopped."""
    return number if number == TIME_OVER else 128 + number


class StopRequest:
    """Whether something asks the run to stop, and what.

    Args:
        several: Whether processes under torchrun listen, which are told of one Ctrl-C twice:
            by the terminal, and by torchrun.
        deadline: When the work has to be saved, on the clock of `time.monotonic`; None: never.

    Attributes:
        signal: The number of the signal that came, `TIME_OVER`, or None.
    """

    def __init__(self, *, several: bool = False, deadline: float | None = None) -> None:
        self.signal: int | None = None
        self._patient = several
        self._deadline = deadline
        self._longest = 0.0
        self._last = time.monotonic()

    def asked(self) -> int:
        """Return the number of the signal that came, `TIME_OVER`, or 0.

        To be called between any two pieces of work: how long the longest of them took, saving
        included, is what has to be left of the time.
        """
        now = time.monotonic()
        self._longest = max(self._longest, now - self._last)
        self._last = now
        needed = _STRETCHES * self._longest + _SPARE_SECONDS
        if self.signal is None and self._deadline is not None and now + needed > self._deadline:
            self.signal = TIME_OVER
        return self.signal or 0

    def give_up(self) -> None:
        """Leave the work at hand where somebody asks to stop.

        Raises:
            StoppedError: If so.
        """
        if self.asked():
            raise StoppedError

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; a second Ctrl-C interrupts at once."""
        if self.signal is not None and number == signal.SIGINT and not self._patient:
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def listen(*, several: bool = False, deadline: float | None = None) -> Iterator[StopRequest]:
    """Yield a request that SIGINT and SIGTERM fill in; the old handlers come back after.

    Outside the main thread Python delivers no signals.

    Args:
        several: See `StopRequest`.
        deadline: See `StopRequest`.
    """
    request = StopRequest(several=several, deadline=deadline)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request.receive) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
