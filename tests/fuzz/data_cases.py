"""Data sets whose labels or features are absurd, elsewhere, or no data at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.data.samples import gtcc_task, hand_made_hdf5, ms_tcn_folder, ramp
from tests.fuzz.archive_cases import HEADERS
from tests.fuzz.case import Case

TASK = gtcc_task({"S07_a": [("1", 0, 90), ("2", 90, 300)], "S07_b": [("1", 0, 120)]})


def labels(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "x.json").write_bytes(content)
        return folder / "x.json"

    return make


def task(**changes: object) -> bytes:
    return json.dumps({"tea": {**TASK, **changes}}).encode()


JSON: dict[str, bytes] = {
    "nothing": b"",
    "zeros": bytes(1000),
    "nested 10^5 deep": b"[" * 100_000,
    "nested 10^5 deep and closed": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 10^7 digits": b'{"tea": {"handles": ' + b"9" * 10**7 + b"}}",
    "a number of 4,000 digits": task(hdl_end_times=[[90, 10**4000], [120]]),
    "a time beyond floats": task(hdl_end_times=[[90, 0], [120]]).replace(
        b"[90, 0]", b"[90, 1e999]"
    ),
    "a time that is no number": task().replace(b"300", b"NaN"),
    "a time of 2^53": task(hdl_end_times=[[90, 2**53], [120]]),
    "negative times": task(hdl_start_times=[[-1, 90], [0]]),
    "true for a time": task(hdl_start_times=[[True, 90], [0]]),
    "keys twice": b'{"tea": {}, "tea": ' + json.dumps(TASK).encode() + b"}",
    "half of a pair": task(hdl_actions=[["1", "2"], ["1"]]).replace(b'"1"', b'"\\ud800"'),
    "names that a terminal obeys": task(handles=["\x1b[2J", "S07_b"]),
    "names out of the folder": task(handles=["../../etc/S07_passwd", "/dev/S07_zero"]),
    "handles twice": task(handles=["S07_a", "S07_a"]),
    "handles that are numbers": task(handles=[1, 2]),
    "lists in lists": task(hdl_actions=[[["1"], "2"], ["1"]]),
    "nulls": task(hdl_actions=None),
    "more lists than handles": task(handles=["S07_a"]),
    "10^5 handles without lists": task(handles=[f"S07_{i}" for i in range(100_000)]),
    "utf-16": json.dumps({"tea": TASK}).encode("utf-16"),
    "an empty object": b"{}",
    "empty lists": task(hdl_actions=[[], []], hdl_start_times=[[], []], hdl_end_times=[[], []]),
}
VALID_JSON = {"names that a terminal obeys", "names out of the folder"}


def with_features(put: Callable[[Path], object]) -> Callable[[Path], Path]:
    """Annotations, and something at the place of one video's features."""

    def make(folder: Path) -> Path:
        (folder / "features").mkdir()
        np.save(folder / "features" / "S07_b.npy", ramp(5))
        put(folder / "features" / "S07_a.npy")
        return labels(task())(folder)

    return make


def folder_with(put: Callable[[Path], object]) -> Callable[[Path], Path]:
    """An MS-TCN folder, which is then changed."""

    def make(folder: Path) -> Path:
        path = folder / "x"
        ms_tcn_folder(path, {"a": ["x"] * 5 + ["y"] * 4}, {"a": ramp(9).T})
        put(path)
        return path

    return make


FOLDERS: dict[str, Callable[[Path], object]] = {
    "labels of nothing": lambda p: (p / "groundTruth/a.txt").write_bytes(b""),
    "labels of zeros": lambda p: (p / "groundTruth/a.txt").write_bytes(bytes(1000)),
    "labels that are no text": lambda p: (p / "groundTruth/a.txt").write_bytes(b"\xff\n" * 9),
    "labels in a pipe": lambda p: _instead(p / "groundTruth/a.txt", os.mkfifo),
    "labels without end": lambda p: _instead(
        p / "groundTruth/a.txt", lambda at: at.symlink_to("/dev/zero")
    ),
    "labels that lead to themselves": lambda p: _instead(
        p / "groundTruth/a.txt", lambda at: at.symlink_to(at)
    ),
    "a mapping of 10^5 names": lambda p: (p / "mapping.txt").write_text(
        "".join(f"{i} n{i}\n" for i in range(100_000))
    ),
    "a mapping of one word": lambda p: (p / "mapping.txt").write_text("x\n"),
    "features in a pipe": lambda p: _instead(p / "features/a.npy", os.mkfifo),
    "features that are a folder": lambda p: _instead(p / "features/a.npy", Path.mkdir),
    "no features": lambda p: (p / "features/a.npy").unlink(),
    "no labels": lambda p: (p / "groundTruth/a.txt").unlink(),
}


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def hdf5(change: Callable[[h5py.Group], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = hand_made_hdf5(folder / "x.h5")
        with h5py.File(path, "r+") as file:
            change(file["a%20b"])
        return path

    return make


def put(name: str, *arguments: Any, **options: Any) -> Callable[[h5py.Group], object]:
    """Put another data set, or a link, in the place of one."""

    def change(group: h5py.Group) -> None:
        group.pop(name, None)
        if len(arguments) == 1 and not options:
            group[name] = arguments[0]
        else:
            group.create_dataset(name, *arguments, **options)

    return change


def _loop(group: h5py.Group) -> None:
    group["down"] = group.parent["/"]
    group.parent["again"] = group


def _index(**columns: tuple[str, object]) -> Callable[[h5py.Group], object]:
    """An index of one video whose columns are as given."""

    def change(group: h5py.Group) -> None:
        sound: dict[str, tuple[str, object]] = {
            "group": ("S5", b"a%20b"),
            "name": ("S3", b"a b"),
            "task": ("S3", b"tea"),
            "split": ("S5", b"train"),
            "source": ("S1", b""),
            "fps": ("<f8", 4.0),
            "shape": ("(4,)<i8", (10, 3, 0, 0)),
            "segments": ("<i8", 0),
            **columns,
        }
        kinds = [(name, kind) for name, (kind, _) in sound.items()]
        group.parent["#index"] = np.array([tuple(v for _, v in sound.values())], kinds)
        empty = [("start", "<i8"), ("end", "<i8"), ("censored", "i1"), ("action", "S1")]
        group.parent["#segments"] = np.zeros(0, empty)

    return change


HDF5: dict[str, Callable[[h5py.Group], object]] = {
    "10^12 frames without chunks": put("features", (10**12, 3), "f4"),
    "10^12 frames in chunks": put("features", (10**12, 3), "f4", chunks=(100, 3)),
    "10^12 segments": put("segments", (10**12, 2), "i8"),
    "10^9 letters": put("actions", (2,), h5py.string_dtype("utf-8", 10**9)),
    "no frames": put("features", (0, 3), "f4"),
    "no columns": put("features", (10, 0), "f4"),
    "whole numbers": put("features", np.zeros((10, 3), int)),
    "text": put("features", (10, 3), h5py.string_dtype()),
    "lists": put("features", (10, 3), h5py.vlen_dtype(np.float32)),
    "an external link": put("features", h5py.ExternalLink("/dev/zero", "x")),
    "a soft link to itself": put("features", h5py.SoftLink("features")),
    "external storage": put("features", (10, 3), "f4", external=[("/etc/passwd", 0, 120)]),
    "a group in a group": lambda g: (g.pop("features"), g.create_group("features")),
    "loops of groups": _loop,
    "times of 2^62": put("segments", np.array([[0, 2**62], [3, 8]])),
    "a name with a line end": lambda g: g.attrs.__setitem__("name", "x\n\x1b[2J"),
    "a name that leads out": lambda g: g.attrs.__setitem__("name", "../../x"),
    "a name of numbers": lambda g: g.attrs.__setitem__("name", np.arange(9)),
    "a rate of numbers": lambda g: g.attrs.__setitem__("fps", np.arange(9.0)),
    "a rate of nothing": lambda g: g.attrs.__setitem__("fps", h5py.Empty("f8")),
    "a format of numbers": lambda g: g.parent.attrs.__setitem__("format", np.arange(3)),
    "an index of 10^12 frames": _index(shape=("(4,)<i8", (10**12, 3, 0, 0))),
    "an index of negative columns": _index(shape=("(4,)<i8", (10, -3, 0, 0))),
    "an index of numbers": _index(name=("<i8", 7)),
    "an index of lists": _index(name=("(2,)<i8", (7, 7))),
    "an index of no text": _index(name=("S3", b"\xff\xff")),
    "an index of wrong counts": _index(segments=("<i8", 2**62)),
    "an index of two dimensions": lambda g: g.parent.__setitem__("#index", np.zeros((2, 2))),
}
VALID_HDF5 = {
    "loops of groups",
    "a name with a line end",
    "a name that leads out",
    *(name for name in HDF5 if name.startswith("an index")),
}

CASES = [
    *(
        Case("data", f"json {name}", labels(data), valid=name in VALID_JSON)
        for name, data in JSON.items()
    ),
    *(
        Case("data", f"npy {name}", with_features(lambda p, d=data: p.write_bytes(d)))  # type: ignore[misc]
        for name, data in HEADERS.items()
        if name not in ("nan", "infinity")
    ),
    Case("data", "npy in a pipe", with_features(os.mkfifo)),
    Case("data", "npy without end", with_features(lambda p: p.symlink_to("/dev/zero"))),
    Case("data", "npy of a secret", with_features(lambda p: p.symlink_to("/etc/passwd"))),
    Case("data", "npy that leads to itself", with_features(lambda p: p.symlink_to(p))),
    *(Case("data", f"folder with {name}", folder_with(change)) for name, change in FOLDERS.items()),
    *(
        Case("data", f"hdf5 {name}", hdf5(change), valid=name in VALID_HDF5)
        for name, change in HDF5.items()
    ),
]
