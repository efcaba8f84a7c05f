"""The files that README and docs speak of, small, made by the product where it makes such files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from typer.testing import CliRunner, Result

from progfix.checkpoints.reading import safe_load
from progfix.cli.app import app

__all__ = ["TINY", "make_material", "typed", "typed_status"]

TINY = "procedures/1:tasks=1,videos=6"
"""In the place of all built-in data: 4 training videos, as wide as the pages' own."""


def typed(*words: str, folder: Path) -> str:
    """Run `progfix` in a folder, in this process; return what it prints.

    Raises:
        AssertionError: If its status is not 0.
    """
    done = _invoked(words, folder)
    assert done.exit_code == 0, f"status {done.exit_code}\n{done.output}"
    return done.stdout


def typed_status(*words: str, folder: Path) -> int:
    """Run `progfix` in a folder, in this process; return its exit status."""
    return _invoked(words, folder).exit_code


def _invoked(words: tuple[str, ...], folder: Path) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)
    finally:
        os.chdir(before)


def make_material(folder: Path) -> Path:
    """Fill a folder with every file that a command of the pages reads."""
    typed("data", "make", "mine.h5", "--tasks", "1", "--videos", "6", folder=folder)
    for name in ("door_demonstrations.h5", "tea.h5"):
        shutil.copy(folder / "mine.h5", folder / name)
    _gtcc_annotations(folder)
    _frame_maps(folder / "frame-maps.h5")
    for run, letters in (("baseline-1", "baseline"), ("fghs-1", "fghs"), ("fghsv-1", "fghsv")):
        _train(folder, "--solution", letters, "--out", f"runs/{run}")
    runs = folder / "runs"
    for name in ("runs/before", "failing"):
        shutil.copytree(runs / "baseline-1", folder / name)
    for name in ("runs/after", "my-run"):
        shutil.copytree(runs / "fghsv-1", folder / name)
    sweep = ("sweep", "--data", TINY, "--epochs", "1", "--seeds", "2", "--jobs", "1")
    typed(*sweep, "--solutions", "fghsv,fgs", folder=folder)
    _train(
        folder, "--method", "gtcc", "--mcn", "--no-causal", "--solution", "baseline", "--out", "b"
    )
    _as_the_gtcc_code_writes_it(folder / "b" / "checkpoint.pt", folder / "best_model.pt")
    shutil.copy(folder / "best_model.pt", folder / "your_checkpoint.pt")
    shutil.rmtree(folder / "b")
    small = ("--data", f"{TINY},dim=64", "--method", "gtcc", "--solution", "baseline")
    typed("train", *small, "--epochs", "1", "--mcn", "--no-causal", "--out", "b", folder=folder)
    for name in ("gtcc_frozen_head.pt", "gtcc_trained_head.pt"):
        _as_the_gtcc_code_writes_it(folder / "b" / "checkpoint.pt", folder / name)
    shutil.rmtree(folder / "b")
    for name in ("predictions.csv", "val.csv"):
        typed("eval", "runs/fghsv-1", "--save-predictions", name, folder=folder)
    return folder


def _train(folder: Path, *options: str) -> None:
    typed("train", "--data", TINY, "--epochs", "1", *options, folder=folder)


def _as_the_gtcc_code_writes_it(ours: Path, theirs: Path) -> None:
    payload: dict[str, Any] = safe_load(ours)
    kept = ("config", "epoch", "loss", "model_state_dict", "optimizer_state_dict")
    torch.save({name: payload[name] for name in kept}, theirs)


def _gtcc_annotations(folder: Path) -> None:
    """Two tasks with EgoProceL's names and frame rates; three camera views a recording in one."""
    rng = np.random.default_rng(0)
    tasks, splits = {}, {}
    for task, pattern, fps in (("tea", "OP{:02}-tea", 24), ("Pizza.cmu", "S{:02}_Pizza", 30)):
        names = [pattern.format(number) for number in range(8)]
        for name in names:
            (folder / "features").mkdir(exist_ok=True)
            features = rng.normal(size=(60, 128)).astype(np.float32)
            np.save(folder / "features" / f"{name}.npy", features)
        turn = [fps * (20 + number) for number in range(8)]
        tasks[task] = {
            "handles": names,
            "hdl_actions": [["0", "1", "2"] for _ in names],
            "hdl_start_times": [[0, fps * 5, at] for at in turn],
            "hdl_end_times": [[fps * 5, at, fps * 50] for at in turn],
        }
        splits[task] = {"train": names[:5], "val": names[5:6], "test": names[6:]}
    for name in ("egoprocel.json", "mine.json", "labels.json"):
        (folder / name).write_text(json.dumps(tasks), encoding="utf-8")
    for name in ("splits.json", "data_splits.json"):
        (folder / name).write_text(json.dumps({"splits": splits}), encoding="utf-8")


def _frame_maps(path: Path) -> None:
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-data/1"
        for number, split in enumerate(("train", "train", "val", "test")):
            video = file.create_group(f"video{number}")
            video.attrs.update({"task": "tea", "split": split, "fps": 1.0})
            video["features"] = rng.normal(size=(24, 8, 6, 6)).astype(np.float32)
            video["segments"] = np.array([[0, 11], [12, 23]])
            video.create_dataset("actions", data=["boil", "pour"], dtype=h5py.string_dtype())
