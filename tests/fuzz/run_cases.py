"""Run folders in which one file is not what a training wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import torch

from tests.fuzz.case import Case
from tests.fuzz.pickle_cases import HOSTILE, _shell, torch_zip

HISTORY_HEAD = "epoch,steps,train_loss\n"
FILES: dict[str, tuple[str, bytes]] = {
    f"{file} {name}": (file, data)
    for file, contents in {
        "config.json": {
            "nothing": b"",
            "nested 10^5 deep": b"[" * 100_000,
            "a number of 10^7 digits": b'{"format": ' + b"9" * 10**7 + b"}",
            "another format": b'{"format": "progfix-run/99"}',
            "a list": b"[]",
            "no text": b"\xff\xfe\x00",
        },
        "history.csv": {
            "nothing": b"",
            "only a header": HISTORY_HEAD.encode(),
            "10^6 columns": b"epoch" + b",x" * 1_000_000,
            "a long number": b"epoch\n" + b"9" * 100_000,
            "a long field": b"epoch\n" + b"9" * 10**6,
            "no text": b"\xff\xfe\x00",
            "zeros": bytes(1000),
        },
        "last.pt": {"nothing": b"", "text": b"hello", "zeros": bytes(1000)},
        "checkpoint.pt": {"nothing": b"", "text": b"hello", "zeros": bytes(1000)},
    }.items()
    for name, data in contents.items()
}


def run(folder: Path) -> Path:
    """Make a folder that says it is a run."""
    path = folder / "x"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"format": "progfix-run/1", "started": "2026"}))
    (path / "history.csv").write_text(HISTORY_HEAD)
    torch.save({"format": "progfix-training/1"}, path / "last.pt")
    torch.save({"format": "progfix-checkpoint/1"}, path / "checkpoint.pt")
    return path


def _with(file: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = run(folder)
        (path / file).write_bytes(data)
        return path

    return make


def _in_a_pipe(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = run(folder)
        (path / file).unlink()
        os.mkfifo(path / file)
        return path

    return make


def _hostile(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = run(folder)
        torch_zip(path / file, HOSTILE["reduce"](_shell(folder)))
        return path

    return make


CASES = [
    *(Case("run", name, _with(file, data)) for name, (file, data) in FILES.items()),
    *(
        Case("run", f"{file} in a pipe", _in_a_pipe(file))
        for file in ("config.json", "history.csv", "last.pt", "checkpoint.pt")
    ),
    *(Case("run", f"{file} of a call", _hostile(file)) for file in ("last.pt", "checkpoint.pt")),
]
