"""Consoles, numbers and tables that lose nothing, the same on every screen."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from progfix.cli.terminal import plain, voice
from progfix.evaluation import Estimate

__all__ = ["LABEL_WIDTH", "Rows", "Screen", "count", "interval", "number"]

LABEL_WIDTH = 24
"""Columns that labels have where there is room, so that tables stand below each other."""

_NARROW = 16


class Screen(Console):
    """A console for results on stdout, or notices on stderr.

    What the stream cannot encode becomes a question mark, a control character in a name a
    space, and it is left to `user_errors`
    when the reader of the output goes away.

    Args:
        stderr: Write there instead of to stdout.

    Attributes:
        live: Whether a line of it can be written anew, as a progress bar is.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, color_system=None if plain() else "auto")
        self.live = self.is_terminal and not plain() and voice() == "usual"
        self.quiet = stderr and voice() == "quiet"
        if isinstance(self.file, TextIOWrapper):
            self.file.reconfigure(errors="replace")

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render as Rich does, but let no name send the terminal a control character."""
        for segment in super().render(renderable, options):
            shown = _shown(segment.text)
            kept = segment.control or shown == segment.text
            yield segment if kept else Segment(shown, segment.style)

    def on_broken_pipe(self) -> None:
        """Detach stdout, as Rich does, but do not end with status 1, which has a meaning."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise BrokenPipeError


class Rows:
    """A table of labels and numbers that loses no number on a narrow screen.

    Where there is no room for all columns they stand in several tables below each other,
    each with the labels, which are wrapped where they are long.

    Args:
        first: Above the labels.
        columns: Above the numbers.
        caption: Below the table.
    """

    def __init__(self, first: str, columns: Iterable[str], *, caption: str = "") -> None:
        self._header = (first, *columns)
        self._rows: list[tuple[tuple[str, ...], str] | None] = []
        self._caption = caption

    def add(self, label: str, *cells: str, style: str = "") -> None:
        """Add a row; cells left out are empty."""
        missing = len(self._header) - 1 - len(cells)
        self._rows.append(((label, *cells, *[""] * missing), style))

    def add_gap(self) -> None:
        """Leave a line between the rows so far and those to come."""
        self._rows.append(None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [row for row in self._rows if row is not None]
        widths = [
            max(cell_len(cells[place]) for cells in (self._header, *(c for c, _ in rows)))
            for place in range(len(self._header))
        ]
        blocks = _blocks(widths, options.max_width)
        taken = max(sum(widths[place] + 1 for place in block) for block in blocks)
        labels = max(min(max(widths[0], LABEL_WIDTH), options.max_width - taken), 1)
        for number_of, block in enumerate(blocks):
            if number_of:
                yield ""
            yield self._table(block, labels)
        if self._caption:
            yield Text(self._caption, style="dim italic")

    def _table(self, block: Sequence[int], labels: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=0, header_style="bold", show_edge=False)
        table.add_column(_wrapped(self._header[0], labels), width=labels)
        for place in block:
            table.add_column(self._header[place], justify="right", overflow="fold")
        for row in self._rows:
            if row is None:
                table.add_section()
                continue
            cells, style = row
            chosen = [cells[place] for place in block]
            # A row that has nothing in these columns is in the other tables.
            if any(chosen) or not any(cells[1:]):
                table.add_row(_wrapped(cells[0], labels), *map(Text, chosen), style=style)
        return table


def _blocks(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return which columns stand beside each other, the first one beside all of them."""
    blocks: list[list[int]] = [[]]
    used = start = min(widths[0], _NARROW)
    for place, width in enumerate(widths[1:], start=1):
        if used + 1 + width > room and blocks[-1]:
            blocks.append([])
            used = start
        blocks[-1].append(place)
        used += 1 + width
    return blocks


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _wrapped(label: str, width: int) -> Text:
    return Text("\n".join(textwrap.wrap(label, width)))


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return ".175" or "+.18"; a dash where the number is undefined."""
    if math.isnan(value):
        return "-"
    text = f"{abs(value):.{digits}f}".removeprefix("0")
    minus = value < 0 and text.strip(".0") != ""
    return ("-" if minus else "+" if signed else "") + text


def interval(value: Estimate, *, signed: bool = False) -> str:
    """Return ".160 to .190"; nothing where there is no interval.

    A difference whose interval excludes zero has as many digits as show it.
    """
    if math.isnan(value.low):
        return ""
    ends, digits = (value.low, value.high), 3
    if signed and (value.low > 0 or value.high < 0):
        nearest = min(abs(end) for end in ends)
        digits = next((d for d in range(3, 7) if round(nearest, d)), digits)
    return " to ".join(number(end, digits, signed=signed) for end in ends)


def count(amount: int, word: str) -> str:
    """Return "1 video" or "2,000 videos"."""
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"
