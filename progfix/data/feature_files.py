"""Finding and opening the .npy features of annotated videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from progfix.data.collector import Collector
from progfix.data.npy import NpyFeatures, npy_shape
from progfix.errors import InputError, Problem

__all__ = ["FEATURE_FOLDERS", "feature_files", "feature_folder"]

FEATURE_FOLDERS = ("features", "frames")
"""Folders looked for beside annotations: vectors first, then the maps that resnet50 takes.

Source: gerardDonahue/GTCC_CVPR2024, utils/train_util.py.
"""


def feature_folder(beside: Path, given: Path | None) -> Path | None:
    """Return the folder with features, or None for annotations without.

    Args:
        beside: Folder of the annotations.
        given: The user's choice: the folder itself, or one that has `FEATURE_FOLDERS`.

    Raises:
        InputError: If the given folder does not exist.
    """
    if given is not None and not given.is_dir():
        raise InputError(
            Problem(
                f"--feature-dir {given}",
                "a folder with .npy files",
                "a file" if given.exists() else "no such folder",
                "check the path",
            )
        )
    nested = ((given or beside) / name for name in FEATURE_FOLDERS)
    return next((folder for folder in nested if folder.is_dir()), given)


def feature_files(
    folder: Path,
    videos: Sequence[tuple[str, str]],
    collector: Collector,
) -> dict[str, NpyFeatures]:
    """Open the features of videos; only the files' headers are read.

    Args:
        folder: Where `<name>.npy` are; listed once, however many videos there are.
        videos: Where a video is annotated, for messages, and its name.
        collector: Told of files that are missing, broken, or no features.

    Returns:
        Features by video name.
    """
    present = {path.stem: path for path in folder.iterdir() if path.suffix == ".npy"}
    if videos and not any(name in present for _, name in videos):
        expected = f"features of {len(videos)} videos, such as {videos[0][1]}.npy"
        found = "none of them" if present else "no .npy file"
        collector.refuse(
            "missing-features",
            Problem(str(folder), expected, found, "name their folder with --feature-dir"),
        )
        return {}
    sources = {}
    for where, name in videos:
        path = present.get(name)
        if path is None:
            fix = "add the file, name its folder with --feature-dir, or leave the task out"
            found = f"no {name}.npy in {folder}"
            collector.refuse("missing-features", Problem(where, "features", found, fix))
            continue
        try:
            shape = npy_shape(path)
        except InputError as error:
            for problem in error.problems:
                collector.refuse("missing-features", problem)
            continue
        if len(shape) not in (2, 4) or 0 in shape:
            expected = "features (T, D) or (T, C, H, W) of one frame or more"
            fix = "extract the features again"
            problem = Problem(str(path), expected, f"shape {shape}", fix)
            collector.refuse("missing-features", problem)
            continue
        sources[name] = NpyFeatures(path, shape)
    return sources
