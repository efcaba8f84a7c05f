"""docs/rewards.md runs as it stands, from its first line to its last, and prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs_material import typed
from tests.docs_pages import ROOT, blocks

PAGE = ROOT / "docs" / "rewards.md"


def test_every_line_runs_and_what_is_shown_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names: dict[str, object] = {}
    printed = ""
    shown = 0
    for block in blocks(PAGE):
        if block.language == "python":
            exec(compile(block.text, f"{PAGE}:{block.line}", "exec"), names)  # noqa: S102
        elif block.language == "sh":
            lines = [shlex.split(line) for line in block.text.splitlines()]
            printed = "\n".join(typed(*words[1:], folder=tmp_path) for words in lines)
        else:
            assert block.language == "text"
            there = iter(re.sub(r" +$", "", printed, flags=re.M).splitlines())
            for line in block.text.splitlines():
                assert line == "..." or line in there, f"{PAGE}:{block.line}: {line}"
            shown += 1
    assert shown == 5
    assert (tmp_path / "progfix-figures" / "curves.png").is_file()
