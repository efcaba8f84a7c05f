import doctest
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from progfix.cli.app import app
from progfix.diagnosis import FINDINGS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "diagnosis.md"


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_finding_has_a_section(text: str) -> None:
    sections = set(re.findall(r"^## ([a-z-]+)$", text, flags=re.MULTILINE))
    assert sections == {check.id for check in FINDINGS}
    for part in text.partition("# The findings")[2].partition("# How far")[0].split("\n## ")[1:]:
        assert "*How we know.*" in part
        assert "*What to do.*" in part


def test_the_example_runs() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried == 7
    assert failed == 0


def test_the_screen_is_what_the_command_prints(text: str) -> None:
    shown = re.search(r"^```\n(Looks fine.*?)```$", text, flags=re.MULTILINE | re.DOTALL)
    assert shown is not None
    arguments = ["diagnose", "baseline:constant", "--data", "procedures/1"]
    assert CliRunner().invoke(app, arguments).stdout == shown[1]
