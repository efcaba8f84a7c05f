"""Seeded mutations of files: bytes flipped, cut, spliced; fields replaced by what is odd."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from random import Random

ODD_TEXTS = (
    "",
    " ",
    "-1",
    "0",
    "nan",
    "-inf",
    "1e999",
    "1e-320",
    "9" * 30,
    "9" * 5000,
    "0x10",
    "1_0",
    "½",
    "٣",
    "\x1b[2J",
    "..",
    "a\0b",
    "a,b",
    '"',
    "\ud800",
    "true",
    "None",
    "9007199254740993",
    "18446744073709551616",
)
ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
    2**53,
    2**64,
    10**400,
    "",
    "\ud800",
    "\x1b[2J",
    "../x",
    [],
    {},
    [[]],
    [None],
    {"": 0},
)


def mutated_bytes(data: bytes, rng: Random) -> bytes:
    """Flip, set, cut, repeat or move some bytes."""
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        if not raw:
            break
        at, other = rng.randrange(len(raw)), rng.randrange(len(raw))
        size = rng.choice((1, 2, 4, 8, 64))
        way = rng.randrange(8)
        if way < 3:
            raw[at] ^= 1 << rng.randrange(8)
        elif way == 3:
            raw[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif way == 4:
            raw[at : at + size] = rng.choice((b"\xff", b"\0", b"\x7f")) * size
        elif way == 5:
            raw[at : at + size] = raw[other : other + size]
        elif way == 6:
            del raw[at : at + size]
        elif rng.random() < 0.3:
            del raw[at:]
        else:
            raw[at:at] = raw[other : other + size]
    return bytes(raw)


def mutated_archive(data: bytes, rng: Random) -> bytes:
    """Mutate the archive itself, or a member behind a checksum that is right again."""
    if rng.random() < 0.3:
        return mutated_bytes(data, rng)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        infos = old.infolist()
        # The largest is numbers alone, of which any do.
        chosen = rng.choice(
            sorted(infos, key=lambda info: info.file_size)[: max(2, len(infos) - 1)]
        )
        for info in infos:
            content = old.read(info)
            changed = mutated_bytes(content, rng) if info is chosen else content
            new.writestr(info.filename, changed)
    return target.getvalue()


def mutated_table(data: bytes, rng: Random) -> bytes:
    """Replace, drop, double or swap fields and lines of a CSV."""
    if rng.random() < 0.4:
        return mutated_bytes(data, rng)
    rows = [line.split(",") for line in data.decode().splitlines()]
    for _ in range(rng.choice((1, 1, 2, 5))):
        row = rng.randrange(len(rows))
        column = rng.randrange(len(rows[row]) or 1)
        way = rng.randrange(6)
        if way < 3:
            rows[row][column : column + 1] = [rng.choice(ODD_TEXTS)]
        elif way == 3:
            rows.insert(row, list(rng.choice(rows)))
        elif way == 4 and len(rows) > 1:
            del rows[row]
        else:
            rows[row][column:column] = rng.choice(rows)[:2]
    return "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")


def mutated_json(data: bytes, rng: Random) -> bytes:
    """Replace, drop or double values anywhere in the tree."""
    if rng.random() < 0.3:
        return mutated_bytes(data, rng)
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        holders = [node for node in _nodes(tree) if isinstance(node, dict | list) and node]
        if not holders:
            break
        holder = rng.choice(holders)
        key = rng.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
        way = rng.randrange(5)
        if way < 3:
            holder[key] = deepcopy(rng.choice(ODD_VALUES))
        elif way == 3:
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            holder[rng.choice(("", "x", "\x1b", "handles"))] = holder[key]
    return json.dumps(tree).encode()


def _nodes(tree: object) -> list[object]:
    inside = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [tree, *(node for part in inside for node in _nodes(part))]


Mutation = Callable[[bytes, Random], bytes]
