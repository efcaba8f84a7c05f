"""`progfix viz` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix.cli.viz import default_folder
from progfix.predictions_io import save_predictions
from progfix.sources import Source
from tests.cli.entry import progfix
from tests.plots.made import offset, video

SMALL = ("--data", "procedures/1:tasks=2,videos=6,dim=8")


def predictions(folder: Path, name: str, by: float) -> Path:
    chunks = [video(v, [12, 30, 1], offset(by)) for v in ("u", "v", "w")]
    save_predictions(folder / name, chunks)
    return folder / name


def test_before_and_after_from_files_alone(tmp_path: Path) -> None:
    predictions(tmp_path, "before.csv", 0.31)
    predictions(tmp_path, "after.npz", -0.11)
    done = progfix("viz", "before.csv", "after.npz", "--num-segments", "3", folder=tmp_path)
    lines = done.stdout.splitlines()
    files = [line for line in lines if not line.startswith(" ")]
    assert files == ["progfix-figures/curves.png", "progfix-figures/positions.png"]
    for file in files:
        assert (tmp_path / file).read_bytes().startswith(b"\x89PNG")
    assert max(map(len, lines)) <= 80
    curves = lines[1 : lines.index(files[1])]
    assert len(curves) == 3 * 2  # a line for each of two sources in each of three segments
    assert [line.split()[-1] for line in curves] == [".310", ".110"] * 3
    assert all(set(line) & set("▁▂▃▄▅▆▇█") for line in curves)
    # By hand, in each video: targets above .69 are 4 of 12, 10 of 30 and 1 of 1; targets
    # below .11 are 1 of 12 and 3 of 30.
    assert done.stderr.splitlines() == [
        "note: frame counting is fitted on: leave-one-video-out",
        "note: before: 45 of 129 predictions are outside [0, 1]",
        "note: after: 12 of 129 predictions are outside [0, 1]",
    ]
    again = progfix("viz", "after.npz", "--num-segments", "1", folder=tmp_path)
    said = "note: replaced earlier figures in progfix-figures; --out FOLDER keeps both"
    assert said in again.stderr.splitlines()


def test_the_newest_run_draws_into_its_own_folder(tmp_path: Path) -> None:
    progfix("train", "--solution", "fgs", "--epochs", "1", *SMALL, folder=tmp_path)
    done = progfix("viz", "--kind", "all", "--style", "paper", "--format", "pdf", folder=tmp_path)
    files = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    kinds = ["curves", "positions", "density", "timeline", "ladder", "training"]
    assert files == [f"runs/fgs-1/figures/{kind}.pdf" for kind in kinds]
    written = {file.name for file in (tmp_path / "runs/fgs-1/figures").iterdir()}
    assert written == {f"{kind}.pdf" for kind in kinds}
    assert "note: calibration left out: no source has intervals" in done.stderr


def test_figures_of_several_sources_belong_to_no_run() -> None:
    run = Source("r", "run", path=Path("runs/r"))
    file = Source("f", "predictions", path=Path("f.csv"))
    assert default_folder([run]) == Path("runs/r/figures")
    assert default_folder([run, file]) == default_folder([file]) == Path("progfix-figures")


def test_kinds_repeat_or_stand_in_a_list(tmp_path: Path) -> None:
    predictions(tmp_path, "p.csv", 0.1)
    done = progfix(
        "viz", "p.csv", "--kind", "ladder,density", "--kind", "positions", "--out", "here",
        "--format", "svg", folder=tmp_path,
    )  # fmt: skip
    files = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert files == ["here/ladder.svg", "here/density.svg", "here/positions.svg"]


def test_a_terminal_without_block_characters_gets_plain_ones(tmp_path: Path) -> None:
    predictions(tmp_path, "p.csv", 0.1)
    done = progfix("viz", "p.csv", "--kind", "curves", folder=tmp_path, PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert "@" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("p.csv", "--kind", "pie"), "error: --kind: expected curves, "),
        (("p.csv", "--kind", "curves,training"), "error: --kind training: expected sources"),
        (("missing.csv",), "error: missing.csv: expected"),
        ((), "error: SOURCE: expected a checkpoint"),
        (("p.csv", "--out", "p.csv"), "p.csv"),
        (("p.csv", "--out", "a.PNG"), "--out a.PNG: expected a folder"),
    ],
)
def test_bad_usage_is_a_message_and_draws_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    predictions(tmp_path, "p.csv", 0.0)
    done = progfix("viz", *arguments, folder=tmp_path, status=2)
    assert message in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.rglob("*.png")) == []
