"""Zip files as checkpoints and NumPy archives that are bombs, doubled or lie about themselves."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tests.fuzz.case import Case, Kind


def saved(folder: Path) -> Path:
    torch.save({"model_state_dict": {"w": torch.ones(50)}}, folder / "x.pt")
    return folder / "x.pt"


def archive(folder: Path) -> Path:
    rows = {"video": np.array(["a"] * 4), "target": np.arange(1, 5) / 4, "prediction": np.zeros(4)}
    np.savez(folder / "x.npz", allow_pickle=False, **rows)
    return folder / "x.npz"


def added(
    base: Callable[[Path], Path], name: str, data: bytes, **options: int
) -> Callable[[Path], Path]:
    """Put one more member into the archive."""

    def make(folder: Path) -> Path:
        path = base(folder)
        with zipfile.ZipFile(path, "a") as file:
            prefix = "x/" if path.suffix == ".pt" else ""
            file.writestr(prefix + name, data, **options)
        return path

    return make


def patched(
    base: Callable[[Path], Path], change: Callable[[bytearray], None]
) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = base(folder)
        raw = bytearray(path.read_bytes())
        change(raw)
        path.write_bytes(raw)
        return path

    return make


def _sizes(raw: bytearray) -> None:
    """Claim 2 GB for the first member, in both of its headers."""
    raw[22:26] = struct.pack("<I", 1 << 31)
    at = raw.index(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 1 << 31)


def _method(raw: bytearray) -> None:
    raw[8:10] = struct.pack("<H", 99)
    at = raw.index(b"PK\x01\x02")
    raw[at + 10 : at + 12] = struct.pack("<H", 99)


def _encrypted(raw: bytearray) -> None:
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1


def _count(raw: bytearray) -> None:
    at = raw.rindex(b"PK\x05\x06")
    raw[at + 8 : at + 12] = b"\xff\xff\xff\xff"


def _overlap(raw: bytearray) -> None:
    """Let every member be the first one's bytes."""
    at = -1
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        raw[at + 42 : at + 46] = bytes(4)


def npy(descr: str = "'<f8'", shape: str = "(4,)", data: bytes = bytes(32)) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


HEADERS: dict[str, bytes] = {
    "header of 10^12 frames": npy(shape="(1000000000000,)"),
    "header of 10^12 by 10^12": npy(shape="(1000000000000, 1000000000000)"),
    "header of negative shape": npy(shape="(-4,)"),
    "header of a shape with true": npy(shape="(True, 4)"),
    "header of objects": npy(descr="'|O'"),
    "header of text without width": npy(descr="'<U0'"),
    "header of text a GB wide": npy(descr="'<U268435455'", shape="(4,)"),
    "header of a structure": npy(descr="[('a', '<f8')]"),
    "header of a deep structure": npy(descr="[('a'," * 60 + "'<f8'" + ")]" * 60),
    "header of times": npy(descr="'<M8[s]'"),
    "header of complex numbers": npy(descr="'<c16'", data=bytes(64)),
    "header in many brackets": npy(shape="(" * 3000 + ")" * 3000),
    "header with a call": npy(descr="__import__('os').system('true')"),
    "header with a long number": npy(shape="(" + "9" * 5000 + ",)"),
    "header that is cut": npy()[:40],
    "header of version 9": b"\x93NUMPY\x09\x00" + npy()[8:],
    "header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + npy()[10:],
    "nan": npy(data=struct.pack("<4d", *[float("nan")] * 4)),
    "infinity": npy(data=struct.pack("<4d", *[float("inf")] * 4)),
    "nothing": b"",
}
"""Of .npy files; `npy()` itself is sound."""


def _npz_with(data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = archive(folder)
        with zipfile.ZipFile(path) as old:
            members = {info.filename: old.read(info) for info in old.infolist()}
        with zipfile.ZipFile(path, "w") as new:
            for name, content in {**members, "prediction.npy": data}.items():
                new.writestr(name, content)
        return path

    return make


def _many_rows(folder: Path) -> Path:
    """Thirty million rows of zeros in a megabyte: more than a video may have."""
    header = npy(shape="(30000000,)", data=b"")
    with zipfile.ZipFile(folder / "x.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name in ("video", "target", "prediction"):
            with new.open(f"{name}.npy", "w") as member:
                member.write(header)
                for _ in range(15):
                    member.write(bytes(16_000_000))
    return folder / "x.npz"


def _zipped_bomb(method: int) -> bytes:
    """Return zeros that are a thousandth of their size, twice over."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", method) as file:
        file.writestr("zeros", bytes(60_000_000))
    return inner.getvalue()


def _both(name: str, change: Callable[[bytearray], None]) -> list[Case]:
    bases: list[tuple[Kind, Callable[[Path], Path]]] = [
        ("checkpoint", saved),
        ("predictions", archive),
    ]
    return [Case(kind, f"zip {name}", patched(base, change), valid=True) for kind, base in bases]


ZEROS = npy(shape="(8000000,)", data=bytes(64_000_000))

CASES = [
    Case("checkpoint", "zip bomb", added(saved, "data/9", bytes(60_000_000), compress_type=8)),
    Case(
        "checkpoint",
        "zip bomb of bzip2",
        added(saved, "data/9", bytes(60_000_000), compress_type=12),
    ),
    Case("checkpoint", "zip of zips", added(saved, "data/9", _zipped_bomb(8))),
    Case("checkpoint", "zip with a script", added(saved, "code/__torch__.py", b"import os")),
    Case("checkpoint", "zip with constants", added(saved, "constants.pkl", b"\x80\x02}.")),
    Case("checkpoint", "zip with a second pickle", added(saved, "data.pkl", b"cos\nsystem\n.")),
    Case("checkpoint", "zip out of the folder", added(saved, "../../../canary", b"x")),
    Case("checkpoint", "zip with an absolute name", added(saved, "/canary", b"x")),
    Case("checkpoint", "zip with control characters", added(saved, "\x1b[2J\n", b"x")),
    Case(
        "predictions",
        "zip bomb of one column",
        added(archive, "elapsed.npy", ZEROS, compress_type=8),
    ),
    Case(
        "predictions", "zip bomb of bzip2", added(archive, "elapsed.npy", ZEROS, compress_type=12)
    ),
    Case("predictions", "zip bomb of lzma", added(archive, "elapsed.npy", ZEROS, compress_type=14)),
    Case("predictions", "zip with a column twice", added(archive, "target.npy", npy()), valid=True),
    Case(
        "predictions",
        "zip out of the folder",
        added(archive, "../../canary.npy", npy()),
        valid=True,
    ),
    Case("predictions", "zip bomb of all columns", _many_rows),
    *_both("of 2 GB", _sizes),
    *_both("of an unknown method", _method),
    *_both("that is encrypted", _encrypted),
    *_both("with a false count", _count),
    *_both("that overlaps itself", _overlap),
    *(Case("predictions", f"npz {name}", _npz_with(data)) for name, data in HEADERS.items()),
]
