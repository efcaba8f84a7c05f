"""Whether two runs, or two sweeps, came to the same."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from progfix import runs
from progfix.predictions import Category, Predictions
from progfix.predictions_io import load_predictions
from progfix.training.history import WALL_CLOCK_COLUMNS, read_history

__all__ = ["assert_no_leftovers", "assert_same_result", "assert_same_sweep"]


def assert_same_result(one: Path, other: Path) -> None:
    """Equal bit for bit: everything in checkpoint.pt and last.pt, history, predictions."""
    for name in (runs.BEST, runs.LAST):
        first, second = (torch.load(run / name, weights_only=True) for run in (one, other))
        _assert_equal(first, second, name)
    histories = [read_history(run / runs.HISTORY) for run in (one, other)]
    first, second = ([replace(row, seconds=0.0) for row in rows] for rows in histories)
    assert first == second
    _assert_same_predictions(*(load_predictions(run / runs.PREDICTIONS) for run in (one, other)))


def assert_same_sweep(one: Path, other: Path) -> None:
    """Equal runs, and equal results but for the names of the folders."""
    results = [json.loads((folder / "sweep.json").read_text()) for folder in (one, other)]
    for result in results:
        for cell in result["result"]["cells"]:
            del cell["runs"]
    assert results[0] == results[1]
    for run in results[0]["plan"]["runs"]:
        assert_same_result(one / run["name"], other / run["name"])


def assert_no_leftovers(folder: Path) -> None:
    """Nothing is there but what a run, or a sweep, is said to hold."""
    hidden = {path.name for path in folder.rglob("*") if path.name.startswith(".")}
    assert hidden <= {runs.LOCK}


def _assert_equal(one: Any, other: Any, where: str) -> None:
    assert type(one) is type(other), where
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, where
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            if key not in WALL_CLOCK_COLUMNS:
                _assert_equal(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for place, pair in enumerate(zip(one, other, strict=True)):
            _assert_equal(*pair, f"{where}[{place}]")
    else:
        assert one == other, where


def _assert_same_predictions(one: Predictions, other: Predictions) -> None:
    for column in fields(Predictions):
        first, second = getattr(one, column.name), getattr(other, column.name)
        if isinstance(first, Category):
            assert first.names == second.names
            first, second = first.codes, second.codes
        if isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second, err_msg=column.name)
        else:
            assert first == second, column.name
