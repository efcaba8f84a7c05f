"""Numbers, labels and tables that fit 80 columns, the same on every screen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from progfix.evaluation import Estimate

__all__ = ["LABEL_WIDTH", "Screen", "count", "interval", "number", "short", "table"]

LABEL_WIDTH = 24


class Screen(Console):
    """A console for results on stdout, or notices on stderr.

    What the stream cannot encode becomes a question mark, and it is left to `user_errors`
    when the reader of the output goes away.

    Args:
        stderr: Write there instead of to stdout.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if isinstance(self.file, TextIOWrapper):
            self.file.reconfigure(errors="replace")

    def on_broken_pipe(self) -> None:
        """Detach stdout, as Rich does, but do not end with status 1, which has a meaning."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise BrokenPipeError


def table(first: str, columns: Iterable[str]) -> Table:
    """Return an empty table: a column of labels and columns of numbers."""
    rows = Table(box=box.SIMPLE_HEAD, padding=0, header_style="bold", show_edge=False)
    rows.add_column(short(first), no_wrap=True, min_width=LABEL_WIDTH)
    for column in columns:
        rows.add_column(column, justify="right", no_wrap=True)
    return rows


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return ".175" or "+.18"; a dash where the number is undefined."""
    if math.isnan(value):
        return "-"
    text = f"{abs(value):.{digits}f}".removeprefix("0")
    minus = value < 0 and text.strip(".0") != ""
    return ("-" if minus else "+" if signed else "") + text


def interval(value: Estimate, *, signed: bool = False) -> str:
    """Return ".160 to .190"; nothing where there is no interval."""
    if math.isnan(value.low):
        return ""
    return " to ".join(number(end, signed=signed) for end in (value.low, value.high))


def short(label: str) -> Text:
    """Return a label of at most `LABEL_WIDTH` characters, cut in the middle."""
    if len(label) > LABEL_WIDTH:
        tail = (LABEL_WIDTH - 2) // 2
        label = f"{label[: LABEL_WIDTH - 2 - tail]}..{label[-tail:]}"
    return Text(label)


def count(amount: int, word: str) -> str:
    """Return "1 video" or "2,000 videos"."""
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"
