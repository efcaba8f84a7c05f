"""`--model package.module:name`: a user's module, right and wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.external import load_module
from progfix.files import atomic_path
from progfix.predictions import Predictions
from progfix.sources import SourceOptions, open_source

CODE = """
import sys
import torch
print("importing")

class Half(torch.nn.Module):
    def forward(self, features):
        return torch.full((len(features), 1), 0.5)

half = Half()

class Short(Half):
    def forward(self, features):
        return torch.zeros(3)

class Falls(Half):
    def forward(self, features):
        raise RuntimeError("boom\\nin two lines")

class Nan(Half):
    def forward(self, features):
        return torch.full((len(features),), float("nan"))

class Huge(Half):
    def forward(self, features):
        return torch.full((len(features),), 1e300, dtype=torch.float64)

def broken():
    raise ValueError("nope")

def leaves():
    sys.exit(0)

def talks():
    print("loading")
    return Talks()

class Talks(Half):
    def forward(self, features):
        print("answering")
        return super().forward(features)

class Shapes(Half):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(999, 1)
    def forward(self, features):
        return self.layer(features)

def plain(features):
    return features[:, 0]

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
    for name in ("their_progress:Half", "their_progress:half"):
        rows = answers(name)
        assert len(rows) > 0
        assert (rows.prediction == 0.5).all()


def test_a_module_as_it_is_takes_no_weights() -> None:
    with pytest.raises(InputError, match="a module as it is; name its class"):
        load_module("their_progress:half", "weights.pt")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("their_progress", "expected package.module:name.*; name the module, a colon"),
        ("nowhere:make", "ModuleNotFoundError: No module named 'nowhere'; check the name"),
        ("their_syntax:make", "SyntaxError"),
        ("their_progress:missing", r"none of this name in .*their_progress\.py; check the name"),
        ("their_progress:leaves", r"SystemExit: 0 \(.*their_progress\.py, line \d+\)"),
        ("their_progress:Shapes", r"shapes cannot be multiplied .*\(.*their_progress\.py, line "),
        ("their_progress:number", "TypeError"),
        ("their_progress:plain", r"called with nothing, found plain\(features\); name its weights"),
        ("their_progress:broken", "ValueError: nope"),
        ("their_progress:Short", "numbers for"),
        ("their_progress:Falls", "RuntimeError: boom"),
        ("their_progress:Nan", "finite predictions"),
        ("their_progress:Huge", r"finite predictions, found \d+ NaN, infinite or beyond 1e\+09"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        answers(name)
    assert "\n" not in str(caught.value)


def test_what_it_prints_does_not_mix_with_results(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(answers("their_progress:talks")) > 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "loading\nanswering\n" in said.err


def test_an_import_that_leaves_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "their_script.py").write_text("import sys\nsys.exit()\n")
    with pytest.raises(InputError, match=r"SystemExit: no message \(.*their_script\.py, line 2"):
        answers("their_script:make")


def test_annotations_without_features_are_an_error(tmp_path: Path) -> None:
    lists = {"tea": {"handles": ["a", "b", "c"], "hdl_actions": [["x"]] * 3,
                     "hdl_start_times": [[0]] * 3, "hdl_end_times": [[9]] * 3}}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(lists))
    data = DataOptions(path=str(tmp_path / "a.json"), fps="1")
    options = SourceOptions(data=data, model="their_progress:Half", device="cpu", split="all")
    with pytest.raises(InputError) as caught:
        open_source(None, options)
    (problem,) = caught.value.problems
    assert problem.where == str(tmp_path / "a.json")
    assert (problem.expected, problem.found) == ("features", "annotations without features")


def test_features_that_are_not_finite_are_not_the_models_fault(tmp_path: Path) -> None:
    features = np.zeros((4, 2), np.float32)
    features[1] = np.nan
    video = Video("v", "tea", 4, (Segment(0, 3, "x"),), ArrayFeatures(features), "test")
    write_hdf5(tmp_path / "d.h5", [video])
    options = SourceOptions(DataOptions(path=str(tmp_path / "d.h5")), model="their_progress:Half")
    source = open_source(None, options)
    assert source.chunks is not None
    with pytest.raises(InputError, match=r"d\.h5, video tea v: expected finite features"):
        list(source.chunks())


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    for target in (tmp_path, Path()):
        with pytest.raises(InputError, match="the name of a file"), atomic_path(target):
            pass
