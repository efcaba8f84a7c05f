"""Blocks of rows brought to whole videos, which is what the checks and the metrics take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from progfix.errors import InputError, Problem
from progfix.predictions import LONGEST_ACTION
from progfix.predictions_io.assemble import Rows, starts_of
from progfix.predictions_io.table import BLOCK_ROWS

__all__ = ["whole_videos"]


def whole_videos(blocks: Iterator[Rows], where: str) -> Iterator[Rows]:
    """Cut blocks anew into some `BLOCK_ROWS` rows each, so that no video spans two of them.

    Args:
        blocks: All rows of a file.
        where: The file, for errors.

    Raises:
        InputError: If a video has more than `LONGEST_ACTION` rows, which are in memory at once.
    """
    held: list[Rows] = []
    rows = cut = 0  # rows of `held`, and those before its last video
    for block in blocks:
        if len(block) == 0:
            continue
        first = np.flatnonzero(starts_of(block, "task", "video"))
        if not held or _same_video(held[-1], block):
            first = first[1:]
        held.append(block)
        cut = rows + int(first[-1]) if len(first) else cut
        rows += len(block)
        if rows - cut > LONGEST_ACTION:
            expected, found = f"videos of at most {LONGEST_ACTION:,} rows", "one of more"
            raise InputError(Problem(where, expected, found, "check the names of the videos"))
        if cut >= BLOCK_ROWS:
            joined = Rows.concat(held)
            yield joined.take(slice(0, cut))
            held = [joined.take(slice(cut, len(joined)))]
            rows, cut = len(held[0]), 0
    if held:
        yield Rows.concat(held)


def _same_video(before: Rows, after: Rows) -> bool:
    for name in ("task", "video"):
        if name in before.columns:
            a, b = before.category(name), after.category(name)
            if a.names[a.codes[-1]] != b.names[b.codes[0]]:
                return False
    return True
