"""docs/reliability.md lists every exit status, and the code gives those."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
import typer

from progfix.cli.errors import user_errors
from progfix.errors import InputError, Problem, TrainingError
from progfix.training.interrupts import TIME_OVER, exit_status
from tests.docs_material import typed_status

ROOT = Path(__file__).resolve().parents[1]
INPUT = InputError(Problem("here", "one thing", "another", "mend it"))


def listed() -> dict[int, str]:
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    section = text.partition("## Exit statuses")[2].partition("\n## ")[0]
    return {int(n): words for n, words in re.findall(r"^\| (\d+) \| (.+) \|$", section, re.M)}


def status_of(error: BaseException) -> int:
    with pytest.raises(typer.Exit) as ended, user_errors():
        raise error
    return int(ended.value.exit_code)


def test_the_list_is_that_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "video,target,prediction\n"
        + "".join(f"v{v},{t / 20},.5\n" for v in range(12) for t in range(1, 21))
    )
    given = {
        "done": typed_status("diagnose", "p.csv", folder=tmp_path),
        "`--fail-on`": typed_status("diagnose", "p.csv", "--fail-on", "error", folder=tmp_path),
        "input": status_of(INPUT),
        "training failed": status_of(TrainingError("the loss is nan")),
        "progfix itself failed": status_of(RuntimeError("a bug")),
        "`--time-limit`": exit_status(TIME_OVER),
        "Ctrl-C": exit_status(signal.SIGINT),
        "SIGTERM": exit_status(signal.SIGTERM),
    }
    found = listed()
    assert status_of(KeyboardInterrupt()) == exit_status(signal.SIGINT)
    assert sorted(given.values()) == sorted(found)
    for words, status in given.items():
        assert words in found[status], words


def test_no_other_status_is_written_in_the_code() -> None:
    written = set()
    for path in (ROOT / "progfix").rglob("*.py"):
        text = path.read_text("utf-8")
        written |= set(re.findall(r"(?:typer\.Exit|SystemExit|sys\.exit)\((\d+)\)", text))
        written |= set(re.findall(r"\bfail\(.+?, (\d+)[,)]", text))
    assert {0, 1, 2, 3} <= {int(number) for number in written} <= set(listed())
