from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.dataset import Dataset, Segment
from progfix.data.ms_tcn import _runs
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.data.reading import LENGTH_TOLERANCE
from progfix.errors import InputError
from tests.data.samples import ms_tcn_folder, ramp

LABELS = ["SIL"] * 5 + ["cut"] * 8 + ["stir"] * 20 + ["SIL"] * 4 + ["stir"] * 3  # 40 frames
SEGMENTS = (Segment(5, 12, "cut"), Segment(13, 32, "stir"), Segment(37, 39, "stir"))


def opened(path: Path, **options: object) -> Dataset:
    return open_dataset(DataOptions(path=str(path), **options))  # type: ignore[arg-type]


def refused(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        opened(path, **options)
    return str(caught.value)


@pytest.mark.parametrize("transposed", [True, False], ids=["ms-tcn", "protas"])
def test_both_orders_of_axes_are_recognised(tmp_path: Path, transposed: bool) -> None:
    features = {"a": ramp(40, 7), "b": ramp(55, 7)}
    labels = {"a": LABELS, "b": [*LABELS, *["cut"] * 15]}
    stored = {name: array.T if transposed else array for name, array in features.items()}
    splits = {"train.split1": ["a"], "test.split1": ["b"]}
    data = opened(ms_tcn_folder(tmp_path / "x", labels, stored, splits))
    one, other = data
    assert one.segments == SEGMENTS
    assert (one.task, one.fps, one.split, other.split) == ("", None, "train", "test")
    assert np.array_equal(one.read(3, 9), features["a"][3:9])
    assert np.array_equal(other.read(), features["b"])
    order = "(D, T)" if transposed else "(T, D)"
    assert f"MS-TCN folder, features stored {order}" in data.description


def test_a_width_like_the_length_is_settled_by_the_other_videos(tmp_path: Path) -> None:
    labels = {"a": LABELS, "b": [*LABELS, *["cut"] * 25]}
    features = {"a": ramp(40, 40).T, "b": ramp(65, 40).T}
    data = opened(ms_tcn_folder(tmp_path / "x", labels, features))
    assert [v.num_frames for v in data] == [40, 65]
    assert np.array_equal(data.videos[0].read(), ramp(40, 40))


def test_a_width_within_the_tolerance_is_settled_by_being_the_same(tmp_path: Path) -> None:
    # 42 columns would do for lengths of 40 and 45, but then the width would be 40 and 45.
    labels = {"a": LABELS, "b": [*LABELS, *["cut"] * 5]}
    features = {"a": ramp(40, 42).T, "b": ramp(45, 42).T}
    data = opened(ms_tcn_folder(tmp_path / "x", labels, features))
    assert [v.num_frames for v in data] == [40, 45]
    assert data.feature_shape == (42,)


def test_doubtful_axes_are_asked_for(tmp_path: Path) -> None:
    folder = ms_tcn_folder(tmp_path / "x", {"a": LABELS}, {"a": ramp(40, 40)})
    text = refused(folder)
    assert "both would do; say it with --reader ms-tcn for (D, T) or --reader protas" in text
    assert np.array_equal(opened(folder, reader="protas").videos[0].read(), ramp(40, 40))
    assert np.array_equal(opened(folder, reader="ms-tcn").videos[0].read(), ramp(40, 40).T)
    neither = ms_tcn_folder(tmp_path / "y", {"a": LABELS}, {"a": ramp(90, 7)})
    assert "neither would do" in refused(neither)


@pytest.mark.parametrize("difference", [LENGTH_TOLERANCE, -LENGTH_TOLERANCE])
def test_lengths_may_differ_a_little(tmp_path: Path, difference: int) -> None:
    features = {"a": ramp(40 + difference, 7).T}
    data = opened(ms_tcn_folder(tmp_path / "x", {"a": LABELS}, features))
    (video,) = data
    assert video.num_frames == min(40, 40 + difference)
    assert len(video.read()) == video.num_frames
    # 30 labels end within the second segment, 13 to 32.
    assert video.segments == (
        SEGMENTS if difference > 0 else (SEGMENTS[0], Segment(13, 29, "stir"))
    )
    assert f"up to {LENGTH_TOLERANCE} frames more labels than features" in data.notices[0]


def test_lengths_that_differ_more_are_refused(tmp_path: Path) -> None:
    labels = {"a": LABELS, "b": LABELS}
    features = {"a": ramp(40, 7).T, "b": ramp(51, 7).T}
    text = refused(ms_tcn_folder(tmp_path / "x", labels, features))
    assert "b.txt: expected as many labels as feature frames" in text
    assert "found 40 labels for 51 frames" in text
    assert "a.txt" not in text


def test_bundles_are_chosen_by_number(tmp_path: Path) -> None:
    names = [f"v{number}" for number in range(8)]
    splits = {
        "train.split1": names[:6],
        "test.split1": names[6:],
        "train.split2": names[2:],
        "test.split2": names[:2],
    }
    folder = ms_tcn_folder(
        tmp_path / "x", dict.fromkeys(names, LABELS), {n: ramp(40, 7).T for n in names}, splits
    )
    first, second = opened(folder), opened(folder, splits="2")
    assert {v.name for v in first.split("test")} == {"v6", "v7"}
    assert {v.name for v in second.split("test")} == {"v0", "v1"}
    # Six training videos: one of them is validation, since bundles have none.
    assert [len(first.split(s)) for s in ("train", "val", "test")] == [5, 1, 2]
    assert "splits from bundle 1 of 2" in first.description
    assert "15 % of train, chosen by name, is val" in first.description
    assert "number of a bundle out of 1, 2, found 7" in refused(folder, splits="7")


def test_a_video_in_both_bundles(tmp_path: Path) -> None:
    folder = ms_tcn_folder(
        tmp_path / "x",
        {"a": LABELS},
        {"a": ramp(40, 7).T},
        {"train.split1": ["a"], "test.split1": ["a"]},
    )
    assert "found a in train and test" in refused(folder)


def test_a_rate_and_another_background(tmp_path: Path) -> None:
    folder = ms_tcn_folder(tmp_path / "x", {"a": LABELS}, {"a": ramp(40, 7).T})
    (video,) = opened(folder, fps="15", background=("SIL", "stir"))
    assert (video.fps, video.segments) == (15.0, SEGMENTS[:1])


def test_every_broken_label_file_is_named(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    folder = ms_tcn_folder(
        tmp_path / "x", dict.fromkeys(names, LABELS), {n: ramp(40, 7).T for n in names[:3]}
    )
    (folder / "groundTruth" / "b.txt").write_text("cut\nfly\n", encoding="utf-8")
    (folder / "groundTruth" / "c.txt").write_text("", encoding="utf-8")
    text = refused(folder)
    for part in (
        "b.txt: expected labels that mapping.txt names, found labels fly",
        "c.txt: expected a label per line, found an empty file",
        "d.txt: expected features, found no d.npy",
    ):
        assert part in text


def test_a_doubt_about_axes_hides_no_other_defect(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    features = {"a": ramp(40, 40), "b": ramp(40, 40).reshape(40, 2, 4, 5)}
    text = refused(ms_tcn_folder(tmp_path / "x", dict.fromkeys(names, LABELS), features))
    assert "both would do" in text
    assert "b.npy: expected two axes, found four" in text
    assert "c.txt: expected features, found no c.npy" in text
    nothing = refused(ms_tcn_folder(tmp_path / "y", {"c": LABELS}, {}))
    assert "would do" not in nothing


def test_a_folder_with_other_things_in_it(tmp_path: Path) -> None:
    assert "a folder with nothing of the kind" in refused(tmp_path)
    wanted = "expected an MS-TCN folder with features/ and groundTruth/, found a folder"
    assert wanted in refused(tmp_path, reader="ms-tcn")


@given(st.lists(st.sampled_from(["SIL", "a", "b"]), min_size=1, max_size=60))
def test_runs_spell_the_labels(labels: list[str]) -> None:
    spelt = ["SIL"] * len(labels)
    segments = _runs(labels, ("SIL",))
    for segment in segments:
        spelt[segment.start : segment.end + 1] = [segment.action] * segment.duration
    assert spelt == labels
    for one, other in pairwise(segments):
        assert one.end < other.start
        assert one.action != other.action or one.end + 1 < other.start
