"""Hostile files through the command itself: its status, its time and its memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.entry import ENTRY
from tests.fuzz.case import CANARY, Case
from tests.fuzz.test_corpus import CASES

SECONDS, BYTES = 10.0, 1 << 30
FEW = (
    "checkpoint-reduce-zip",
    "checkpoint-2^40-lists-zip",
    "predictions-hdf5-a-chunk-that-explodes",
    "data-npy-header-of-10^12-frames",
    "data-hdf5-10^12-frames-without-chunks",
    "run-config.json-nested-10^5-deep",
)
HEAVY = (
    "checkpoint-long-text-shared-often-zip",
    "checkpoint-tensor-of-10^12-numbers-zip",
    "checkpoint-zip-bomb-of-bzip2",
    "predictions-csv-10^6-columns",
    "predictions-csv-one-line-of-50-MB",
    "predictions-parquet-of-a-shared-text",
    "predictions-zip-bomb-of-all-columns",
    "predictions-zip-bomb-of-lzma",
    "predictions-zip-bomb-of-one-column",
    "data-json-a-number-of-10^7-digits",
    "data-hdf5-10^9-letters",
)
MORE = (*HEAVY, *(str(case) for case in CASES[::24]))
PROBLEM = re.compile(r"error: .+: expected .+, found .+; .+", re.DOTALL)


# What a forked process reports begins with its parent's memory: a small one in between.
MEASURED = """
import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def run(case: Case, folder: Path) -> tuple[int, str, float, int]:
    """Return status, what was written to stderr, processor seconds, and bytes at the peak."""
    given, work = folder / "given", folder / "work"
    given.mkdir()
    work.mkdir()
    path = case.make(given)
    before = sorted(folder.rglob("*"))
    command = ("data", "check") if case.kind == "data" else ("diagnose",)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, ENTRY, *command, str(path)],
        cwd=work,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not (given / CANARY).exists()
    assert sorted(folder.rglob("*")) == before
    status, seconds, peak = json.loads(done.stdout)
    return status, done.stderr, seconds, peak * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.skipif(os.name != "posix", reason="the system does not say what a child took")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=str(case), marks=() if str(case) in FEW else pytest.mark.slow)
        for case in CASES
        if str(case) in FEW + MORE
    ],
)
def test_the_command(case: Case, tmp_path: Path) -> None:
    status, text, seconds, peak = run(case, tmp_path)
    sys.stdout.write(f"{case}: status {status}, {seconds:.1f} s, {peak >> 20} MiB\n")
    assert seconds < SECONDS
    assert peak < BYTES
    # `data check` lists what is wrong with data, and succeeds.
    fine = case.valid or case.kind == "data"
    assert status == 2 or (status == 0 and fine)
    assert "Traceback" not in text
    if status == 2:
        assert all(PROBLEM.match(line) for line in text.splitlines() if line.startswith("error: "))
        assert "error: " in text


def test_the_few_are_among_the_cases() -> None:
    assert set(FEW + HEAVY) <= {str(case) for case in CASES}
