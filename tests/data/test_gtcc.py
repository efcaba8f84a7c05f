"""GTCC annotations: frames, ends, features, pairing and everything that can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from progfix.data.dataset import Dataset, Segment
from progfix.data.findings import DataFinding
from progfix.data.open import open_dataset, read_data
from progfix.data.options import DataOptions, Ends
from progfix.errors import InputError
from tests.data.samples import gtcc_task, ramp, write_features, write_json

# At 30 fps: background 0 to 95, cut 95 to 155, stir 155 to 160, background 160 to 200.
ROWS = (("0", 0, 95), ("cut", 95, 155), ("stir", 155, 160), ("0", 160, 200))
CMU = "S01_Tea_1-2"


def annotated(folder: Path, **videos: object) -> Path:
    content = {"tea": gtcc_task(videos or {CMU: ROWS})}  # type: ignore[arg-type]
    return write_json(folder / "labels.json", content)


def opened(path: Path, **options: object) -> Dataset:
    return open_dataset(DataOptions(path=str(path), **options))  # type: ignore[arg-type]


def refused(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        opened(path, **options)
    return str(caught.value)


def findings(path: Path, **options: object) -> dict[str, DataFinding]:
    reading = read_data(DataOptions(path=str(path), **options))  # type: ignore[arg-type]
    return {finding.id: finding for finding in reading.findings}


@pytest.mark.parametrize(
    ("ends", "rate", "expected", "frames"),
    [
        # 95/30 = 3.17, 155/30 = 5.17, 160/30 = 5.33, 200/30 = 6.67
        ("inclusive", 1.0, [("cut", 3, 5), ("stir", 5, 5)], 7),
        # stir begins and ends within frame 5: half-open it has none
        ("half-open", 1.0, [("cut", 3, 4)], 6),
        # 95/15 = 6.33, 155/15 = 10.33, 160/15 = 10.67, 200/15 = 13.33
        ("inclusive", 2.0, [("cut", 6, 10), ("stir", 10, 10)], 14),
        ("half-open", 30.0, [("cut", 95, 154), ("stir", 155, 159)], 200),
    ],
)
def test_frames(
    tmp_path: Path, ends: Ends, rate: float, expected: list[tuple[str, int, int]], frames: int
) -> None:
    (video,) = opened(annotated(tmp_path), ends=ends, frame_rate=rate)
    assert [(s.action, s.start, s.end) for s in video.segments] == expected
    assert (video.num_frames, video.fps, video.features) == (frames, rate, None)


def test_a_segment_without_a_frame_is_counted(tmp_path: Path) -> None:
    finding = findings(annotated(tmp_path), ends="half-open")["zero-length-segments"]
    assert finding.evidence == {"count": 1}
    assert "stir at frame 5" in finding.examples[0]


def test_a_given_rate_holds_for_every_video(tmp_path: Path) -> None:
    path = annotated(tmp_path, kitchen=ROWS)
    assert "pass the frame rate of the annotations with --fps" in refused(path)
    (video,) = opened(path, fps="10")
    # 95/10 = 9.5, 155/10 = 15.5
    assert video.segments[0] == Segment(9, 15, "cut")


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_frame_rate_is_a_positive_number(tmp_path: Path, rate: float) -> None:
    assert "--frame-rate: expected a number from" in refused(annotated(tmp_path), frame_rate=rate)


def test_background_is_what_the_user_says(tmp_path: Path) -> None:
    (video,) = opened(annotated(tmp_path), background=("stir",))
    assert [s.action for s in video.segments] == ["0", "cut", "0"]


def test_features_are_read_lazily_and_ranges_agree(tmp_path: Path) -> None:
    path = annotated(tmp_path)
    write_features(tmp_path / "features", {CMU: ramp(9).astype(np.float16)})
    data = opened(path)
    (video,) = data
    assert video.num_frames == 9  # longer than the annotation: the rest is background
    assert np.array_equal(video.read(2, 5), ramp(9)[2:5])
    assert video.read().dtype == np.float32
    assert data.description == (
        "GTCC JSON annotations, ends inclusive, 1 task, 1 video, features 3-d at 1 fps"
    )


def test_vectors_come_before_frame_maps_unless_asked_for(tmp_path: Path) -> None:
    path = annotated(tmp_path)
    write_features(tmp_path / "features", {CMU: ramp(9)})
    write_features(tmp_path / "frames", {CMU: np.zeros((9, 2, 3, 3))})
    assert opened(path).feature_shape == (3,)
    assert opened(path, feature_dir=tmp_path / "frames").feature_shape == (2, 3, 3)
    assert opened(tmp_path).feature_shape == (3,)  # the folder, too


def test_the_last_end_is_cut_and_counted(tmp_path: Path) -> None:
    path = annotated(tmp_path, S01_a=(("0", 0, 95), ("cut", 95, 200)), S02_b=ROWS)
    write_features(tmp_path / "features", {"S01_a": ramp(6), "S02_b": ramp(6)})
    one, other = opened(path)
    # 200 / 30 is frame 6; the features end with frame 5.
    assert one.segments == (Segment(3, 5, "cut"),)
    assert [s.end for s in other.segments] == [5, 5]
    finding = findings(path)["beyond-features"]
    assert (finding.severity, finding.evidence) == (
        "info",
        {"count": 2, "cut": 1, "most_frames": 1},
    )


def test_an_action_behind_the_last_frame_is_refused(tmp_path: Path) -> None:
    path = annotated(tmp_path)
    write_features(tmp_path / "features", {CMU: ramp(5)})
    text = refused(path)
    assert "expected actions within the 5 frames of the features" in text
    assert "found action stir from frame 5 to 5" in text


def test_far_beyond_the_features_is_a_warning_with_a_wrong_rate(tmp_path: Path) -> None:
    rows = (("0", 0, 30), ("cut", 30, 3000))
    path = annotated(tmp_path, S01_a=rows)
    write_features(tmp_path / "features", {"S01_a": ramp(50)})
    found = findings(path)
    assert found["beyond-features"].severity == "warning"
    # The annotation lasts until frame 100, so 50 / 101.
    assert found["fps-mismatch"].evidence["ratio"] == pytest.approx(50 / 101)


def test_missing_and_broken_feature_files_are_all_named(tmp_path: Path) -> None:
    names = ["S01_a", "S02_b", "S03_c", "S04_d", "S05_e", "S06_f"]
    path = annotated(tmp_path, **dict.fromkeys(names, ROWS))
    folder = tmp_path / "features"
    write_features(folder, {"S01_a": ramp(9), "S02_b": np.zeros(3), "S03_c": np.zeros((0, 3))})
    (folder / "S04_d.npy").write_bytes(b"")
    np.save(folder / "S05_e.npy", np.array([{}], dtype=object), allow_pickle=True)
    text = refused(path)
    for part in (
        "S02_b.npy: expected features (T, D) or (T, C, H, W) of one frame or more",
        "found shape (3,)",
        "found shape (0, 3)",
        "S04_d.npy: expected a .npy file of numbers, found an empty file",
        "S05_e.npy: expected a .npy file of numbers",
        "S06_f: expected features, found no S06_f.npy",
    ):
        assert part in text
    assert "S01_a" not in text


def test_a_folder_without_any_of_the_features_is_one_error(tmp_path: Path) -> None:
    path = annotated(tmp_path, S01_a=ROWS, S02_b=ROWS)
    (tmp_path / "features").mkdir()
    for found in ("no .npy file", "none of them"):
        text = refused(path)
        assert text.count("expected") == 1
        assert f"expected features of 2 videos, such as S01_a.npy, found {found}" in text
        np.save(tmp_path / "features" / "other.npy", ramp(9))


def test_a_feature_folder_that_is_not_there(tmp_path: Path) -> None:
    text = refused(annotated(tmp_path), feature_dir=tmp_path / "nowhere")
    assert "no such folder" in text


def test_features_of_different_widths(tmp_path: Path) -> None:
    path = annotated(tmp_path, S01_a=ROWS, S02_b=ROWS, S03_c=ROWS)
    write_features(tmp_path / "features", {"S01_a": ramp(9), "S02_b": ramp(9), "S03_c": ramp(9, 4)})
    assert "S03_c: expected frames of shape (3,)" in refused(path)


def test_features_with_their_frames_last(tmp_path: Path) -> None:
    # One video alone, or two of one length, are not told from the right order.
    path = annotated(tmp_path, S01_a=ROWS, S02_b=ROWS)
    folder = tmp_path / "features"
    write_features(folder, {"S01_a": ramp(7).T, "S02_b": ramp(9).T})
    text = refused(path)
    assert text.count("expected") == 1
    assert "features (T, D), frames first, found shapes (3, 7), (3, 9), frames last" in text
    write_features(folder, {"S02_b": ramp(7).T})
    assert "frames last" not in refused(path)


@pytest.mark.parametrize(
    ("rows", "finding", "message"),
    [
        ((("cut", 50, 20),), "invalid-segments", "frames 50 to 20 (action cut)"),
        (
            (("cut", 0, 50), ("stir", 40, 90)),
            "overlapping-segments",
            "action stir starting at frame 40 while an earlier one lasts until frame 50",
        ),
        (
            (("stir", 40, 90), ("cut", 0, 50)),
            "overlapping-segments",
            "action stir starting at frame 40",
        ),
    ],
)
def test_segments_that_cannot_be(
    tmp_path: Path, rows: tuple[tuple[str, float, float], ...], finding: str, message: str
) -> None:
    path = annotated(tmp_path, S01_a=rows)
    assert message in refused(path)
    assert findings(path)[finding].severity == "error"


def test_background_may_overlap_and_a_shared_boundary_is_a_notice(tmp_path: Path) -> None:
    path = annotated(tmp_path, S01_a=(("0", 0, 300), ("cut", 30, 60), ("stir", 60, 90)))
    data = opened(path)
    assert data.videos[0].segments == (Segment(1, 2, "cut"), Segment(2, 3, "stir"))
    assert data.notices == ("1 of 2 neighbours in the lists, background included, share a frame",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"splits": {}}, "give it to --splits"),
        ([1], "JSON of another structure"),
        ({}, "JSON of another structure"),
        ({"tea": {"handles": ["S01_a"]}}, "none or something else for hdl_actions"),
        (
            {"tea": {**gtcc_task({"S01_a": ROWS}), "hdl_end_times": []}},
            "found 1, 1 and 0",
        ),
        ({"tea": {**gtcc_task({"S01_a": ROWS}), "handles": [3]}}, "handles with names"),
        (
            {"tea": {**gtcc_task({"S01_a": ROWS}), "hdl_end_times": [[1, 2]]}},
            "list 0: expected as many actions (names) as start and end frames",
        ),
        ({"tea": gtcc_task({"S01_a": (("cut", -1, 3),)})}, "no frame number"),
        ({"tea": gtcc_task({"S01_a": (("cut", 0, 10**400),)})}, "no frame number"),
        (
            {"tea": gtcc_task({"S01_a": (("cut", 0, 10**15),)})},
            "that end within 10,000,000 frames of the features, found 33,333,333,333,334 frames",
        ),
        ({"tea": gtcc_task({"\ud800": (("cut", 0, 3),)})}, "no valid JSON ('utf-8' codec can't"),
        ({"tea": gtcc_task({"S01_a": (("cut", 0, float("nan")),)})}, "no frame number"),
        ({"tea": {**gtcc_task({"S01_a": ROWS}), "hdl_actions": [[[]] * 4]}}, "without a name"),
    ],
)
def test_annotations_of_another_structure(tmp_path: Path, content: object, message: str) -> None:
    path = write_json(tmp_path / "x.json", content)
    assert message in refused(path, reader="gtcc")


def test_one_video_in_one_task_twice(tmp_path: Path) -> None:
    task = gtcc_task({"S01_a": ROWS})
    doubled = {key: value * 2 for key, value in task.items()}
    path = write_json(tmp_path / "x.json", {"tea": doubled, "soup": task})
    text = refused(path)
    assert "task tea: expected each video once, found S01_a 2 times" in text
    assert "soup" not in text


# Pairing.


def views(folder: Path, *, handles: int = 2) -> Path:
    other = (("0", 0, 30), ("stir", 30, 300))
    task = gtcc_task({"S01_a": ROWS, "v2": ROWS, "v3": ROWS, "S02_b": other, "v5": other})
    task["handles"] = [f"S0{number}_x" for number in range(1, handles + 1)]
    return write_json(folder / "x.json", {"tea": task, "soup": gtcc_task({"S09_z": ROWS})})


def test_more_lists_than_handles_are_refused_by_task(tmp_path: Path) -> None:
    text = refused(views(tmp_path))
    assert "task tea: expected one annotation list per handle" in text
    assert "found 5 lists for 2 handles (views collapse to 2)" in text
    assert text.endswith("; pass --pairing views")
    assert "soup" not in text


def test_views_are_collapsed_where_the_count_comes_out(tmp_path: Path) -> None:
    data = opened(views(tmp_path), pairing="views")
    assert {v.name: v.segments[-1].action for v in data} == {
        "S01_x": "stir",
        "S02_x": "stir",
        "S09_z": "stir",
    }
    assert [len(v.segments) for v in data] == [2, 1, 2]
    assert "5 lists for 2 handles in 1 task: camera views collapsed" in data.notices[0]
    text = refused(views(tmp_path, handles=3), pairing="views")
    assert "found 5 lists for 3 handles (views collapse to 2); pass --skip-tasks tea" in text


def test_pairing_by_position_warns(tmp_path: Path) -> None:
    path = views(tmp_path)
    data = opened(path, pairing="position")
    assert [len(v.segments) for v in data] == [2, 2, 2]  # the second one is wrong, as warned
    assert findings(path, pairing="position")["mismatched-lists"].severity == "warning"
    assert "mismatch" not in "".join(opened(path, skip_tasks=("tea",)).notices)


def test_fewer_lists_than_handles_cannot_be_paired(tmp_path: Path) -> None:
    for pairing in ("views", "position"):
        text = refused(views(tmp_path, handles=9), pairing=pairing)
        assert "found 5 lists for 9 handles (views collapse to 2); pass --skip-tasks tea" in text


def test_an_unknown_task_to_skip(tmp_path: Path) -> None:
    text = refused(views(tmp_path), skip_tasks=("coffee",))
    assert text.startswith("--skip-tasks: expected tasks out of tea, soup, found coffee; check")


# Splits.


def test_splits_beside_the_annotations_are_taken(tmp_path: Path) -> None:
    names = ("S01_a", "S02_b", "S03_c", "S04_d")
    path = annotated(tmp_path, **dict.fromkeys(names, ROWS))
    splits = {"tea": {"train": ["S01_a", "gone"], "val": ["S02_b"], "test": ["S03_c"]}}
    write_json(tmp_path / "data_splits.json", {"splits": splits})
    data = opened(path)
    assert {v.name: v.split for v in data} == {
        "S01_a": "train",
        "S02_b": "val",
        "S03_c": "test",
        "S04_d": None,
    }
    assert "splits from data_splits.json" in data.description
    assert "1 video in no split (data_splits.json)" in data.notices
    assert "1 video in a split but not in the data (data_splits.json)" in data.notices
    other = write_json(tmp_path / "mine.json", {"tea": {"test": list(names)}})
    assert opened(path, splits=str(other)).splits == ("test",)
    assert "No such file" in refused(path, splits=str(tmp_path / "none.json"))


def test_without_a_splits_file_they_are_derived_and_it_is_said(tmp_path: Path) -> None:
    names = [f"S{number:02d}_a" for number in range(20)]
    data = opened(annotated(tmp_path, **dict.fromkeys(names, ROWS)))
    assert [len(data.split(s)) for s in ("train", "val", "test")] == [14, 3, 3]
    assert "70/15/15 train/val/test derived from the names" in data.description
