"""Ctrl-C and a scheduler's SIGTERM, turned into a request that the loop answers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "listen"]


class StopRequest:
    """Whether somebody asked the run to stop, and how.

    Args:
        several: Whether processes under torchrun listen, which are told of one Ctrl-C twice:
            by the terminal, and by torchrun.

    Attributes:
        signal: The number of the signal that came, or None.
    """

    def __init__(self, *, several: bool = False) -> None:
        self.signal: int | None = None
        self._patient = several

    def __bool__(self) -> bool:
        return self.signal is not None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; a second Ctrl-C interrupts at once."""
        if self.signal is not None and number == signal.SIGINT and not self._patient:
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def listen(*, several: bool = False) -> Iterator[StopRequest]:
    """Yield a request that SIGINT and SIGTERM fill in; the old handlers come back after.

    Outside the main thread Python delivers no signals, and the request stays empty.

    Args:
        several: See `StopRequest`.
    """
    request = StopRequest(several=several)
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
