"""Predictions by several processes: the same ones, and what becomes of a process that fails."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from progfix.data.dataset import ArrayFeatures, Dataset, FeatureSource, Segment, Video
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.hdf5_access import inspection
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.predict import predict
from progfix.predict_processes import predict_in_processes
from progfix.predictions import Predictions
from progfix.predictions_io import save_predictions
from progfix.sources import SourceOptions, open_source
from tests.cli.entry import ENTRY, progfix
from tests.cli.test_usage import refused
from tests.training.tiny import write_tiny

WIDTH = 5


@dataclass(frozen=True)
class Deadly:
    """Features whose reader is killed, as for want of memory."""

    shape: tuple[int, ...]

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError(start, stop)


@dataclass(frozen=True)
class Trusting:
    """Features in a file that need not be looked at again, where they are read."""

    source: FeatureSource

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.floating]:
        values = self.source.read(start, stop)
        assert multiprocessing.parent_process() is not None
        assert inspection._CURRENT is None
        return values


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def model(output: str = "progress") -> ProgressModel:
    torch.manual_seed(0)
    spec = HeadSpec(output=output, hidden=8)  # type: ignore[arg-type]  # one of them
    return ProgressModel(None, build_head(spec, WIDTH))


def videos(count: int) -> list[Video]:
    """Every third without a segment, the others with two, one of which may be censored."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        frames = int(rng.integers(8, 30))
        cut = frames // 3
        segments = (
            Segment(0, cut, "x"),
            Segment(cut + 1, frames - 1, "y", censored=number % 4 == 0),
        )
        features = ArrayFeatures(rng.normal(size=(frames, WIDTH)).astype(np.float32))
        chosen = () if number % 3 == 2 else segments
        made.append(Video(f"v{number}", "t", frames, chosen, features))
    return made


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("output", ["progress", "remaining"])
def test_several_processes_answer_as_one_does(output: str, tmp_path: Path) -> None:
    head, data = model(output), Dataset(tuple(videos(23)))
    tables = [
        list(predict(head, data, videos_per_chunk=2)),
        list(predict_in_processes(head, data, 3, videos_per_chunk=2)),
    ]
    assert len(tables[0]) == len(tables[1]) == 12
    written = []
    for number, chunks in enumerate(tables):
        save_predictions(tmp_path / f"{number}.csv", chunks)
        written.append((tmp_path / f"{number}.csv").read_bytes())
    assert written[0] == written[1]
    together = [Predictions.concat(chunks) for chunks in tables]
    assert np.array_equal(together[0].prediction, together[1].prediction)
    assert (together[1].lower is None) is (output == "progress")
    assert head.training


def test_what_a_process_refuses_is_said_of_its_video() -> None:
    given = videos(9)
    bad = ArrayFeatures(np.full((given[7].num_frames, WIDTH), np.nan, np.float32))
    given[7] = replace(given[7], features=bad)
    coming = predict_in_processes(model(), Dataset(tuple(given)), 2, videos_per_chunk=1)
    with pytest.raises(InputError, match="v7: expected finite features") as caught:
        list(coming)
    assert len(caught.value.problems) == 1


def test_a_killed_process_is_one_clear_error() -> None:
    given = videos(9)
    given[3] = replace(given[3], features=Deadly((given[3].num_frames, WIDTH)))
    with pytest.raises(InputError, match="--jobs 2: expected processes that live until"):
        list(predict_in_processes(model(), Dataset(tuple(given)), 2, videos_per_chunk=1))


def test_a_file_is_inspected_once_for_all_processes(tmp_path: Path) -> None:
    data = open_dataset(DataOptions(path=str(write_tiny(tmp_path / "tiny.h5", (WIDTH,)))))
    trusting = tuple(
        replace(video, features=Trusting(video.features)) for video in data if video.features
    )
    assert len(list(predict_in_processes(model(), Dataset(trusting), 2))) == 1


def test_what_is_not_taken_is_given_up() -> None:
    coming = predict_in_processes(model(), Dataset(tuple(videos(40))), 2, videos_per_chunk=1)
    next(coming)
    coming.close()


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    write_tiny(folder / "tiny.h5")
    progfix("train", "--data", "tiny.h5", "--epochs", "1", "--out", "run", folder=folder)
    return folder / "run"


def test_eval_with_jobs_prints_the_same(run_folder: Path) -> None:
    told = [
        progfix("eval", "run", "--split", "all", "--json", *jobs, folder=run_folder.parent).stdout
        for jobs in ((), ("--jobs", "2"))
    ]
    assert told[0] == told[1]


def test_jobs_are_for_checkpoints_on_the_cpu(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.csv").write_text("video,target,prediction\nx,.5,.1\nx,1,.9\ny,1,.3\n")
    (line,) = refused("eval", str(tmp_path / "p.csv"), "--jobs", "2")
    assert "--jobs: expected a checkpoint or a run that is computed on data" in line
    monkeypatch.setattr("progfix.training.devices.resolve_device", lambda _: torch.device("meta"))
    data = DataOptions(path=str(run_folder.parent / "tiny.h5"))
    with pytest.raises(InputError, match="--jobs 2: expected a model on the CPU"):
        open_source(str(run_folder), SourceOptions(data=data, jobs=2))


def processes(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_the_command(
    number: signal.Signals, wait: float, run_folder: Path
) -> None:
    # A shell lets what it runs in the background ignore Ctrl-C, this test among it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = run_folder.parent
    data = "procedures/1:tasks=8,videos=600,dim=6"
    process = subprocess.Popen(
        [ENTRY, "eval", "run", "--data", data, "--split", "all", "--jobs", "2"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    limit = time.monotonic() + 60
    while len(processes(folder)) < 5 and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)  # the command, its tracker and server, two workers
    time.sleep(wait)
    assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    # A worker that was not yet ready may say that what it was to be told did not arrive.
    assert number == signal.SIGKILL or said == b"error: interrupted\n"
    limit = time.monotonic() + 20
    while processes(folder) and time.monotonic() < limit:
        time.sleep(0.1)
    assert processes(folder) == []
