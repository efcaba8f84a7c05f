import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from progfix.predictions import Predictions
from progfix.predictions_io import save_predictions
from tests.cli.entry import ENTRY, progfix
from tests.cli.evaluating import BASELINES, evaluated, run, value
from tests.made_predictions import cut_by_video, made_predictions


@pytest.fixture
def table() -> Predictions:
    return made_predictions(1, videos=12)


@pytest.fixture
def saved(tmp_path: Path, table: Predictions) -> Path:
    path = tmp_path / "first.csv"
    save_predictions(path, cut_by_video(table))
    return path


def test_a_predictions_file_on_one_screen(saved: Path, table: Predictions) -> None:
    done = run("eval", saved)
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    mae = np.abs(table.prediction - table.target).mean()
    assert f"{mae:.3f}".removeprefix("0") in done.stdout
    for text in ("constant 0.5", "frame counting", "counting per action", "leave-one-video-out"):
        assert text in done.stdout


def test_json_alone_on_stdout(saved: Path, table: Predictions) -> None:
    found = evaluated(saved, "--bootstrap", 30)
    assert found["format"] == "progfix-eval/1"
    mae = np.abs(table.prediction - table.target).mean()
    assert value(found, "sources", 0, "metrics", "mae", "value") == pytest.approx(mae, abs=1e-12)
    constant = value(found, "baselines", "constant", "mae", "value")
    skill = value(found, "sources", 0, "metrics", "skill_constant", "value")
    assert skill == pytest.approx(1 - mae / constant)


def test_several_sources_and_a_star(saved: Path, table: Predictions) -> None:
    better = saved.with_name("better.npz")
    save_predictions(better, [table.with_prediction((table.prediction + table.target) / 2)])
    done = run("eval", saved, better, "--by", "task", "--by", "position")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "minus first" in done.stdout
    row = done.stdout.split("minus first")[1].splitlines()[2]
    assert row.startswith("better")
    assert "*" in row
    assert "first: by task" in done.stdout
    assert "better: by position in the action" in done.stdout


def test_the_data_split_gives_the_counting() -> None:
    found = evaluated(*BASELINES, "--data", "procedures/1", "--bootstrap", 0)
    assert found["fitted_on"] == "train split, 471 segments"
    assert found["sources"][0]["data"] == "procedures/1, test split"  # type: ignore[index]
    for place, name in enumerate(("constant", "frame_counting", "frame_counting_per_action")):
        own = value(found, "sources", place, "metrics", "mae", "value")
        assert own == value(found, "baselines", name, "mae", "value")
    assert value(found, "sources", 1, "metrics", "skill_frame_counting", "value") == 0
    assert value(found, "sources", 0, "metrics", "mae", "value") == pytest.approx(0.25, abs=0.001)


def test_the_random_baseline_is_always_the_same_and_the_oracle_is_right() -> None:
    sources = ("baseline:random", "baseline:oracle")
    first, second = (
        evaluated(*sources, "--data", "procedures/1", "--bootstrap", 0) for _ in range(2)
    )
    assert first == second
    # |u - t| for two independent uniform numbers is 1/3 on average.
    assert value(first, "sources", 0, "metrics", "mae", "value") == pytest.approx(1 / 3, abs=0.01)
    assert value(first, "sources", 1, "metrics", "mae", "value") == 0


@pytest.mark.parametrize("ending", [".csv", ".npz", ".h5", ".parquet"])
def test_saved_predictions_evaluate_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    options = ("--data", "procedures/1", "--bootstrap", 0)
    before = evaluated("baseline:random", *options, "--save-predictions", path)
    after = evaluated(path, *options)
    assert after["sources"][0]["metrics"] == before["sources"][0]["metrics"]  # type: ignore[index]
    assert after["baselines"] == before["baselines"]


def test_the_csv_and_the_tables(saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    done = run("eval", saved, "--csv", target, "--markdown", "--bootstrap", 20)
    assert done.stdout.startswith("| source | MAE |")
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"source": "first", "kind": "metric", "metric": "mae"}.items() <= rows[0].items()
    done = run("eval", saved, "--latex", "--bootstrap", 0)
    assert r"\begin{tabular}{lrrrrrrr}" in done.stdout


def test_groups_of_few_videos_say_so(saved: Path) -> None:
    by_task = run("eval", saved, "--by", "task").stdout.split("by task")[1]
    assert by_task.count("intervals of fewer than 10 videos are too narrow") == 1
    assert "videos frames  MAE" in by_task
    assert "too narrow" not in run("eval", saved, "--by", "task", "--bootstrap", 0).stdout


def test_sources_without_a_common_video_have_a_heading_each(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("video,prediction,target\nx,.2,.5\nx,.5,1\ny,.3,.5\ny,.6,1\n")
    done = run("eval", saved, other)
    first, second = done.stdout.split("no video in common with first, so not compared:")
    assert "12 videos" in first
    assert "2 videos, 2 segments, 4 frames" in second
    assert first.count("constant 0.5") == second.count("constant 0.5") == 1
    assert "minus" not in done.stdout
    assert "note: other: no video in common with first, so not compared" in done.stderr


def test_counting_fitted_on_foreign_data_is_said(saved: Path) -> None:
    done = run("eval", saved, "--data", "procedures/1")
    assert "frame counting fitted on: train split, 471 segments of procedures/1" in done.stdout
    assert not done.stdout.startswith("procedures/1")
    assert "of its 12 videos, none in procedures/1" in done.stderr


def test_what_is_derived_is_said_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("video,target,prediction\nx,.5,.1\nx,1,.9\ny,1,.3\n")
    done = run("eval", path)
    assert "note: p: no column for duration, elapsed, segment; derived" in done.stderr
    assert "note:" not in done.stdout


def test_what_is_undefined_for_several_sources_alike_is_said_once(
    tmp_path: Path, table: Predictions
) -> None:
    paths = [tmp_path / "flat.csv", tmp_path / "level.csv"]
    for path, answer in zip(paths, (0.4, 0.5), strict=True):
        save_predictions(path, [table.with_prediction(np.full(len(table), answer))])
    said = run("eval", *paths).stdout
    assert said.count("no rank correlation in") == 1
    assert "flat, level: no rank correlation in" in said


def test_a_poor_source_is_suspected(tmp_path: Path, table: Predictions) -> None:
    path = tmp_path / "poor.h5"
    save_predictions(path, [table.with_prediction(1 - table.target)])
    assert "! answering 0.5 has a lower MAE than poor" in run("eval", path).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.csv",), "missing.csv: expected a checkpoint"),
        (("bad.csv",), "error: bad.csv, line 3: expected finite numbers"),
        (("baseline:best", "--data", "procedures/1"), "baseline:best: expected one of constant"),
        (("good.csv", "--json", "--latex"), "--json and --latex: expected one form of output"),
        (("good.csv", "good.csv", "--save-predictions", "x.csv"), "expected one source, found 2"),
        (("good.csv", "--save-predictions", "x.xls"), "expected a name that ends in .csv"),
        (("good.csv", "--csv", "good.csv/x.csv"), "expected a place that can be written"),
        (("good.csv", "--by", "colour"), "colour"),
        (("good.csv", "--bootstrap", "-1"), "--bootstrap"),
        ((), "SOURCE: expected a checkpoint"),
    ],
)
def test_bad_usage_and_input(
    tmp_path: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text("video,target,prediction\nx,1,.5\ny,1,.4\n")
    (tmp_path / "bad.csv").write_text("video,target,prediction\nx,.5,.5\nx,1,nan\n")
    done = run("eval", *arguments, status=2)
    assert done.stdout == ""
    assert message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


def test_the_installed_command(saved: Path) -> None:
    done = progfix("eval", saved.name, "--json", "--bootstrap", "5", folder=saved.parent)
    assert json.loads(done.stdout)["sources"][0]["source"] == "first"
    assert done.stderr == ""


@pytest.mark.parametrize("form", [(), ("--markdown",)])
def test_a_name_that_the_terminal_cannot_show(saved: Path, form: tuple[str, ...]) -> None:
    saved.rename(saved.with_name("é.csv"))
    done = progfix(
        *("eval", "é.csv", "--bootstrap", "0", *form), folder=saved.parent, PYTHONIOENCODING="ascii"
    )
    assert "?" in done.stdout


def test_a_reader_that_goes_away_is_no_error(saved: Path) -> None:
    eval_ = subprocess.Popen(
        [ENTRY, "eval", saved, "--bootstrap", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert eval_.stdout is not None
    eval_.stdout.close()
    _, errors = eval_.communicate()
    assert errors == ""
    assert eval_.returncode == 0


def test_a_predictions_file_is_judged_without_torch(saved: Path) -> None:
    code = (
        "import sys\n"
        "from progfix.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print('torch' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", str(saved), "--bootstrap", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "False"


PLAIN = "video,prediction,target\na,.2,.5\na,.5,1\nb,.3,.5\nb,.6,1\n"


@pytest.mark.parametrize("flag", ["--csv", "--save-predictions"])
def test_a_file_that_is_there_is_not_lost(tmp_path: Path, flag: str) -> None:
    source = tmp_path / "mine.csv"
    source.write_text(PLAIN)
    done = progfix("eval", "mine.csv", flag, "mine.csv", folder=tmp_path, status=2)
    assert f"{flag} mine.csv: expected a new file" in done.stderr
    assert source.read_text() == PLAIN


def test_an_earlier_table_may_be_written_again(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(PLAIN)
    for _ in range(2):
        progfix("eval", "mine.csv", "--csv", "table.csv", folder=tmp_path)
    assert (tmp_path / "table.csv").read_text().startswith("source,kind,group,metric")
