"""`--model package.module:callable`: a user's module, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.files import atomic_path
from progfix.predictions import Predictions
from progfix.sources import SourceOptions, open_source

CODE = """
import torch

class Half(torch.nn.Module):
    def forward(self, features):
        return torch.full((len(features), 1), 0.5)

class Short(Half):
    def forward(self, features):
        return torch.zeros(3)

class Falls(Half):
    def forward(self, features):
        raise RuntimeError("boom\\nin two lines")

class Nan(Half):
    def forward(self, features):
        return torch.full((len(features),), float("nan"))

def broken():
    raise ValueError("nope")

number = 3
"""


def answers(name: str) -> Predictions:
    data = DataOptions(path="procedures/1:tasks=1,videos=6,dim=4")
    source = open_source(None, SourceOptions(data=data, model=name, device="cpu"))
    assert source.chunks is not None
    return Predictions.concat(source.chunks())


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_progress.py").write_text(CODE)
    (tmp_path / "their_syntax.py").write_text("syntax error(")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_module_answers_every_frame() -> None:
    rows = answers("their_progress:Half")
    assert len(rows) > 0
    assert (rows.prediction == 0.5).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("their_progress", "expected package.module:callable"),
        ("nowhere:make", "ModuleNotFoundError"),
        ("their_syntax:make", "SyntaxError"),
        ("their_progress:missing", "AttributeError"),
        ("their_progress:number", "TypeError"),
        ("their_progress:broken", "ValueError: nope"),
        ("their_progress:Short", "numbers for"),
        ("their_progress:Falls", "RuntimeError: boom"),
        ("their_progress:Nan", "finite predictions"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        answers(name)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    for target in (tmp_path, Path()):
        with pytest.raises(InputError, match="the name of a file"), atomic_path(target):
            pass
