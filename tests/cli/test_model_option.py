"""`--model`: the user's own module beside what else is a source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.evaluating import evaluated, run, value

CODE = """
from torch import nn, full

class Half(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, features):
        return full((len(features),), self.answer)

def make(source=None):
    return Half(0.5 if source is None else float(source))
"""


def test_sources_go_to_the_callable_and_baselines_stay_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("answers_one_number.py").write_text(CODE)
    options = (
        "--model",
        "answers_one_number:make",
        "--data",
        "procedures/1:tasks=1,videos=6,dim=4",
    )
    found = evaluated("0.25", "0.5", "baseline:constant", *options, "--bootstrap", 0)
    quarter, half, constant = (
        value(found, "sources", i, "metrics", "mae", "value") for i in range(3)
    )
    assert half == constant == value(found, "baselines", "constant", "mae", "value")
    # On targets spread evenly over 0 to 1, |1/4 - t| is (1/32 + 9/32) = 0.3125 on average.
    assert quarter == pytest.approx(0.3125, abs=0.02)


def kinds(found: Any) -> list[str]:
    return [source["kind"] for source in found["sources"]]


def test_a_module_is_a_source_beside_what_is_one_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("answers_a_half.py").write_text(CODE)
    data = ("--data", "procedures/1:tasks=1,videos=6,dim=4")
    run("train", "--epochs", "1", "--out", "run", *data)
    options = ("--model", "answers_a_half:make", *data, "--bootstrap", 0)
    for beside, kind in (("baseline:constant", "baseline"), ("run", "run")):
        found = evaluated(beside, *options)
        assert kinds(found) == ["model", kind]
        assert value(found, "sources", 0, "metrics", "mae", "value") == value(
            found, "baselines", "constant", "mae", "value"
        )
    assert kinds(evaluated("run", "0.25", *options)) == ["run", "model"]
