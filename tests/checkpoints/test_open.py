"""From paths to files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.open import find_checkpoint
from progfix.errors import InputError
from tests.checkpoints.made import BASELINE, head_of, payload_of, save, small_encoder


def folder(root: Path, *files: str) -> Path:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["checkpoint.pt", "last.pt", "ckpt/best_model.pt"], "checkpoint.pt"),
        (["ckpt/best_model.pt", "ckpt/epoch-50.pt"], "ckpt/best_model.pt"),
        (["ckpt/epoch-9.pt", "ckpt/epoch-10.pt", "ckpt/epoch-x.pt"], "ckpt/epoch-10.pt"),
        (["ckpt/epoch-0.pt", "ckpt/best_model_progress.pt"], "ckpt/epoch-0.pt"),
        (
            ["ckpt/best_model_alignment.pt", "ckpt/best_model_combined.pt"],
            "ckpt/best_model_combined.pt",
        ),
        (["ckpt/best_model_progress.pt"], "ckpt/best_model_progress.pt"),
    ],
)
def test_which_file_of_a_folder_is_read(tmp_path: Path, files: list[str], chosen: str) -> None:
    assert find_checkpoint(folder(tmp_path, "config.json", *files)) == tmp_path / chosen


def test_a_file_is_itself(tmp_path: Path) -> None:
    path = save(payload_of(small_encoder(), head_of(BASELINE), {}), tmp_path / "any.pt")
    assert open_checkpoint(path).path == path
    assert open_checkpoint(str(path)).path == path


def test_a_run_folder_of_the_users_opens(tmp_path: Path) -> None:
    (tmp_path / "ckpt").mkdir()
    path = tmp_path / "ckpt" / "best_model.pt"
    save(payload_of(small_encoder(), head_of(BASELINE), {}), path)
    assert open_checkpoint(tmp_path).path == path


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([], "none of them"),
        (["ckpt/notes.txt", "config.json"], "none of them"),
        (["last.pt", "config.json"], "a run that has not completed an epoch"),
    ],
)
def test_folders_without_a_checkpoint(tmp_path: Path, files: list[str], found: str) -> None:
    with pytest.raises(InputError, match=found):
        open_checkpoint(folder(tmp_path, *files))


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"format": "progfix-training/1"}, "a file of format progfix-training/1"),
        ({"format": "progfix-checkpoint/2"}, "'progfix-checkpoint/2'"),
        ({"state_dict": {}, "epoch": 3}, "entries state_dict, epoch"),
        ({}, "entries none"),
    ],
)
def test_files_of_another_content(tmp_path: Path, payload: dict[str, object], found: str) -> None:
    torch.save(payload, tmp_path / "x.pt")
    with pytest.raises(InputError, match=found):
        open_checkpoint(tmp_path / "x.pt")
