"""From any data to one progfix HDF5 file: converted, or made with synthetic features."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from progfix.data.dataset import Dataset, Video
from progfix.data.hdf5_writer import FeatureType, write_hdf5
from progfix.data.open import dataset_of, open_dataset, read_data, usable
from progfix.data.options import BUILT_IN, DataOptions, is_built_in
from progfix.data.synthetic import parse_procedures, with_synthetic_features
from progfix.errors import InputError, Problem

__all__ = ["make_synthetic", "write_dataset"]

_SIZES = ("tasks", "videos")
_ENDINGS = (".h5", ".hdf5")


def make_synthetic(options: DataOptions, changes: Mapping[str, float]) -> Dataset:
    """Return the built-in data, or real annotations with synthetic features.

    Args:
        options: With a built-in name as its path, or annotations.
        changes: Options of `Procedures` by name. Annotations have their own tasks, videos
            and frame rate.

    Raises:
        InputError: If an option is out of range or would do nothing, or the annotations
            cannot be opened.
    """
    source = options.path or BUILT_IN
    builtin = is_built_in(source)
    idle = [name for name in _SIZES if name in changes and not builtin]
    if idle:
        raise InputError(
            Problem(
                ", ".join(f"--{name}" for name in idle),
                "options that annotations leave open",
                "one that would do nothing",
                "leave it out, or leave --annotations out",
            )
        )
    base = source if builtin else BUILT_IN
    added = ",".join(f"{name}={value!r}" for name, value in changes.items())
    text = f"{base}{',' if ':' in base else ':'}{added}" if added else base
    if builtin:
        return open_dataset(DataOptions(path=text, skip_tasks=options.skip_tasks))
    reading = usable(read_data(options), options)
    videos = with_synthetic_features(reading.videos, parse_procedures(text).appearance)
    kind = f"{reading.kind}, synthetic features"
    return dataset_of(dataclasses.replace(reading, videos=videos, kind=kind), options)


def write_dataset(
    data: Dataset,
    path: Path,
    *,
    dtype: FeatureType = "float32",
    replace: bool = False,
    on_video: Callable[[Video], None] | None = None,
) -> int:
    """Write a data set to a progfix HDF5 file, features block by block.

    Args:
        data: With features.
        path: Where to.
        dtype: How features are stored.
        replace: Whether a file that is there may be replaced.
        on_video: Called after each video.

    Returns:
        The number of videos.

    Raises:
        InputError: If the file exists, is not named as HDF5, cannot be written, or a video
            cannot be stored.
    """
    if path.suffix.lower() not in _ENDINGS:
        expected = f"a name that ends in {' or '.join(_ENDINGS)}, as it is HDF5 that is written"
        found = repr(path.suffix) if path.suffix else "no ending"
        raise InputError(Problem(str(path), expected, found, f"name it {path.stem}.h5"))
    if path.exists() and not replace:
        fix = "choose another name, or pass --force to replace it"
        raise InputError(Problem(str(path), "a new file", "one that exists", fix))
    return write_hdf5(path, data.videos, dtype=dtype, on_video=on_video)
