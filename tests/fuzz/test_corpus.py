"""Every hostile file is refused in four parts, or is the valid file that it happens to be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fuzz import archive_cases, data_cases, pickle_cases, run_cases, table_cases
from tests.fuzz.case import CANARY, Case, read

CASES = [
    case
    for module in (pickle_cases, archive_cases, table_cases, data_cases, run_cases)
    for case in module.CASES
]
LONG = ("predictions-zip-bomb-of-all-columns",)
"""Takes seconds, which is what it is there to bound."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=str(case), marks=pytest.mark.slow if str(case) in LONG else ())
        for case in CASES
    ],
)
def test_a_hostile_file(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, work = tmp_path / "given", tmp_path / "work"
    given.mkdir()
    work.mkdir()
    path = case.make(given)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(work)
    started = time.process_time()
    valid = read(case.kind, path)
    assert time.process_time() - started < 10
    assert sorted(tmp_path.rglob("*")) == before
    assert not (given / CANARY).exists()
    assert case.valid or not valid
