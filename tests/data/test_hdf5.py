"""The HDF5 layout: what is read, what is refused, and that nothing leaves the file."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from progfix.data import hdf5_handles
from progfix.data.dataset import ArrayFeatures, Dataset, Segment, Video
from progfix.data.hdf5 import read_hdf5
from progfix.data.hdf5_index import INDEX, SEGMENTS
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError
from tests.data.samples import DOOR, hand_made_hdf5, needs_shared, ramp


def opened(path: Path) -> Dataset:
    return open_dataset(DataOptions(path=str(path)))


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        opened(path)
    return str(caught.value)


def sample_videos() -> list[Video]:
    return [
        Video("a", "tea", 9, (Segment(0, 4, "pour"), Segment(4, 8, "stir")), None, "train", 4.0),
        Video("a", "soup", 5, (Segment(1, 3, "héat", censored=True),), None, "val", 4.0, "cam 1"),
        Video("b/c #1%", "tea", 4, (), None, "test"),
        Video(".", "tea", 3, (Segment(2, 2, "pour"),), None, None, 25.0),
    ]


def written(path: Path, **options: str) -> list[Video]:
    videos = [
        replace(video, features=ArrayFeatures(ramp(video.num_frames, start=100 * number)))
        for number, video in enumerate(sample_videos())
    ]
    write_hdf5(path, iter(videos), **options)  # type: ignore[arg-type]
    return videos


def facts(video: Video) -> tuple[object, ...]:
    return (
        video.name,
        video.task,
        video.num_frames,
        video.segments,
        video.split,
        video.fps,
        video.source,
        video.read().tolist(),
    )


def test_the_documented_layout_without_index_or_checksums(tmp_path: Path) -> None:
    data = opened(hand_made_hdf5(tmp_path / "x.h5"))
    (video,) = data
    assert (video.name, video.task, video.fps, video.split) == ("a b", "tea", 4.0, "train")
    assert video.segments == (Segment(1, 3, "pour"), Segment(3, 8, "stir", censored=True))
    assert video.read(2, 4).tolist() == [[6, 7, 8], [9, 10, 11]]
    assert video.read(2, 4).dtype == np.float32
    assert data.notices == ("1 of 2 segments share their first frame with an earlier one",)
    assert data.durations()["pour"].tolist() == [3]
    assert "stir" not in data.durations()
    assert data.description == "progfix HDF5, 1 task, 1 video, features 3-d at 4 fps"


@needs_shared
def test_the_door_demonstrations() -> None:
    data = opened(DOOR)
    assert {split: len(data.split(split)) for split in data.splits} == {
        "train": 15,
        "val": 4,
        "test": 6,
    }
    assert (data.tasks, data.feature_shape) == (("door-v0",), (39,))
    assert sorted({v.num_frames for v in data})[:: len({v.num_frames for v in data}) - 1] == [
        223,
        300,
    ]
    assert all(v.segments == (Segment(0, v.num_frames - 1, "open door"),) for v in data)


@pytest.mark.parametrize("with_index", [True, False])
def test_round_trip(tmp_path: Path, with_index: bool) -> None:
    path = tmp_path / "x.h5"
    videos = written(path)
    if not with_index:
        with h5py.File(path, "r+") as file:
            del file[INDEX], file[SEGMENTS]
    reading = read_hdf5(path, DataOptions())
    assert sorted(map(str, map(facts, reading.videos))) == sorted(map(str, map(facts, videos)))


def test_the_writer_keeps_to_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    written(path)
    with h5py.File(path) as file:
        assert file.attrs["format"] == "progfix-data/1"
        groups = set(file) - {INDEX, SEGMENTS}
        # The second "a" is in another task; a lone dot would be the root itself.
        assert groups == {"a", "soup%2Fa", "b%2Fc%20%231%25", "%2E"}
        assert "name" not in file["a"].attrs
        assert file["soup%2Fa"].attrs["name"] == "a"
        assert file["a/features"].fletcher32
        assert file["a/features"].chunks is not None
        assert file["a/segments"].dtype == np.int64
        assert "censored" not in file["a"]
        assert file["soup%2Fa/censored"][()].tolist() == [True]


def test_half_precision_and_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    written(path, dtype="float16")
    with h5py.File(path) as file:
        assert file["a/features"].dtype == np.float16
    large = Video("v", "", 2, (), ArrayFeatures(np.array([[1.0], [70000.0]])))
    with pytest.raises(InputError, match="float32"):
        write_hdf5(tmp_path / "y.h5", [large], dtype="float16")
    assert not (tmp_path / "y.h5").exists()


def test_nothing_is_left_of_a_failed_write(tmp_path: Path) -> None:
    good = Video("v", "", 2, (), ArrayFeatures(ramp(2)))
    for bad in (good, replace(good, name="w", features=None), replace(good, name="\0")):
        with pytest.raises(InputError):
            write_hdf5(tmp_path / "x.h5", [good, bad])
    assert list(tmp_path.iterdir()) == []


def test_frame_maps_are_read_as_they_are(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((7, 2, 3, 3), np.float32)
    write_hdf5(tmp_path / "x.h5", [Video("v", "", 7, (), ArrayFeatures(maps), "test")])
    (video,) = opened(tmp_path / "x.h5")
    assert np.array_equal(video.read(2, 5), maps[2:5])


def test_data_without_a_video_is_refused(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "x.h5", [])
    assert "at least one video" in refused(tmp_path / "x.h5")


# An index that does not fit any more.


def test_a_video_more_or_less_than_in_the_index(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    written(path)
    with h5py.File(path, "r+") as file:
        del file["a"]
    data = opened(path)
    assert sorted(video.task for video in data) == ["soup", "tea", "tea"]
    assert any("index does not fit" in notice for notice in data.notices)


@pytest.mark.parametrize("new_name", [None, "w"])
def test_a_group_that_is_in_no_sample_is_missed_or_renamed(
    tmp_path: Path, new_name: str | None
) -> None:
    path = tmp_path / "x.h5"
    names = [f"v{number:03d}" for number in range(100)]
    write_hdf5(path, [Video(n, "", 5, (), ArrayFeatures(ramp(5)), "test") for n in names])
    with h5py.File(path, "r+") as file:
        if new_name:
            file[new_name] = file["v001"]
        del file["v001"]
    expected = {*names, new_name} - {"v001", None}
    assert {video.name for video in opened(path)} == expected


def test_labels_edited_after_the_index_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    many = [
        Video(f"v{n:03d}", "", 5, (Segment(0, 4, "x"),), ArrayFeatures(ramp(5)), "test")
        for n in range(100)
    ]
    write_hdf5(path, many)
    with h5py.File(path, "r+") as file:
        file["v000/segments"][0, 1] = 3
    # The first video is one of those that are compared at once.
    assert opened(path).videos[0].segments == (Segment(0, 3, "x"),)
    write_hdf5(path, many)
    with h5py.File(path, "r+") as file:
        file["v001/segments"][0, 1] = 3
    with pytest.raises(InputError, match=r"v001: expected the segments that .* index names"):
        opened(path).videos[1].read(0, 1)
    opened(path).videos[2].read(0, 1)
    # Checking compares all of them.
    thorough = read_hdf5(path, DataOptions(), trust_index=False)
    assert thorough.videos[1].segments == (Segment(0, 3, "x"),)
    assert [f.id for f in thorough.findings] == ["invalid-file"]


def test_an_index_of_another_kind_is_left_aside(tmp_path: Path) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        file[INDEX] = np.arange(3)
        file[SEGMENTS] = np.arange(3)
    assert len(opened(path)) == 1


# Refusals.


def edit(path: Path, change: Callable[[h5py.Group], None]) -> Path:
    hand_made_hdf5(path)
    with h5py.File(path, "r+") as file:
        change(file["a%20b"])
    return path


def put(name: str, value: object) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        if name in group:
            del group[name]
        group[name] = value

    return change


def attribute(name: str, value: object) -> Callable[[h5py.Group], None]:
    return lambda group: group.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.__delitem__("features"), "no 'features'"),
        (lambda g: g.__delitem__("actions"), "no 'actions'"),
        (put("features", np.zeros(10)), "shape (10,)"),
        (put("features", np.zeros((0, 3))), "shape (0, 3)"),
        (put("features", np.zeros((10, 3), np.int32)), "data type int32"),
        (put("segments", np.array([[0.0, 3.0], [4.0, 5.0]])), "'segments' of float64"),
        (put("segments", np.array([1, 2])), "'segments' of int64 (2,)"),
        (put("segments", np.array([[1, 2]])), "'actions' of object (2,) instead of 1 strings"),
        (put("segments", np.array([[3, 1], [4, 5]])), "frames 3 to 1 (pour)"),
        (put("segments", np.array([[-1, 2], [4, 5]])), "frames -1 to 2 (pour)"),
        (put("segments", np.array([[0, 2], [4, 10]])), "frames 4 to 10 (stir)"),
        (put("segments", np.array([[0, 4], [3, 9]])), "stir starting at frame 3"),
        (put("segments", np.zeros((100, 2), np.int64)), "100 segments in 10 frames"),
        (put("actions", np.array([1, 2])), "'actions' of int64"),
        (put("actions", np.array([b"\xff", b"a"], "S1")), "utf-8"),
        (put("censored", np.array([True])), "'censored' of bool (1,)"),
        (attribute("fps", 0.0), "'fps' of 0.0"),
        (attribute("fps", np.nan), "'fps' of nan"),
        (attribute("fps", "fast"), "could not convert string to float"),
        (attribute("split", "dev"), "a split out of train, val, test, found 'dev'"),
        (attribute("task", 3), "attribute 'task' that is no text"),
    ],
)
def test_defects_of_a_video(
    tmp_path: Path, change: Callable[[h5py.Group], None], message: str
) -> None:
    assert message in refused(edit(tmp_path / "x.h5", change))


@pytest.mark.parametrize(
    "spans", [np.array([]), np.zeros((0, 2)), np.zeros((0, 2), np.int32), np.zeros((2, 0))]
)
@pytest.mark.parametrize("actions", ["text", "numbers"])
def test_a_video_without_segments_may_have_empty_arrays_of_any_numbers(
    tmp_path: Path, spans: NDArray[np.generic], actions: str
) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        group = file["a%20b"]
        for name in ("segments", "actions", "censored"):
            del group[name]
        group["segments"] = spans
        text = h5py.string_dtype() if actions == "text" else np.float64
        group.create_dataset("actions", shape=(0,), dtype=text)
    (video,) = opened(path).videos
    assert video.segments == ()
    assert video.num_frames == 10


def test_features_that_are_only_claimed_are_never_read(tmp_path: Path) -> None:
    def change(group: h5py.Group) -> None:
        del group["features"]
        group.create_dataset("features", shape=(10, 10**9), dtype="f4", chunks=(1, 1000))

    text = refused(edit(tmp_path / "x.h5", change))
    assert "'features' that claims 40,000,000,000 bytes, with 0 in the file" in text


def test_features_that_never_change_may_be_compressed_to_nothing(tmp_path: Path) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file["a%20b/features"]
        file["a%20b"].create_dataset(
            "features", data=np.zeros((10, 10**6), np.float32), compression="gzip"
        )
    assert opened(path).videos[0].read(0, 1).shape == (1, 10**6)


def test_all_defects_are_collected(tmp_path: Path) -> None:
    def change(group: h5py.Group) -> None:
        put("segments", np.array([[3, 1], [4, 99]]))(group)
        attribute("split", "dev")(group)

    text = refused(edit(tmp_path / "x.h5", change))
    assert all(part in text for part in ("frames 3 to 1", "frames 4 to 99", "'dev'"))


def test_all_parts_of_a_video_are_looked_at(tmp_path: Path) -> None:
    def change(group: h5py.Group) -> None:
        del group["features"], group["actions"]
        group.attrs.update({"fps": -1.0, "task": 3})

    text = refused(edit(tmp_path / "x.h5", change))
    assert "no 'features'; no 'actions'; attribute 'task' that is no text; attribute 'fps'" in text


def test_features_of_different_widths(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    videos = [Video(n, "", 5, (), ArrayFeatures(ramp(5, 4)), "test") for n in "abc"]
    write_hdf5(path, [*videos, Video("d", "", 5, (), ArrayFeatures(ramp(5, 7)), "test")])
    text = refused(path)
    assert "video d: expected frames of shape (4,) as in 3 other videos, found (7,)" in text


def test_links_out_of_the_file_are_never_followed(tmp_path: Path) -> None:
    secret = hand_made_hdf5(tmp_path / "secret.h5")
    with h5py.File(secret, "r+") as file:
        file["plain"] = ramp(10)

    def external_features(group: h5py.Group) -> None:
        del group["features"]
        group["features"] = h5py.ExternalLink(str(secret), "a%20b/features")

    def soft_features(group: h5py.Group) -> None:
        group["copy"] = group["features"]
        del group["features"]
        group["features"] = h5py.SoftLink("copy")

    def virtual(group: h5py.Group) -> None:
        layout = h5py.VirtualLayout((10, 3), "f4")
        layout[:] = h5py.VirtualSource(str(secret), "plain", (10, 3))
        del group["features"]
        group.create_virtual_dataset("features", layout)

    def external_storage(group: h5py.Group) -> None:
        (tmp_path / "raw").write_bytes(b"\0" * 120)
        del group["features"]
        group.create_dataset("features", (10, 3), "f4", external=[(str(tmp_path / "raw"), 0, 120)])

    def external_video(group: h5py.Group) -> None:
        group.parent["other"] = h5py.ExternalLink(str(secret), "a%20b")

    for number, change in enumerate(
        (external_features, soft_features, virtual, external_storage, external_video)
    ):
        text = refused(edit(tmp_path / f"{number}.h5", change))
        assert "is a link to somewhere else" in text or "stored in another file" in text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.write_bytes(b""), "an empty file"),
        (lambda p: p.write_bytes(b"hello"), "another file"),
        (lambda p: h5py.File(p, "w").close(), "an HDF5 file without it"),
        (
            lambda p: h5py.File(p, "w").attrs.update(format="progfix-predictions/1"),
            "give it as SOURCE",
        ),
        (lambda p: h5py.File(p, "w").attrs.update(format="progfix-data/9"), "update progfix"),
        (lambda p: h5py.File(p, "w").attrs.update(format=3), "format = 3"),
    ],
)
def test_other_files(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "x.h5")
    assert message in refused(tmp_path / "x.h5")


def test_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    written(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "a truncated file" in refused(path)


def test_a_flipped_bit_in_features_is_found_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    features = np.random.default_rng(0).random((50, 20), np.float32)
    write_hdf5(path, [Video("v", "", 50, (), ArrayFeatures(features), "test")])
    raw = bytearray(path.read_bytes())
    raw[raw.index(features[7].tobytes())] ^= 1
    path.write_bytes(raw)
    (video,) = opened(path)
    with pytest.raises(InputError, match="video v: expected features that can be read"):
        video.read()


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), by_hand=st.booleans())
def test_a_file_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, share: float, by_hand: bool
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.h5"
    (hand_made_hdf5 if by_hand else written)(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    assert str(path) in refused(path)


@pytest.mark.parametrize("where", ["h\u00e9at", "labels"])
def test_a_flipped_bit_in_labels_is_found_when_they_are_read(tmp_path: Path, where: str) -> None:
    path = tmp_path / "x.h5"
    segments = (Segment(123456, 234567, "héat"),)
    features = ArrayFeatures(np.zeros((300_000, 1), np.float32))
    write_hdf5(path, [Video("v", "", 300_000, segments, features, "test")])
    with h5py.File(path, "r+") as file:
        del file[INDEX], file[SEGMENTS]
    sought = np.array([123456, 234567]).tobytes() if where == "labels" else where.encode()
    raw = bytearray(path.read_bytes())
    # The index's own copy, which is deleted, may still lie in the file.
    at = -1
    while (at := raw.find(sought, at + 1)) >= 0:
        raw[at] ^= 1
    path.write_bytes(raw)
    assert "video v: expected a video in progfix-data/1 layout" in refused(path)


# Reading.


def test_ten_thousand_reads_open_the_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    count = hdf5_handles.OPEN_DATASETS + 44
    names = [f"v{number:03d}" for number in range(count)]
    write_hdf5(path, (Video(n, "", 4, (), ArrayFeatures(ramp(4)), "test") for n in names))
    calls = []
    real = h5py.File

    def counting(*args: object, **options: object) -> object:
        calls.append(args)
        return real(*args, **options)

    monkeypatch.setattr(h5py, "File", counting)
    data = opened(path)
    for _ in range(100):
        for video in data.videos[:97]:
            assert video.read(1, 2).shape == (1, 3)
    for video in data:
        video.read()
    assert len(calls) == 1
    (handle,) = [h for key, h in hdf5_handles._FILES.items() if key[1] == str(path)]
    assert len(handle.datasets) == hdf5_handles.OPEN_DATASETS


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    for value in (0.0, 1.0):
        array = np.full((3, 2), value, np.float32)
        write_hdf5(path, [Video("v", "", 3, (), ArrayFeatures(array), "test")])
        assert opened(path).videos[0].read()[0, 0] == value
    old = opened(path).videos[0]
    write_hdf5(path, [Video("v", "", 9, (), ArrayFeatures(ramp(9)), "test")])
    with pytest.raises(InputError, match=r"expected features of shape \(3, 2\), found \(9, 3\)"):
        old.read()


def test_a_file_written_over_in_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    written(path)
    before = opened(path).videos
    before[0].read()
    write_hdf5(
        tmp_path / "y.h5",
        (replace(v, features=ArrayFeatures(ramp(50 + n))) for n, v in enumerate(sample_videos())),
    )
    path.write_bytes((tmp_path / "y.h5").read_bytes())  # the same inode
    assert [len(video.read()) for video in opened(path)] == [50, 51, 52, 53]
    with pytest.raises(InputError):
        before[0].read()


def test_slices_are_those_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    write_hdf5(path, [Video("v", "", 9, (), ArrayFeatures(ramp(9)), "test")])
    (video,) = opened(path)
    for start, stop in ((0, None), (3, 3), (5, 2), (7, 100), (-2, None), (9, 12)):
        assert np.array_equal(video.read(start, stop), ramp(9)[start:stop])


def _sum(video: Video) -> float:
    return float(video.read().sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_videos_travel_to_worker_processes(tmp_path: Path, method: str) -> None:
    path = tmp_path / "x.h5"
    written(path)
    data = opened(path)
    expected = [_sum(video) for video in data]  # the parent's handle is open by now
    assert [_sum(pickle.loads(pickle.dumps(video))) for video in data] == expected  # noqa: S301
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_sum, data.videos) == expected
