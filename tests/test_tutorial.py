"""docs/tutorial.md runs as it stands, from its first line to its last."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(python|sh)\n(.*?)```", re.DOTALL)
COMMAND = (sys.executable, "-c", "from progfix.cli.app import main; main()")


@pytest.mark.slow
def test_every_line_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```") // 2
    python, printed = "", {}
    for language, block in blocks:
        if language == "python":
            python += block
            continue
        # The blocks of Python so far, as one program: later ones use the earlier ones' names.
        if python:
            subprocess.run(
                [sys.executable, "-c", python], cwd=tmp_path, env=environment, check=True
            )
            python = ""
        for line in block.splitlines():
            first, *arguments = shlex.split(line)
            assert first == "progfix"
            done = subprocess.run(
                [*COMMAND, *arguments],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            printed[line] = done.stdout
    last = [sys.executable, "-c", python]
    done = subprocess.run(
        last, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "collapsed-range" in done.stdout
    assert "GTCC JSON" in printed["progfix data info egoprocel --fps 1"]
    assert "no better than a constant" in " ".join(
        printed["progfix diagnose predictions.csv"].split()
    )
    assert "collapsed-range" in printed["progfix diagnose failing repaired"]
    assert (tmp_path / "compared" / "sweep.png").is_file()
    assert (tmp_path / "mine" / "progress_head.py").is_file()
