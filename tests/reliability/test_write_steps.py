"""Every single step of a run's writing fails once: by a kill, a full disk, a quota."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from progfix import runs
from progfix.checkpoints import open_checkpoint
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.training.run import resume_run, start_run
from progfix.training.run_options import RunOptions
from tests.reliability.comparing import assert_no_leftovers, assert_same_result
from tests.reliability.write_steps import Killed, Steps, disk_refuses
from tests.training.test_run import ignore, options
from tests.training.tiny import write_tiny

LEAST = 80
"""Steps that a run of two epochs takes at least."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that nothing happened to, and the number of its steps."""
    folder = tmp_path_factory.mktemp("whole")
    write_tiny(folder / "tiny.h5")
    steps = Steps(folder / "run")
    with steps.watch():
        start_run(asked(folder, folder / "run"), ignore)
    assert len(steps.taken) >= LEAST
    return folder, len(steps.taken)


def asked(data: Path, folder: Path) -> RunOptions:
    plain = options(folder, "fgs", epochs=2, average=0.5)
    return replace(plain, data=DataOptions(path=str(data / "tiny.h5")))


def fail(folder: Path, data: Path, step: int, error: BaseException) -> None:
    """Start a run that fails at a step, and finish it as its user would."""
    steps, caught = Steps(folder, step, error), None
    with steps.watch():
        try:
            start_run(asked(data, folder), ignore)
        except (Killed, InputError) as failure:
            caught = failure
    where = steps.taken[step]
    if caught is None:  # what can be done without: a first way to try a folder, tidying up
        assert where.startswith(("open run", "mkdir ", "remove .")), where
    elif isinstance(error, OSError):
        assert isinstance(caught, InputError), where
        assert str(error.strerror) in str(caught), where
    assert_usable(folder, where)
    if runs.is_run(folder):
        resume_run(folder, ignore, device="cpu")
    else:
        start_run(asked(data, folder), ignore)
    assert_same_result(data / "run", folder)
    assert_no_leftovers(folder)
    shutil.rmtree(folder)


def assert_usable(folder: Path, where: str) -> None:
    """What is there can be read; what is not there is said."""
    if (folder / runs.BEST).exists():
        open_checkpoint(folder)
    else:
        with pytest.raises(InputError):
            open_checkpoint(folder)
    assert not (folder / runs.BEST).exists() or (folder / runs.LAST).exists(), where


@pytest.mark.slow
def test_a_kill_at_any_step_of_the_writing_loses_nothing(
    tmp_path: Path, whole: tuple[Path, int]
) -> None:
    data, steps = whole
    for step in range(steps):
        fail(tmp_path / "run", data, step, Killed())


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_at_any_step_of_the_writing_loses_nothing(
    tmp_path: Path, whole: tuple[Path, int], number: int
) -> None:
    data, steps = whole
    for step in range(number % 2, steps, 2):
        fail(tmp_path / "run", data, step, disk_refuses(number))


@pytest.mark.parametrize("part", range(3))
def test_some_steps_of_the_writing(tmp_path: Path, whole: tuple[Path, int], part: int) -> None:
    data, steps = whole
    step = part * steps // 3 + part
    fail(tmp_path / "run", data, step, Killed())
    fail(tmp_path / "run", data, step + 1, disk_refuses(errno.ENOSPC))
