"""What `progfix train` refuses before it trains, and what it says of a run that is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.evaluating import run
from tests.cli.test_usage import refused

SMALL = ("--data", "procedures/1:tasks=1,videos=6,dim=4", "--epochs", "1")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch, without an encoder."""
    folder = tmp_path_factory.mktemp("train") / "run"
    run("train", *SMALL, "--out", folder)
    return folder


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of one's own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("letters", "said", "idle"),
    [
        ("g", ("--lr", "1", "--clip", "2"), ("--lr", "--clip")),
        ("fgs", ("--clip", "2", "--head-lr", "1"), ("--clip",)),
        ("baseline", ("--head-lr", "1", "--head-clip", "1"), ("--head-lr", "--head-clip")),
        ("ab", ("--lr", "1", "--head-clip", "1"), ("--head-clip",)),
    ],
)
def test_a_step_size_that_moves_nothing_is_refused(
    tmp_path: Path, letters: str, said: tuple[str, ...], idle: tuple[str, ...]
) -> None:
    lines = refused("train", "--solution", letters, *said, *SMALL)
    assert [line.partition(":")[0] for line in lines] == [*idle]
    assert list(tmp_path.iterdir()) == []


def test_with_g_the_others_move_an_encoder_in_training(tmp_path: Path) -> None:
    settings = ("--method", "tcc", "--lr", "1e-3", "--head-lr", "1e-3", "--embedding-size", "8")
    run("train", "--solution", "g", *settings, *SMALL, "--out", "run")
    assert (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "-1"])
@pytest.mark.parametrize(
    "option",
    ["--lr", "--clip", "--weight-decay", "--progress-lambda", "--feature-noise", "--time-warp"],
)
def test_numbers_are_finite_and_not_negative(option: str, value: str) -> None:
    (line,) = refused("train", "--solution", "baseline", f"{option}={value}", *SMALL)
    assert line.startswith(f"{option}: expected ")


@pytest.mark.parametrize(
    ("letters", "option"),
    [
        ("a", "--lr"),
        ("a", "--clip"),
        ("a", "--progress-lambda"),
        ("g", "--head-lr"),
        ("g", "--head-clip"),
    ],
)
def test_what_would_keep_everything_still_is_refused(letters: str, option: str) -> None:
    (line,) = refused("train", "--solution", letters, option, "0", *SMALL)
    assert line.startswith(f"{option}: expected a finite number above 0, found 0")


@pytest.mark.parametrize("command", [("train", *SMALL), ("eval",), ("viz", "--select", "random")])
@pytest.mark.parametrize("seed", ["-1", str(2**63)])
def test_seeds_have_a_limit(command: tuple[str, ...], seed: str) -> None:
    (line,) = refused(*command, f"--seed={seed}")
    assert line.startswith("--seed: expected an integer from 0 to 9.22337e+18, found " + seed)


def test_the_largest_seed_trains() -> None:
    run("train", *SMALL, "--seed", str(2**63 - 1))


def test_an_initial_checkpoint_has_an_encoder_and_a_head_to_describe(run_folder: Path) -> None:
    (line,) = refused("train", *SMALL, "--head-spec", "elapsed")
    assert line.startswith("--head-spec: expected --init with a checkpoint of the GTCC code base")
    lines = refused("train", *SMALL, "--init", run_folder, "--head-spec", "elapsed")
    assert lines[0].startswith(f"--init {run_folder}: expected a checkpoint with an encoder")
    assert lines[1].startswith("--head-spec: expected --init with a checkpoint of the GTCC")


def test_what_is_in_the_way_of_a_run_is_named(tmp_path: Path, run_folder: Path) -> None:
    Path("file").write_text("")
    Path("folder").mkdir()
    for name in "ab":
        Path("folder", name).write_text("")
    (line,) = refused("train", *SMALL, "--out", "file")
    assert line == (
        "file: expected a new or empty folder for the run, found a file; "
        "name another folder with --out"
    )
    (line,) = refused("train", *SMALL, "--out", "folder")
    assert "found one that holds a, b; name another folder with --out" in line
    assert "--resume" not in line
    (line,) = refused("train", *SMALL, "--out", run_folder)
    assert "found a run that is already there; name another folder with --out, or go on" in line
    for command in (("train", *SMALL), ("diagnose", run_folder), ("viz", run_folder)):
        (line,) = refused(*command, "--out", "file/deeper")
        assert line.startswith("file/deeper: expected a folder that can be written, found Not a")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "file", "folder"]


def test_a_run_that_is_done_says_so(run_folder: Path) -> None:
    (line,) = refused("train", "--resume", "--out", run_folder, "--epochs", "1")
    assert line.startswith("--epochs 1: expected more than the 1 that are done, found 1")
    done = run("train", "--resume", "--out", run_folder)
    assert "note: all 1 epochs of this run were done already; --epochs gives it more" in done.stderr
    done = run("train", "--resume", "--out", run_folder, "--epochs", "2")
    assert done.stderr == ""
    assert "2 epochs" in done.stdout


def test_what_cannot_change_on_resuming_is_named(run_folder: Path) -> None:
    said = ("-s", "a", "--seed", "1", "--lr", "1", "--no-normalise", "--data", "x", "--head", "gru")
    lines = refused("train", "--resume", "--out", run_folder, *said)
    names = {line.partition(":")[0] for line in lines}
    assert names == {"--solution", "--seed", "--lr", "--normalise", "--data", "--head"}
    assert all("--device and --time-limit alone beside --resume" in x for x in lines)


@pytest.mark.parametrize("command", [("make",), ("convert", "procedures/1:tasks=1,videos=3,dim=2")])
def test_written_data_is_named_as_hdf5(tmp_path: Path, command: tuple[str, ...]) -> None:
    (line,) = refused("data", *command, "x.csv")
    assert line.startswith("x.csv: expected a name that ends in .h5 or .hdf5")
    assert list(tmp_path.iterdir()) == []
