"""Every finding about data: planted, found, and absent where nothing is planted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from progfix.data.checks import check_dataset, check_videos
from progfix.data.collector import Collector
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.feature_scan import BLOCK_VALUES, scan_features, validate_features
from progfix.data.findings import FINDINGS, DataFinding
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.options import DataOptions
from progfix.errors import InputError


def video(number: int, *, split: str = "train", frames: int = 40) -> Video:
    """A healthy video: five actions, features of its own."""
    random = np.random.default_rng(number)
    segments = tuple(
        Segment(8 * k, 8 * k + int(random.integers(4, 8)), f"action {k}") for k in range(5)
    )
    features = ArrayFeatures(random.standard_normal((frames, 6)).astype(np.float32))
    return Video(f"v{number}", "tea", frames, segments, features, split, 4.0)


HEALTHY = [video(0), video(1), video(2, split="val"), video(3, split="test")]


def found(videos: list[Video]) -> list[DataFinding]:
    collector = Collector()
    check_videos(videos, collector)
    return list(collector.findings())


def with_features(one: Video, array: np.ndarray) -> Video:
    return replace(one, features=ArrayFeatures(array))


def changed(one: Video, frame: int, value: float) -> Video:
    array = one.read().copy()
    array[frame, 2:4] = value
    return with_features(one, array)


def test_nothing_is_found_in_healthy_data() -> None:
    assert found(HEALTHY) == []


def test_every_id_has_its_text_and_place() -> None:
    named = {
        *("overlapping-segments", "mismatched-lists", "beyond-features", "split-leak"),
        *("background-as-action", "non-finite", "constant-features", "one-frame-actions"),
        *("duplicate-videos", "fps-mismatch"),
    }
    assert named <= set(FINDINGS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite(value: float) -> None:
    (finding,) = found([*HEALTHY[1:], changed(changed(HEALTHY[0], 7, value), 30, value)])
    assert (finding.id, finding.severity, finding.evidence) == ("non-finite", "error", {"count": 1})
    assert finding.examples == ("video tea v0: 4 NaN or infinite values, the first in frame 7",)


def test_training_is_refused_with_name_count_and_first_frame() -> None:
    bad = [changed(one, 7 + number, np.nan) for number, one in enumerate(HEALTHY)]
    seen: list[Video] = []
    with pytest.raises(InputError) as caught:
        validate_features(bad, on_video=seen.append)
    assert len(caught.value.problems) == len(seen) == 4
    assert str(caught.value.problems[1]) == (
        "video tea v1: expected finite features, found 2 NaN or infinite values, the first in "
        "frame 8; extract the features of this video again"
    )
    validate_features(HEALTHY)
    with pytest.raises(ValueError, match="annotations only"):
        validate_features([replace(HEALTHY[0], features=None)])


def test_scan_in_blocks_equals_numpy_on_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one = changed(changed(HEALTHY[0], 13, np.nan), 25, np.inf)
    whole = one.read()
    for values in (6, 30, BLOCK_VALUES):
        monkeypatch.setattr("progfix.data.feature_scan.BLOCK_VALUES", values)
        scan = scan_features(one)
        finite = np.where(np.isfinite(whole), whole, np.nan)
        assert (scan.non_finite, scan.first_bad) == (4, 13)
        assert (scan.zero_frames, scan.first_zero) == (0, None)
        assert np.array_equal(scan.low, np.nanmin(finite, axis=0))
        assert np.array_equal(scan.high, np.nanmax(finite, axis=0))
        assert scan.digest == scan_features(with_features(one, whole)).digest


def test_constant_features() -> None:
    still = with_features(HEALTHY[0], np.full((40, 6), 3.0, np.float32))
    (finding,) = found([still, *HEALTHY[1:]])
    assert (finding.id, finding.severity) == ("constant-features", "warning")
    assert finding.examples == ("tea v0",)
    dead = [with_features(v, v.read() * np.array([1, 0, 1, 1, 0, 1], np.float32)) for v in HEALTHY]
    (finding,) = found(dead)
    assert (finding.id, finding.severity) == ("constant-features", "info")
    assert finding.evidence == {"columns": 2, "of": 6}


def test_frames_of_zeros() -> None:
    values = HEALTHY[0].read().copy()
    values[[7, 30, 31]] = 0
    lost = with_features(HEALTHY[0], values)
    (finding,) = found([lost, *HEALTHY[1:]])
    assert (finding.id, finding.severity) == ("constant-features", "warning")
    assert finding.examples == ("tea v0: 3 of 40 frames, the first 7",)
    values[[7, 30]] = 1
    assert found([with_features(HEALTHY[0], values), *HEALTHY[1:]]) == []


def test_one_frame_actions() -> None:
    # 20 actions, one of them cut to a frame: 5 % of actions; frames are counted by hand.
    first = HEALTHY[0]
    short = replace(first, segments=(replace(first.segments[0], end=0), *first.segments[1:]))
    videos = [short, *HEALTHY[1:]]
    frames = sum(s.end - s.start + 1 for v in videos for s in v.segments)
    (finding,) = found(videos)
    assert (finding.id, finding.severity) == ("one-frame-actions", "info")
    assert finding.evidence == {
        "count": 1,
        "share_of_actions": 1 / 20,
        "share_of_frames": 1 / frames,
    }
    (finding,) = [f for f in found([short]) if f.id == "one-frame-actions"]
    assert finding.severity == "warning"  # one in five


def test_copies_in_one_split_and_across_splits() -> None:
    copy = replace(HEALTHY[0], name="copy")
    (same_labels, same_features) = found([*HEALTHY, copy])
    assert {same_labels.id, same_features.id} == {"duplicate-videos"}
    assert same_features.examples == ("tea v0 (train) = tea copy (train)",)
    leak = replace(copy, split="test")
    by_severity = {(f.id, f.severity): f for f in found([*HEALTHY, leak])}
    assert set(by_severity) == {("split-leak", "error"), ("split-leak", "warning")}
    of_features = by_severity["split-leak", "error"].title
    assert of_features == "1 of 2 test videos has the features of a video in another split"
    assert "has the annotation of a video" in by_severity["split-leak", "warning"].title
    assert same_features.title == "1 of 5 videos repeats the features of another one"


def test_few_copies_of_many_videos_are_milder() -> None:
    # One copy among 24 test videos is under 5 %, among 19 it is not.
    for number, severities in ((24, ["warning", "info"]), (19, ["error", "warning"])):
        test = [video(100 + i, split="test") for i in range(number - 2)]  # and one of HEALTHY
        leak = replace(HEALTHY[0], name="copy", split="test")
        leaks = [f for f in found([*HEALTHY, *test, leak]) if f.id == "split-leak"]
        assert [f.severity for f in leaks] == severities
        assert leaks[0].title.startswith(f"1 of {number} test videos has the features")


def test_few_segments_may_be_equal_by_chance() -> None:
    plain = [replace(v, segments=(Segment(0, 39, "open"),)) for v in HEALTHY]
    assert found(plain) == []


def test_different_frame_rates() -> None:
    (finding,) = found([*HEALTHY[1:], replace(HEALTHY[0], fps=25.0)])
    assert (finding.id, finding.severity) == ("fps-mismatch", "warning")
    assert finding.evidence == {"rates": {"4": 3, "25": 1}}


def with_background(one: Video, name: str) -> Video:
    segments = []
    for number, segment in enumerate(one.segments):
        segments += [
            Segment(8 * number, 8 * number + 1, name),
            replace(segment, start=8 * number + 2),
        ]
    return replace(one, segments=tuple(segments))


@pytest.mark.parametrize("name", ["0", "waiting", "Background"])
def test_background_is_known_by_its_place_or_its_name(name: str) -> None:
    (finding,) = found([with_background(one, name) for one in HEALTHY])
    assert (finding.id, finding.severity) == ("background-as-action", "warning")
    assert finding.evidence == {"actions": [name], "segments": 20}


def test_one_segment_with_such_a_name_is_enough() -> None:
    first = HEALTHY[0]
    named = replace(first.segments[2], action=" SIL ")
    videos = [replace(first, segments=(*first.segments[:2], named, *first.segments[3:]))]
    (finding,) = found([*videos, *HEALTHY[1:]])
    assert finding.evidence == {"actions": [" SIL "], "segments": 1}


def test_a_frequent_action_is_not_background() -> None:
    # Half of the segments, but often several in a row, as chopping is.
    def often(one: Video) -> Video:
        names = ["chop", "chop", "chop", "a", "b", "chop", "c", "chop", "d", "e"]
        return replace(
            one, segments=tuple(Segment(3 * k, 3 * k + 2, n) for k, n in enumerate(names))
        )

    assert "background-as-action" not in {f.id for f in found([often(one) for one in HEALTHY])}


def test_a_report_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    write_hdf5(path, [changed(HEALTHY[0], 3, np.nan), *HEALTHY[1:]])
    options = DataOptions(path=str(path))
    seen: list[Video] = []
    check = check_dataset(options, on_video=seen.append)
    assert len(seen) == 4
    report = json.loads(json.dumps(check.to_json()))
    assert report["format"] == "progfix-data-check/1"
    assert report["data"]["videos"] == 4
    (finding,) = report["findings"]
    assert (finding["id"], finding["severity"]) == ("non-finite", "error")
    assert finding["evidence"]["count"] == 1
    assert report["not_checked"] == []
    assert check.fails("error")
    assert check.fails("info")
    assert not check.fails("never")
    unread = check_dataset(options, features=False)
    assert unread.findings == ()
    assert dict(unread.not_checked)["non-finite"] == "features were not read"


def test_damaged_features_do_not_stop_the_check(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    write_hdf5(path, HEALTHY)
    raw = bytearray(path.read_bytes())
    raw[raw.index(HEALTHY[1].read()[7].tobytes())] ^= 1
    path.write_bytes(raw)
    (finding,) = check_dataset(DataOptions(path=str(path))).findings
    assert (finding.id, finding.evidence["count"]) == ("missing-features", 1)
    assert "video v1" in finding.examples[0]
