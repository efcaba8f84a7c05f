"""Pickles that would do what no checkpoint needs, opcode by opcode, and zip files around them."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch

from tests.fuzz.case import CANARY, Case

Raw = Callable[[bytes], bytes]


def text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def call(module: bytes, name: bytes, *arguments: bytes) -> bytes:
    return b"c" + module + b"\n" + name + b"\n(" + b"".join(arguments) + b"tR"


def entry(value: bytes) -> bytes:
    """A dictionary as the users' checkpoints are, with a value in it."""
    return b"\x80\x02}(" + text(b"model_state_dict") + value + b"u."


def frame4(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


SYSTEM = b"cos\nsystem\n"
STORAGE = b"ctorch\nFloatStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
ORDERED = b"ccollections\nOrderedDict\n)R"


def tensor(key: bytes, count: bytes, size: bytes, stride: bytes, kind: bytes = STORAGE) -> bytes:
    storage = b"(" + text(b"storage") + kind + text(key) + text(b"cpu") + count + b"tQ"
    return REBUILD + b"(" + storage + b"K\x00" + size + stride + b"\x89" + ORDERED + b"tR"


HUGE = b"\x8a\x08" + struct.pack("<q", 10**12)
HOSTILE: dict[str, Raw] = {
    "reduce": lambda sh: entry(call(b"os", b"system", text(sh))),
    "reduce of posix": lambda sh: entry(call(b"posix", b"system", text(sh))),
    "reduce of eval": lambda sh: entry(
        call(b"builtins", b"eval", text(b"__import__('os').system(%r)" % sh.decode()))
    ),
    "reduce in python 2's names": lambda sh: entry(
        call(b"__builtin__", b"exec", text(b"import os; os.system(%r)" % sh.decode()))
    ),
    "reduce of getattr": lambda sh: entry(
        call(b"builtins", b"getattr", b"cos\nsystem\n", text(b"__call__")) + b"(" + text(sh) + b"tR"
    ),
    "reduce of subprocess": lambda sh: entry(
        call(b"subprocess", b"Popen", b"](" + text(b"sh") + text(b"-c") + text(sh) + b"e")
    ),
    "reduce of an allowed name on a forbidden": lambda sh: entry(
        b"ccollections\nOrderedDict\n(](]("
        + text(b"a")
        + call(b"os", b"system", text(sh))
        + b"eetR"
    ),
    "build": lambda sh: entry(
        ORDERED + b"}(" + text(b"x") + call(b"os", b"system", text(sh)) + b"ub"
    ),
    "build of setstate": lambda sh: entry(
        b"ceasydict\nEasyDict\n)R}(" + text(b"__setstate__") + SYSTEM + b"ub" + text(sh) + b"b"
    ),
    "build of a class": lambda sh: entry(ORDERED + b"}(" + text(b"__class__") + SYSTEM + b"ub"),
    "inst": lambda sh: entry(b"(" + text(sh) + b"ios\nsystem\n"),
    "obj": lambda sh: entry(b"(" + SYSTEM + text(sh) + b"o"),
    "newobj": lambda sh: entry(SYSTEM + b"(" + text(sh) + b"t\x81"),
    "newobj ex": lambda sh: frame4(SYSTEM + b"(" + text(sh) + b"t}\x92"),
    "stack global": lambda sh: frame4(b"\x8c\x02os\x94\x8c\x06system\x94\x93(" + text(sh) + b"tR"),
    "stack global by protocol 2": lambda sh: entry(
        text(b"os") + text(b"system") + b"\x93(" + text(sh) + b"tR"
    ),
    "stack global from the memo": lambda sh: frame4(
        text(b"system") + b"q\x01" + text(b"os") + b"q\x02h\x02h\x01\x93(" + text(sh) + b"tR"
    ),
    "stack global of a dotted name": lambda sh: frame4(
        text(b"collections") + text(b"abc.sys.modules") + b"\x93"
    ),
    "ext1": lambda sh: entry(b"\x82\x07(" + text(sh) + b"tR"),
    "ext2": lambda sh: entry(b"\x83\x07\x01(" + text(sh) + b"tR"),
    "ext4": lambda sh: entry(b"\x84\x07\x01\x01\x00(" + text(sh) + b"tR"),
    "persistent id in text": lambda sh: entry(b"Pos.system " + sh.replace(b"\n", b"") + b"\n"),
    "persistent id of a call": lambda sh: entry(call(b"os", b"system", text(sh)) + b"Q"),
    "persistent id of no storage": lambda sh: entry(b"(" + text(b"module") + SYSTEM + b"tQ"),
    "nested torch file": lambda sh: entry(
        call(b"torch.storage", b"_load_from_bytes", b"B" + struct.pack("<I", len(sh)) + sh)
    ),
    "torch hub": lambda sh: entry(call(b"torch.hub", b"load", text(b"x/y"), text(b"z"))),
    "numpy object array": lambda sh: entry(
        call(
            b"numpy.core.multiarray", b"_reconstruct", b"cnumpy\nndarray\n", b"K\x00\x85", b"C\x01b"
        )
    ),
    "functools partial": lambda sh: entry(call(b"functools", b"partial", SYSTEM, text(sh))),
    "a second pickle behind": lambda sh: entry(b"}") + entry(call(b"os", b"system", text(sh))),
}
"""Each would make the canary, if the pickle were executed; the shell command is given."""

BROKEN: dict[str, bytes] = {
    "tensor of 10^12 numbers": entry(tensor(b"0", HUGE, HUGE + b"\x85", b"K\x01\x85")),
    "tensor that repeats itself": entry(tensor(b"0", b"K\x01", HUGE + b"\x85", b"K\x00\x85")),
    "tensor of negative size": entry(
        tensor(b"0", b"J\xff\xff\xff\xff", b"K\x01\x85", b"K\x01\x85")
    ),
    "tensor with stride below": entry(
        tensor(b"0", b"K\x01", b"K\x02\x85", b"J\xff\xff\xff\xff\x85")
    ),
    "tensor out of the archive": entry(
        tensor(b"../../../../etc/passwd", b"K\x01", b"K\x01\x85", b"K\x01\x85")
    ),
    "tensor that is no storage": entry(
        tensor(b"0", b"K\x01", b"K\x01\x85", b"K\x01\x85", b"ccollections\nOrderedDict\n")
    ),
    "list in itself": entry(b"]q\x00h\x00a"),
    "dictionary in itself": entry(b"}q\x00(" + text(b"x") + b"h\x00u"),
    "2^40 lists": entry(b"]q\x00" + b"".join(b"](h\x00h\x00eq\x00" for _ in range(40))),
    "tuples 100,000 deep": entry(b"(" * 100_000 + b"t" * 100_000),
    "lists 1,000 deep": entry(b"]" * 1000 + b"a" * 999),
    "long text shared often": entry(text(b"y" * 100_000) + b"q\x00(" + b"h\x00" * 100_000 + b"l"),
    "long4 of 2 GB": entry(b"\x8b\xff\xff\xff\x7f"),
    "long4 of negative length": entry(b"\x8b\xff\xff\xff\xff"),
    "long4 of a megabyte": entry(b"\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20)),
    "long in a million digits": entry(b"L" + b"9" * 1_000_000 + b"L\n"),
    "int in a million digits": entry(b"I" + b"9" * 1_000_000 + b"\n"),
    "binunicode of 4 GB": entry(b"X\xff\xff\xff\xffx"),
    "binunicode8 of 2^63": frame4(b"\x8d" + b"\xff" * 7 + b"\x7fx"),
    "binbytes8 of 2^62": frame4(b"\x8e" + b"\0" * 7 + b"\x40x"),
    "bytearray8 of 2^62": b"\x80\x05\x96" + b"\0" * 7 + b"\x40x.",
    "binstring of negative length": entry(b"T\xff\xff\xff\xffx"),
    "frame of 2^62": b"\x80\x04\x95" + b"\0" * 7 + b"\x40}.",
    "memo that was never set": entry(b"j\xff\xff\xff\x7f"),
    "memo of index 2^32": entry(b"}r\xff\xff\xff\xff"),
    "key that cannot be one": entry(b"}(]K\x01u"),
    "nothing on the stack": b"\x80\x02R.",
    "no mark": b"\x80\x02t.",
    "no end": b"\x80\x02}",
    "nothing": b"",
    "text of half a pair": entry(b"}(" + text(b"\xed\xa0\x80") + b"K\x01u"),
    "control characters": entry(b"}(" + text(b"\x1b[2J\r\n\x00") + b"K\x01u"),
    "protocol 99": b"\x80\x63}.",
    "numbers that are none": b"\x80\x02}("
    + text(b"epoch")
    + b"G\x7f\xf8\0\0\0\0\0\0"
    + text(b"model_state_dict")
    + b"}u.",
}
"""What is damaged, or stands for more than there is; no name but allowed ones."""


def torch_zip(path: Path, record: bytes, *, method: int = zipfile.ZIP_STORED) -> Path:
    """Write a file of torch.save with another pickle in it."""
    plain = io.BytesIO()
    torch.save({"x": torch.ones(4)}, plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", method) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, record if info.filename.endswith("data.pkl") else data)
    return path


def legacy(path: Path, record: bytes) -> Path:
    """Write a file as torch.save did before 1.6, with another pickle in it."""
    head = [
        pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    ]
    path.write_bytes(b"".join(head) + record + pickle.dumps([], 2))
    return path


def _shell(folder: Path) -> bytes:
    return f"touch {folder / CANARY}".encode()


def _hostile(raw: Raw, way: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        record = raw(_shell(folder))
        path = folder / "x.pt"
        if way == "plain":
            path.write_bytes(record)
            return path
        return torch_zip(path, record) if way == "zip" else legacy(path, record)

    return make


CASES = [
    Case("checkpoint", f"{name} {way}", _hostile(raw, way))
    for name, raw in HOSTILE.items()
    for way in ("zip", "legacy", "plain")
] + [
    Case("checkpoint", f"{name} {way}", _hostile(lambda _, data=data: data, way))  # type: ignore[misc]
    for name, data in BROKEN.items()
    for way in ("zip", "legacy")
]
