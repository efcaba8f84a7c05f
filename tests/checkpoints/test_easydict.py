"""The configuration is an EasyDict again, with and without the package that defines it."""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from tests.checkpoints.made import (
    AB,
    written,
)

STAND_IN = """
class EasyDict(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        super().__setattr__(key, value)
    __setattr__ = __setitem__
"""


def test_plain_loading_gives_an_easydict(
    tmp_path: Path, baseline_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "easydict.py").write_text(STAND_IN)
    monkeypatch.delitem(sys.modules, "easydict", raising=False)
    written(baseline_path, AB, tmp_path / "x.pt")
    assert "easydict" not in sys.modules
    monkeypatch.syspath_prepend(str(tmp_path))
    payload = torch.load(tmp_path / "x.pt", weights_only=False)
    config = payload["config"]
    assert type(config).__module__ == "easydict"
    assert type(config).__name__ == "EasyDict"
    assert type(config.PROGRESS_LOSS.learnable) is type(config)
    assert config.PROGRESS_LOSS.learnable.hidden_dim == 64
    assert config.ARCHITECTURE.attn_layers is config["ARCHITECTURE"]["attn_layers"]
    assert type(payload["model_state_dict"]) is OrderedDict
    monkeypatch.delitem(sys.modules, "easydict")


def test_plain_loading_with_the_real_package(tmp_path: Path, baseline_path: Path) -> None:
    easydict = pytest.importorskip("easydict")
    written(baseline_path, AB, tmp_path / "x.pt")
    assert sys.modules["easydict"] is easydict
    config = torch.load(tmp_path / "x.pt", weights_only=False)["config"]
    assert type(config) is easydict.EasyDict
    assert config == torch.load(baseline_path, weights_only=False)["config"]
