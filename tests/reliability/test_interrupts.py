"""Ctrl-C while a file is written: there is no file, or the old one, and the status is 130."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from progfix.checkpoints.writing import write_payload
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.files import PatientFile, atomic_path, patient_file
from progfix.held_signals import held_signals
from progfix.predictions import segment_predictions
from progfix.predictions_io import PredictionsWriter
from tests.cli.entry import ENTRY, progfix


@pytest.fixture(autouse=True)
def heeds_ctrl_c() -> Iterator[None]:
    """A shell lets what it runs in the background ignore Ctrl-C, these tests among it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def write_data(path: Path) -> None:
    random_numbers = np.random.default_rng(0)
    features = [random_numbers.random((9, 4), np.float32) for _ in range(3)]
    videos = (
        Video(f"v{n}", "t", 9, (Segment(0, 8, "a"),), features=ArrayFeatures(values))
        for n, values in enumerate(features)
    )
    write_hdf5(path, videos)


def write_predictions(path: Path) -> None:
    with PredictionsWriter(path) as out:
        for number in range(3):
            out.write(segment_predictions(np.linspace(0, 1, 9), video=f"v{number}", action="a"))


def write_checkpoint(path: Path) -> None:
    write_payload({"weights": torch.zeros(8)}, path)


def write_figure(path: Path) -> None:
    with atomic_path(path) as temporary, patient_file(temporary) as out:
        Figure((1, 1)).savefig(out, format="png")


def interrupted_at(step: int, write: Callable[[Path], None], path: Path) -> bool:
    """Write, with Ctrl-C inside the file's `step`-th write; return whether it came that far."""
    calls = 0
    whole = PatientFile.write

    def counted(file: PatientFile, data: bytes, /) -> int:
        nonlocal calls
        if calls == step:
            os.kill(os.getpid(), signal.SIGINT)
        calls += 1
        return whole(file, data)

    with mock.patch.object(PatientFile, "write", counted):
        try:
            write(path)
        except KeyboardInterrupt:
            assert calls > step
            return True
    assert calls <= step
    return False


@pytest.mark.parametrize(
    ("write", "name", "fewest"),
    [
        (write_data, "x.h5", 8),
        (write_predictions, "x.h5", 8),
        (write_checkpoint, "x.pt", 3),
        (write_figure, "x.png", 2),
    ],
)
def test_an_interrupt_in_any_write_leaves_the_old_file(
    write: Callable[[Path], None], name: str, fewest: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    step = 0
    path.write_bytes(b"old")
    while interrupted_at(step, write, path):
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == [name]
        step += 1
    assert step >= fewest
    assert path.read_bytes() != b"old"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_held_signals_come_when_they_are_let_in_and_the_handler_returns() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with held_signals() as held:
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == []
            held.deliver()
            assert seen == [signal.SIGTERM]
            os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [signal.SIGTERM] * 2
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [signal.SIGTERM] * 3
    finally:
        signal.signal(signal.SIGTERM, before)


def test_held_signals_do_nothing_in_a_thread_and_keep_what_ends_the_process() -> None:
    outcome: list[object] = []

    def hold() -> None:
        with held_signals():
            outcome.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert outcome == [signal.default_int_handler]
    with held_signals():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler


@pytest.mark.slow
@pytest.mark.parametrize("command", ["make", "convert"])
def test_ctrl_c_at_any_moment_says_130_and_leaves_no_file(command: str, tmp_path: Path) -> None:
    made = ("data", "make", "made.h5", "--tasks", "4", "--videos", "40")
    converted = ("data", "convert", "made.h5", "converted.h5", "--dtype", "float16")
    began = time.monotonic()
    progfix(*made, folder=tmp_path)
    if command == "convert":
        began = time.monotonic()
        progfix(*converted, folder=tmp_path)
    whole = time.monotonic() - began
    arguments = made if command == "make" else converted
    out = tmp_path / ("made.h5" if command == "make" else "converted.h5")
    draw = random.Random(command)  # noqa: S311
    interrupted = 0
    for _ in range(16):
        out.unlink(missing_ok=True)
        process = subprocess.Popen(
            [ENTRY, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(whole * draw.uniform(0.3, 1.0))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        # Before Python's handler is there, and after it is gone, the signal itself ends it.
        assert process.returncode in (0, 130, -signal.SIGINT), said
        if process.returncode >= 0:
            assert out.exists() == (process.returncode == 0)
        assert b"Traceback" not in said
        assert b"ignored" not in said
        interrupted += process.returncode == 130
        if out.exists():
            progfix("data", "check", out, folder=tmp_path)
    assert interrupted >= 6
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
