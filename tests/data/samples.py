"""Small data sets on disk, and where the real ones are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EGOPROCEL = SHARED / "egoprocel.json"
DOOR = SHARED / "door_demonstrations.h5"

needs_shared = pytest.mark.skipif(
    not EGOPROCEL.is_file(), reason="the real annotations are not beside this repository"
)

Row = tuple[str, float, float]


def gtcc_task(videos: Mapping[str, Sequence[Row]]) -> dict[str, list[object]]:
    """Return one task in GTCC's layout from (action, start, end) by handle."""
    return {
        "handles": list(videos),
        "hdl_actions": [[row[0] for row in rows] for rows in videos.values()],
        "hdl_start_times": [[row[1] for row in rows] for rows in videos.values()],
        "hdl_end_times": [[row[2] for row in rows] for rows in videos.values()],
    }


def write_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_features(folder: Path, arrays: Mapping[str, NDArray[np.floating]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def ramp(frames: int, columns: int = 3, start: float = 0.0) -> NDArray[np.float32]:
    """Return features that tell the frame and column they come from."""
    return (np.arange(frames * columns).reshape(frames, columns) + start).astype(np.float32)


def hand_made_hdf5(path: Path, *, split: str = "train") -> Path:
    """Write the documented layout with h5py alone: no index, no checksums."""
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-data/1"
        group = file.create_group("a%20b")
        group.attrs.update({"name": "a b", "task": "tea", "fps": 4.0, "split": split})
        group["features"] = ramp(10)
        group["segments"] = np.array([[1, 3], [3, 8]])
        group.create_dataset("actions", data=["pour", "stir"], dtype=h5py.string_dtype())
        group["censored"] = np.array([False, True])
    return path


def ms_tcn_folder(
    folder: Path,
    labels: Mapping[str, Sequence[str]],
    features: Mapping[str, NDArray[np.floating]],
    splits: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    (folder / "groundTruth").mkdir(parents=True)
    names = sorted({label for lines in labels.values() for label in lines})
    mapping = "".join(f"{number} {name}\n" for number, name in enumerate(names))
    (folder / "mapping.txt").write_text(mapping, encoding="utf-8")
    for name, lines in labels.items():
        text = "".join(f"{line}\n" for line in lines)
        (folder / "groundTruth" / f"{name}.txt").write_text(text, encoding="utf-8")
    write_features(folder / "features", features)
    if splits:
        (folder / "splits").mkdir()
    for bundle, videos in (splits or {}).items():
        text = "".join(f"{video}.txt\n" for video in videos)
        (folder / "splits" / f"{bundle}.bundle").write_text(text, encoding="utf-8")
    return folder
