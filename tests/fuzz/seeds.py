"""Valid files of every format, small, to be mutated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.predictions_io import save_predictions
from tests.checkpoints.made import BASELINE, head_of, payload_of, small_encoder
from tests.data.samples import hand_made_hdf5, ms_tcn_folder, ramp, write_features
from tests.fuzz.data_cases import TASK
from tests.made_predictions import made_predictions


def predictions(ending: str) -> Callable[[Path], list[Path]]:
    def make(folder: Path) -> list[Path]:
        save_predictions(folder / f"x{ending}", [made_predictions()])
        return [folder / f"x{ending}"]

    return make


def few_columns(folder: Path) -> list[Path]:
    (folder / "x.csv").write_text(
        "video,target,prediction\n" + "".join(f"a,{i / 4},.5\n" for i in range(1, 5)) + "b,1,0\n"
    )
    return [folder / "x.csv"]


def labels(folder: Path) -> list[Path]:
    write_features(folder / "features", {"S07_a": ramp(11), "S07_b": ramp(5)})
    splits = {"splits": {"tea": {"train": ["S07_a"], "val": ["S07_b"]}}}
    (folder / "x.json").write_text(json.dumps({"tea": TASK}))
    (folder / "data_splits.json").write_text(json.dumps(splits))
    return [folder / "x.json", folder / "data_splits.json"]


def frames(folder: Path) -> list[Path]:
    labels = {"a": ["x"] * 5 + ["y"] * 4, "b": ["y"] * 6}
    features = {"a": ramp(9).T.copy(), "b": ramp(6).T.copy()}
    ms_tcn_folder(folder / "x", labels, features, {"train.split1": ["a"], "test.split1": ["b"]})
    parts = (folder / "x").rglob("*.*")
    return sorted(path for path in parts if path.is_file())


def _checkpoint(zipped: bool) -> Callable[[Path], list[Path]]:
    def make(folder: Path) -> list[Path]:
        torch.manual_seed(0)
        payload = payload_of(small_encoder(), head_of(BASELINE))
        torch.save(payload, folder / "x.pt", _use_new_zipfile_serialization=zipped)
        return [folder / "x.pt"]

    return make


checkpoint, legacy_checkpoint = _checkpoint(zipped=True), _checkpoint(zipped=False)


def run(folder: Path) -> list[Path]:
    config = {"format": "progfix-run/1", "started": "2026", "seed": 0, "data": {"path": "x"}}
    (folder / "x").mkdir()
    (folder / "x" / "config.json").write_text(json.dumps(config))
    return [folder / "x" / "config.json"]


def history(folder: Path) -> list[Path]:
    head = (
        "epoch,steps,train_loss,skipped,head_gradient,head_applied,val_mae,val_skill_constant,"
        "val_skill_frame_counting,best,seconds,alignment_loss,head_share\n"
    )
    (folder / "x").mkdir()
    (folder / "x" / "history.csv").write_text(head + "1,9,.5,0,.1,.1,.2,.3,.1,1,2.5,,\n" * 3)
    return [folder / "x" / "history.csv"]


def own_hdf5(folder: Path) -> list[Path]:
    videos = [
        Video(
            name, "tea", 9, (Segment(0, 4, "x"), Segment(5, 8, "y")), ArrayFeatures(ramp(9)), "test"
        )
        for name in ("a", "b c")
    ]
    write_hdf5(folder / "x.h5", videos)
    return [folder / "x.h5"]


def foreign_hdf5(folder: Path) -> list[Path]:
    return [hand_made_hdf5(folder / "x.h5")]


def chunked_hdf5(folder: Path) -> list[Path]:
    """Chunks with an old index, compressed in two ways, and text in a heap."""
    with h5py.File(folder / "x.h5", "w") as file:
        file.attrs["format"] = "progfix-data/1"
        for name, compression in (("a", "gzip"), ("b", "lzf")):
            video = file.create_group(name)
            video.attrs.update({"task": "tea", "split": "train"})
            video.create_dataset(
                "features",
                data=ramp(30),
                chunks=(4, 3),
                maxshape=(None, 3),
                compression=compression,
            )
            video["segments"] = np.array([[0, 9], [10, 29]])
            video.create_dataset("actions", data=["x", "y"], dtype=h5py.string_dtype())
    return [folder / "x.h5"]


def foreign_predictions(folder: Path) -> list[Path]:
    with h5py.File(folder / "x.h5", "w") as file:
        file["video"] = np.zeros(6, np.int32)
        file["video_names"] = ["a"]
        file["target"] = np.arange(1, 7) / 6
        file.create_dataset("prediction", data=np.zeros(6), chunks=(3,), compression="gzip")
    return [folder / "x.h5"]
