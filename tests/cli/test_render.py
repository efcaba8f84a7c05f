"""What stands on a screen: tables at every width, and what escape codes it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from progfix.cli.render import Rows, interval
from progfix.evaluation.estimates import Estimate
from progfix.predictions_io import save_predictions
from tests.cli.entry import ENTRY
from tests.cli.evaluating import BASELINES
from tests.made_predictions import cut_by_video, made_predictions

if sys.platform != "win32":
    import pty

HEADERS = ("MAE", "95 % interval", "RMSE", "vs count")


def shown(rows: Rows, width: int) -> str:
    file = StringIO()
    Console(file=file, width=width).print(rows)
    return file.getvalue()


@given(
    st.lists(st.text("ab-/ ", min_size=1, max_size=70), min_size=1, max_size=4),
    st.integers(32, 200),
)
def test_no_number_is_lost_at_any_width(labels: list[str], width: int) -> None:
    rows = Rows("source", HEADERS, caption="of all")
    for place, label in enumerate(labels):
        rows.add(label, f".{place}11", f".{place}22 to .{place}33", f".{place}44", f"+.{place}5")
    text = shown(rows, width)
    assert max(map(len, text.splitlines())) <= width
    for place, label in enumerate(labels):
        for number in ("11", f"22 to .{place}33", "44"):
            assert text.count(f".{place}{number}") == 1
        assert text.count(f"+.{place}5") == 1
        for word in label.split():
            if len(word) <= 10:
                assert word.split("-")[0] in text
    assert text.endswith("of all\n")


def test_columns_without_room_stand_below_each_other() -> None:
    rows = Rows("source", HEADERS)
    rows.add("mine", ".111", ".222 to .333", ".444", "+.55")
    rows.add("constant 0.5", ".250", "", ".289")
    # Labels of 12 columns, numbers of 4, 13, 4 and 8, each with a space before it: three of
    # them take 12 + 5 + 14 + 5 = 36. The constant has nothing in the last one.
    assert [line.rstrip() for line in shown(rows, 36).splitlines()] == [
        "source        MAE 95 % interval RMSE",
        "────────────────────────────────────",
        "mine         .111  .222 to .333 .444",
        "constant 0.5 .250               .289",
        "",
        "source       vs count",
        "─────────────────────",
        "mine             +.55",
    ]
    assert shown(rows, 45).count("source") == 1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    table = made_predictions(1, videos=12)
    save_predictions(folder / "first.csv", cut_by_video(table))
    better = table.with_prediction((table.prediction + table.target) / 2)
    save_predictions(folder / "a second one, better.csv", cut_by_video(better))
    return folder


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_eval_shows_the_same_numbers_at_every_width(files: Path, width: int) -> None:
    sources = ("first.csv", "a second one, better.csv", "first.csv")
    lines = _printed(files, "eval", *sources, "--bootstrap", "20", "--by", "task", columns=width)
    assert "…" not in lines
    assert max(map(len, lines.splitlines())) <= width
    wide = _printed(files, "eval", *sources, "--bootstrap", "20", "--by", "task", columns=300)
    assert _numbers(lines) == _numbers(wide)


@pytest.mark.parametrize("command", [("data", "info"), ("data", "check")])
def test_data_commands_show_the_same_numbers_at_every_width(
    files: Path, command: tuple[str, str]
) -> None:
    wide = _printed(files, *command, "procedures/1", columns=200)
    narrow = _printed(files, *command, "procedures/1", columns=60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert _numbers(narrow) == _numbers(wide)


def _printed(folder: Path, *arguments: str, columns: int) -> str:
    done = subprocess.run(
        [ENTRY, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _numbers(text: str) -> list[str]:
    """Return the words that are decimals or counts, sorted: how they stand does not matter."""
    return sorted(word for word in text.split() if word.strip("+-*%.,").replace(",", "").isdigit())


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", *BASELINES, "--data", "procedures/1", "--bootstrap", "20"),
        ("data", "info", "procedures/1"),
        ("eval", "--help"),
        ("viz", "first.csv", "--kind", "ladder", "--out", "figures"),
    ],
)
@pytest.mark.parametrize("refusal", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": ""}])
def test_a_terminal_is_sent_no_escape_code_where_they_are_refused(
    files: Path, arguments: tuple[str, ...], refusal: dict[str, str]
) -> None:
    seen = _on_terminal(files, *arguments, **refusal)
    refused = refusal != {"NO_COLOR": ""}
    assert (b"\x1b" not in seen) or not refused
    if arguments[0] == "eval" and not refused:
        assert b"\x1b[1m" in seen


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names")
def test_a_name_sends_the_terminal_nothing(tmp_path: Path) -> None:
    name = "a\x1b[31m\x9bb.csv"
    (tmp_path / name).write_text("video,prediction,target\nx,.2,.5\nx,.5,1\ny,.3,.5\ny,.6,1\n")
    seen = _on_terminal(tmp_path, "eval", name, "--bootstrap", "20", NO_COLOR="1").decode()
    assert "a [31m b" in seen
    assert "a [31m b: no tasks" in seen
    assert all(letter.isprintable() or letter in "\r\n" for letter in seen)


def _on_terminal(folder: Path, *arguments: str, **environment: str) -> bytes:
    """Return what a command writes to a terminal, stdout and stderr."""
    main, other = pty.openpty()
    usual = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [ENTRY, *arguments],
        cwd=folder,
        stdout=other,
        stderr=other,
        env=usual | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment,
    )
    os.close(other)
    seen = b""
    try:
        while part := os.read(main, 4096):
            seen += part
    except OSError:  # the end of a pseudo-terminal on Linux
        pass
    os.close(main)
    assert process.wait(timeout=60) == 0
    return seen


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-0.02, 0.01, "-.020 to +.010"),
        (-0.03, -0.0004, "-.0300 to -.0004"),
        (0.0006, 0.02, "+.001 to +.020"),
        (0.00004, 0.02, "+.00004 to +.02000"),
        (-0.0004, 0.0001, "+.000 to +.000"),
    ],
)
def test_an_interval_that_excludes_zero_shows_it(low: float, high: float, shown: str) -> None:
    assert interval(Estimate(0.0, low, high), signed=True) == shown
