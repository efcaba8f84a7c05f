"""Commands that write, on a disk that refuses: one clear error, nothing half-written."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.files import PatientFile, atomic_path
from progfix.predictions_io import load_predictions, save_predictions
from progfix.training.run import start_run
from tests.cli.entry import ENTRY
from tests.reliability.comparing import assert_no_leftovers
from tests.reliability.write_steps import Steps, disk_refuses
from tests.training.test_run import SMALL, ignore, options

DATA = ("--data", "procedures/1:tasks=2,videos=6,dim=8,noise=0.5")

COMMANDS = {
    "train": ("train", *DATA, "--epochs", "1", "--out", "new/run"),
    "sweep": ("sweep", *DATA, "--epochs", "1", "--solutions", "f", "--out", "new/sweep"),
    "eval h5": ("eval", "run", "--save-predictions", "new/p.h5"),
    "eval csv": ("eval", "run", "--save-predictions", "new/p.csv"),
    "eval npz": ("eval", "run", "--save-predictions", "new/p.npz"),
    "eval parquet": ("eval", "run", "--save-predictions", "new/p.parquet"),
    "eval --csv": ("eval", "run", "--csv", "new/metrics.csv"),
    "viz png": ("viz", "run", "--out", "new"),
    "viz pdf": ("viz", "run", "--out", "new", "--format", "pdf"),
    "viz svg": ("viz", "run", "--out", "new", "--format", "svg"),
    "diagnose": ("diagnose", "run", "--out", "new"),
    "make": ("data", "make", "new/d.h5", "--tasks", "1", "--videos", "4", "--dim", "4"),
    "convert": ("data", "convert", DATA[1], "new/d.h5"),
    "export": ("export", "run", "--out", "new/head.py"),
}
QUICK = ("train", "eval h5", "viz pdf")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    start_run(options(folder / "run", epochs=1), ignore)
    return folder


def refused(
    command: str, place: Path, prepare: Callable[[], None] | None = None, *prefix: str
) -> None:
    """Run a command that cannot write all it wants, and look at what it says."""
    done = subprocess.run(
        [*prefix, str(ENTRY), *COMMANDS[command]],
        cwd=place,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=prepare,  # sets a limit, before any thread
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, f"{done.returncode}\n{done.stderr}"
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("error: ")
    reasons = (
        "File too large",
        "No space left on device",
        "Read-only file system",
        "No usable temporary directory",
    )
    assert any(reason in errors[0] for reason in reasons), errors[0]


def limit(size: int) -> Callable[[], None]:
    """Let no file grow beyond `size` bytes; the system then answers EFBIG."""

    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return prepare


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=() if c in QUICK else pytest.mark.slow) for c in COMMANDS],
)
def test_a_file_that_may_not_grow_is_one_clear_error(command: str, place: Path) -> None:
    for size in (3000,) if command in QUICK else (0, 700, 3000):
        shutil.rmtree(place / "new", ignore_errors=True)
        (place / "new").mkdir()
        refused(command, place, limit(size))
        assert_no_leftovers(place / "new")
        assert not [*(place / "new").glob("*.*")]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_is_full_is_one_clear_error(command: str, place: Path) -> None:
    new = place / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    refused(command, place, None, *mounted(new, 'mount -t tmpfs -o size=4k tmpfs "$0"'))


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_read_only_is_one_clear_error(command: str, place: Path) -> None:
    # A mount, since root may write whatever the permissions are.
    new = place / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    read_only = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
    refused(command, place, None, *mounted(new, read_only))


def mounted(folder: Path, mount: str) -> tuple[str, ...]:
    """Return what to put before a command that is to see a mount on a folder."""
    prefix = ("unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', str(folder))
    able = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    if able.returncode:
        pytest.skip("no file system can be mounted here: " + able.stderr.decode().strip())
    return prefix


@pytest.mark.parametrize("ending", ["csv", "npz", "h5", "parquet"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_predictions_stay_what_they_were_at_any_step(
    tmp_path: Path, place: Path, ending: str, number: int
) -> None:
    table = load_predictions(place / "run/predictions.h5")
    file = tmp_path / f"p.{ending}"
    every_step(tmp_path, file, number, lambda: save_predictions(file, [table]))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_data_set_stays_what_it_was_at_any_step(tmp_path: Path, number: int) -> None:
    videos = open_dataset(DataOptions(path=SMALL.path)).videos[:3]
    file = tmp_path / "d.h5"
    every_step(tmp_path, file, number, lambda: write_hdf5(file, videos))


def every_step(folder: Path, file: Path, number: int, write: Callable[[], object]) -> None:
    """Let each step of writing a file fail in turn: the old file stays, or the new one is there."""
    file.write_bytes(b"old")
    counted = Steps(folder)
    with counted.watch():
        write()
    assert len(counted.taken) >= 4
    refusals = 0
    for step in range(len(counted.taken)):
        file.write_bytes(b"old")
        try:
            with Steps(folder, step, disk_refuses(number)).watch():
                write()
        except InputError as error:
            (problem,) = error.problems
            assert (problem.where, problem.found) == (str(file), os.strerror(number))
            assert file.read_bytes() == b"old"
            refusals += 1
        else:  # what can be done without, or in another way
            assert file.read_bytes() != b"old"
        assert [path.name for path in folder.iterdir()] == [file.name]
    assert refusals >= 3


def test_what_the_disk_refused_can_be_read_until_it_is_told(tmp_path: Path) -> None:
    # libhdf5 reads what it wrote; a file that forgot it would crash it later.
    with PatientFile(tmp_path / "x") as file:
        assert file.write(b"abcdef") == 6
        file.refusal = disk_refuses(errno.ENOSPC)
        file.seek(4)
        assert file.write(b"EFGH") == 4
        file.seek(2)
        buffer = bytearray(5)
        assert file.readinto(buffer) == 5
        assert bytes(buffer) == b"cdEFG"
        assert file.seek(0, os.SEEK_END) == 8
        with pytest.raises(OSError, match="No space"):
            file.require()
    assert (tmp_path / "x").read_bytes() == b"abcdef"


def test_a_link_in_a_loop_or_a_file_as_a_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "loop" / "x", tmp_path / "file" / "x"):
        with pytest.raises(InputError), atomic_path(target) as path:
            path.write_text("x")
