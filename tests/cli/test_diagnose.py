import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from progfix.cli.app import app
from progfix.predictions_io import save_predictions
from progfix.solutions import RECOMMENDED
from tests.cli.entry import ENTRY, progfix
from tests.cli.entry import progfix as entry_progfix
from tests.diagnosis.planted import planted

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures"


@pytest.fixture
def constant(tmp_path: Path) -> Path:
    path = tmp_path / "flat.csv"
    save_predictions(path, [planted("constant", "medium", seed=0)])
    return path


def run(*arguments: object, status: int = 0) -> str:
    """Run the application in this process and return what it printed, errors included."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    result = runner.invoke(app, ["diagnose", *map(str, arguments)])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.output


def needs(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


def test_the_screen_is_plain_and_fits_80_columns_when_piped(constant: Path) -> None:
    done = progfix("diagnose", constant.name, folder=constant.parent)
    lines = done.stdout.splitlines()
    assert " ".join(lines[:2]) == (
        "Looks fine by its loss (MAE .251), but answers .48 to .49 everywhere: no better than a "
        "constant."
    )
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert all(len(line) <= 80 for line in lines if not line.startswith("  progfix"))
    bars = [line.count("█") for line in lines if re.match(r" +\d+-", line)]
    assert len(bars) == 10
    assert min(bars[0], bars[-1]) > 5 * max(bars[4:6])
    assert f"  progfix train --init CHECKPOINT --data DATA --solution {RECOMMENDED}" in lines


def test_json_alone_on_stdout(constant: Path) -> None:
    done = progfix("diagnose", constant, "--json", "--bins", "4", folder=constant.parent)
    found = json.loads(done.stdout)
    assert found["format"] == "progfix-diagnosis/1"
    assert [position["low"] for position in found["positions"]] == [0, 0.25, 0.5, 0.75]
    assert found["findings"][0]["id"] == "collapsed-range"
    assert found["source"] == "flat"


@pytest.mark.parametrize(
    ("kind", "fail_on", "status"),
    [
        ("constant", "never", 0),
        ("constant", "error", 1),
        ("counter", "error", 0),
        ("counter", "warning", 1),
        ("noisy", "info", 0),
    ],
)
def test_exit_status(kind: str, fail_on: str, status: int, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    save_predictions(path, [planted(kind, "medium", seed=0)])
    assert run(path, "--fail-on", fail_on, status=status)


def test_with_json_the_report_is_not_spoken_of(constant: Path, tmp_path: Path) -> None:
    assert json.loads(run(constant, "--json", "--out", tmp_path / "report"))["source"] == "flat"
    assert (tmp_path / "report" / "report.html").exists()


def test_out_writes_the_json(constant: Path, tmp_path: Path) -> None:
    run(constant, "--out", tmp_path / "new" / "folder", "--fail-on", "error", status=1)
    written = json.loads((tmp_path / "new" / "folder" / "diagnosis.json").read_text())
    assert written == json.loads(run(constant, "--json"))


def test_baselines_on_built_in_data() -> None:
    counting = json.loads(
        run(
            "baseline:frame-counting",
            "--data",
            "procedures/1:videos=12",
            "--split",
            "all",
            "--json",
        )
    )
    assert [f["id"] for f in counting["findings"]] == ["same-curve", "no-skill"]
    assert {f["severity"] for f in counting["findings"]} == {"warning"}
    assert counting["skill"]["frame_counting"] == 0
    assert counting["fix_command"] is None
    for baseline in ("oracle", "frame-counting-per-action"):
        text = run(f"baseline:{baseline}", "--data", "procedures/1:videos=12", "--fail-on", "info")
        assert "1. " not in text


def test_a_checkpoint_alone() -> None:
    frozen = run(needs(FIXTURES / "gtcc_frozen_head.pt"), "--fail-on", "error", status=1)
    assert frozen.startswith("The head never trained")
    assert "1. error: untrained-head" in frozen
    assert "gtcc_frozen_head.pt --data DATA --solution gs" in frozen
    assert "not checked: " in frozen.lower()
    trained = run(needs(FIXTURES / "gtcc_trained_head.pt"), "--fail-on", "info")
    assert "untrained-head" not in trained


def test_a_checkpoint_with_data() -> None:
    path = needs(FIXTURES / "gtcc_frozen_head.pt")
    data = "procedures/1:dim=64,videos=6"
    found = json.loads(run(path, "--data", data, "--split", "all", "--json"))
    assert [f["id"] for f in found["findings"] if f["role"] == "cause"] == ["untrained-head"]
    assert {f["id"] for f in found["findings"]} > {"no-skill", "deceptive-middle", "early-bias"}
    assert found["not_checked"] == []
    assert f"--data {data} " in found["fix_command"]


def test_data_that_does_not_fit_is_an_error() -> None:
    path = needs(FIXTURES / "gtcc_frozen_head.pt")
    error = run(path, "--data", "procedures/1", status=2)
    assert error.startswith("error: ")
    assert "64" in error
    assert "128" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing.pt"],
        [],
        ["baseline:oracle"],
        ["baseline:best", "--data", "procedures/1"],
        ["baseline:oracle", "--data", "procedures/1", "--out", "taken"],
    ],
)
def test_bad_input(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("kept")
    assert run(*arguments, status=2).startswith("error: ")
    assert (tmp_path / "taken").read_text() == "kept"


def test_no_parts_is_bad_usage() -> None:
    run("--bins", "0", status=2)


def test_terminals_without_block_characters_get_ascii(constant: Path) -> None:
    done = progfix(
        "diagnose", constant, folder=constant.parent, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert "####" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_failure(constant: Path, options: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [ENTRY, "diagnose", constant, *options], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert done.returncode == 0
    assert done.stderr == b""


def test_tables_need_no_torch(constant: Path) -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom progfix.cli.app import app\n"
        f"assert CliRunner().invoke(app, ['diagnose', {str(constant)!r}]).exit_code == 0\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("no_colour", [True, False])
def test_colour_on_a_terminal_unless_it_is_refused(constant: Path, no_colour: bool) -> None:
    main, other = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "TERM"}}
    environment |= {"TERM": "xterm", "COLUMNS": "80"} | ({"NO_COLOR": "1"} if no_colour else {})
    process = subprocess.Popen(
        [ENTRY, "diagnose", constant], stdout=other, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(other)
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:  # the end of a pseudo-terminal on Linux
        pass
    os.close(main)
    assert process.wait(timeout=60) == 0
    assert (b"\x1b[1;31m" in shown) is not no_colour
    assert b"collapsed-range" in shown


def test_falling_answers_are_not_said_to_follow(tmp_path: Path) -> None:
    rows = [f"v{video},{0.55 - 0.1 * i / 20},{i / 20}" for video in range(60) for i in range(1, 21)]
    (tmp_path / "falling.csv").write_text("\n".join(["video,prediction,target", *rows, ""]))
    said = " ".join(entry_progfix("diagnose", "falling.csv", folder=tmp_path).stdout.split())
    assert "they run backwards" in said
    assert "they follow it" not in said


def test_out_writes_a_report_and_figures(constant: Path, tmp_path: Path) -> None:
    page = tmp_path / "report" / "report.html"
    said = run(constant, "--out", page.parent)
    figures = list((page.parent / "figures").iterdir())
    beside = f"diagnosis.json and {len(figures)} figures"
    assert said.endswith(f"\nwrote {page}, beside it {beside}\n")
    names = {path.name for path in (tmp_path / "report").rglob("*") if path.is_file()}
    assert names == {
        "diagnosis.json",
        "report.html",
        "curves.png",
        "positions.png",
        "density.png",
        "ladder.png",
    }


def test_two_sources_are_compared(constant: Path, tmp_path: Path) -> None:
    save_predictions(tmp_path / "noisy.csv", [planted("noisy", "medium", seed=0)])
    text = run(constant, tmp_path / "noisy.csv", "--fail-on", "error")
    assert text.startswith("before: flat: Looks fine by its loss")
    assert "gone:   collapsed-range, " in text
    assert "new:    nothing" in text
    assert max(map(len, text.splitlines())) <= 79
    found = json.loads(run(tmp_path / "noisy.csv", constant, "--json"))
    assert list(found) == ["format", "diagnoses", "gone", "new", "kept"]
    assert [one["source"] for one in found["diagnoses"]] == ["noisy", "flat"]
    assert found["gone"] == found["kept"] == []
    assert found["new"][0] == "collapsed-range"
    run(constant, tmp_path / "noisy.csv", "--out", tmp_path / "both")
    assert "What changed" in (tmp_path / "both" / "report.html").read_text()


def test_more_than_two_are_too_many(constant: Path) -> None:
    error = run(constant, constant, constant, status=2)
    assert error.startswith("error: SOURCE: expected one source, or two, found 3")
    assert "--try" in run(constant, constant, "--try", "s", status=2)


def test_trying_letters_shows_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--data", "procedures/1:tasks=1,videos=6,dim=8", "--epochs", "1"]
    CliRunner().invoke(app, ["train", "-s", "baseline", *small, "--out", "first"])
    found = json.loads(run("first", "--try", "gs", "--json"))
    assert [one["source"] for one in found["diagnoses"]] == ["first", "gs-1"]
    before, after = found["diagnoses"]
    assert before["summary"]["frames"] == after["summary"]["frames"] > 0
    assert before["summary"]["mae"] != after["summary"]["mae"]
    assert {*found["gone"], *found["kept"]} <= {f["id"] for f in before["findings"]}
    # Its own numbers are kept: one epoch.
    history = (tmp_path / "runs" / "gs-1" / "history.csv").read_text()
    assert len(history.splitlines()) == 2


def test_letters_that_do_not_go_with_the_head_are_refused_by_the_name_of_their_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--data", "procedures/1:tasks=1,videos=4,dim=8", "--epochs", "1"]
    CliRunner().invoke(app, ["train", "-s", "s", "--head", "pooled", *small, "--out", "first"])
    error = run("first", "--try", "b", status=2)
    assert error.startswith("error: --try: expected letters that go together, found b with the ")


def test_unknown_letters_to_try_are_refused_by_the_name_of_their_option() -> None:
    # Before the source is opened, which takes time.
    error = run("nothing.pt", "--try", "q", status=2)
    assert error.startswith("error: --try: expected letters out of ")


def test_what_is_no_checkpoint_cannot_be_trained(constant: Path) -> None:
    error = run(constant, "--try", "gs", status=2)
    assert error.startswith("error: --try: expected a checkpoint or a run")
