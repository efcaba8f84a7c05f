from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.npy import NpyFeatures, npy_shape
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import NAMES_SHOWN, InputError
from tests.data.samples import (
    gtcc_task,
    hand_made_hdf5,
    ms_tcn_folder,
    ramp,
    write_features,
    write_json,
)

ROWS = (("0", 0, 30), ("cut", 30, 90))


def refused(options: DataOptions) -> str:
    with pytest.raises(InputError) as caught:
        open_dataset(options)
    return str(caught.value)


def test_the_looks_decide_not_the_name(tmp_path: Path) -> None:
    hand_made_hdf5(tmp_path / "data.bin")
    kinds = {
        "data.bin": "progfix HDF5",
        "labels.txt": "GTCC JSON",
        "folder": "MS-TCN",
        "gtcc": "GTCC JSON",
        "one": "progfix HDF5",
    }
    write_json(tmp_path / "labels.txt", {"t": gtcc_task({"S01_a": ROWS})})
    ms_tcn_folder(tmp_path / "folder", {"a": ["x"] * 30}, {"a": ramp(30).T})
    (tmp_path / "gtcc").mkdir()
    write_json(tmp_path / "gtcc" / "a.json", {"t": gtcc_task({"S01_a": ROWS})})
    write_json(tmp_path / "gtcc" / "data_splits.json", {"splits": {"t": {"test": ["S01_a"]}}})
    (tmp_path / "one").mkdir()
    hand_made_hdf5(tmp_path / "one" / "x.h5")
    for name, kind in kinds.items():
        data = open_dataset(DataOptions(path=str(tmp_path / name)))
        assert data.description.startswith(kind), name


def test_what_is_nothing_known(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0 ftyp")
    (tmp_path / "empty").touch()
    (tmp_path / "a.pt").write_bytes(b"x")
    assert "after --init where it is trained" in refused(DataOptions(path=str(tmp_path / "a.pt")))
    assert "a .mp4 file of another kind" in refused(DataOptions(path=str(tmp_path / "a.mp4")))
    assert "an empty file" in refused(DataOptions(path=str(tmp_path / "empty")))
    assert "no such file" in refused(DataOptions(path=str(tmp_path / "nowhere")))
    (tmp_path / "robot" / "meta").mkdir(parents=True)
    write_json(tmp_path / "robot" / "meta" / "info.json", {"codebase_version": "v3.0"})
    text = refused(DataOptions(path=str(tmp_path / "robot")))
    assert "found a LeRobot data set" in text
    assert "docs/rewards.md" in text
    assert "or the built-in procedures/1" in refused(DataOptions())
    for name in ("a.h5", "b.hdf5"):
        hand_made_hdf5(tmp_path / name)
    assert "a folder with a.h5, b.hdf5; which one?" in refused(DataOptions(path=str(tmp_path)))
    wrong = DataOptions(path=str(tmp_path / "a.h5"), reader="ms-tcn")
    assert "where this reader takes a folder" in refused(wrong)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.h5")
    assert "found a device or a pipe" in refused(DataOptions(path=str(tmp_path / "x.h5")))


def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    path = str(hand_made_hdf5(tmp_path / "x.h5"))
    text = refused(DataOptions(path=path, ends="half-open", pairing="views"))
    assert text == (
        "--pairing, --ends: expected options that change how hdf5 data is read "
        "(--background, --resplit, --skip-tasks), found 2 that would do nothing; leave them out"
    )
    text = refused(DataOptions(path=path, splits="s.json"))
    assert text.endswith(
        "found one that would do nothing; leave it out; the splits are in the file, "
        "attribute 'split' of each video's group"
    )
    assert "--fps" in refused(DataOptions(path="procedures/1", fps="4"))
    assert "--reader" in refused(DataOptions(path="procedures/1", reader="hdf5"))


def test_options_that_hold_for_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    segments = (Segment(0, 1, "0"), Segment(2, 3, "cut"))
    videos = [
        Video(name, task, 4, segments, ArrayFeatures(ramp(4)), "test")
        for name, task in (("a", "tea"), ("b", "soup"))
    ]
    write_hdf5(path, videos)
    # Frames in no segment are background, so "0" may well be an action here.
    assert [s.action for s in open_dataset(DataOptions(path=str(path))).videos[0].segments] == [
        "0",
        "cut",
    ]
    chosen = DataOptions(path=str(path), background=("0",), skip_tasks=("soup",))
    (video,) = open_dataset(chosen)
    assert (video.name, video.segments) == ("a", segments[1:])
    assert "tasks out of tea, soup, found x" in refused(
        DataOptions(path=str(path), skip_tasks=("x",))
    ) or "tasks out of soup, tea, found x" in refused(
        DataOptions(path=str(path), skip_tasks=("x",))
    )


def test_origin_and_options_open_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "x.json", {"t": gtcc_task({"S01_a": ROWS, "S02_b": ROWS})})
    write_json(tmp_path / "mine.json", {"t": {"test": ["S01_a", "S02_b"]}})
    write_features(tmp_path / "elsewhere", {"S01_a": ramp(9), "S02_b": ramp(9)})
    monkeypatch.chdir(tmp_path)
    data = open_dataset(
        DataOptions(
            path="x.json", splits="mine.json", feature_dir=Path("elsewhere"), ends="half-open"
        )
    )
    monkeypatch.chdir("/")
    saved = {**data.options, "path": data.origin}
    again = open_dataset(DataOptions.from_json(saved, where="checkpoint"))
    assert [(v.name, v.split, v.segments) for v in again] == [
        (v.name, v.split, v.segments) for v in data
    ]
    assert again.has_features


def test_a_long_list_of_problems_is_cut_with_a_count(tmp_path: Path) -> None:
    rows = (("cut", 90, 30),)
    videos = {f"S{number:02d}_a": rows for number in range(25)}
    path = write_json(tmp_path / "x.json", {"t": gtcc_task(videos)})
    with pytest.raises(InputError) as caught:
        open_dataset(DataOptions(path=str(path)))
    assert len(caught.value.problems) == NAMES_SHOWN + 1
    assert "17 more of the kind invalid-segments" in str(caught.value.problems[-1])


def test_npy_features_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    with pytest.raises(InputError, match="no such file"):
        npy_shape(path)
    np.savez(tmp_path / "y.npz", ramp(3))
    (tmp_path / "y.npz").rename(path)
    with pytest.raises(InputError, match="an archive of several"):
        npy_shape(path)
    np.save(path, np.array(["a"]))
    with pytest.raises(InputError, match="data type <U1"):
        npy_shape(path)
    np.save(path, ramp(50))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="another or a truncated file"):
        npy_shape(path)


def test_npy_features_travel_and_notice_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, ramp(6))
    features = NpyFeatures(path, npy_shape(path))
    travelled = pickle.loads(pickle.dumps(features))  # noqa: S301
    assert np.array_equal(travelled.read(4), ramp(6)[4:])
    features.read()[:] = -1  # a copy: the file stays as it is
    assert np.array_equal(features.read(), ramp(6))
    np.save(path, ramp(4))
    with pytest.raises(InputError, match="do not change features while they are used"):
        features.read()
