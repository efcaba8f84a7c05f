from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.collector import Collector
from progfix.data.dataset import Video
from progfix.data.splits import derive_splits, load_json, read_splits_json
from progfix.errors import InputError
from tests.data.samples import write_json


def videos(count: int, *, task: str = "t", split: str | None = None) -> list[Video]:
    return [Video(f"v{number}", task, 1, (), split=split) for number in range(count)]


def test_without_splits_each_task_is_divided() -> None:
    derived, note = derive_splits([*videos(20, task="a"), *videos(3, task="b")])
    counts = Counter((video.task, video.split) for video in derived)
    # 15 % of 20 is 3; of three videos each split gets one.
    assert counts == {
        ("a", "train"): 14,
        ("a", "val"): 3,
        ("a", "test"): 3,
        ("b", "train"): 1,
        ("b", "val"): 1,
        ("b", "test"): 1,
    }
    assert "70/15/15" in note


def test_tasks_of_one_video_are_divided_together() -> None:
    single = [Video("v", f"task{number}", 1, ()) for number in range(10)]
    counts = Counter(video.split for video in derive_splits(single)[0])
    assert counts == {"train": 6, "val": 2, "test": 2}


def test_validation_comes_out_of_train_alone() -> None:
    data = [*videos(10, split="train"), Video("x", "t", 1, (), split="test")]
    derived, note = derive_splits(data)
    assert Counter(video.split for video in derived) == {"train": 8, "val": 2, "test": 1}
    assert derived[-1].split == "test"
    assert "validation" in note


@pytest.mark.parametrize("split", ["test", "val"])
def test_splits_that_are_there_stay(split: str) -> None:
    data = videos(5, split=split)
    assert derive_splits(data) == (tuple(data), "")


@given(st.permutations(range(12)))
def test_the_order_of_videos_does_not_matter(order: list[int]) -> None:
    data = videos(12)
    straight = {video.name: video.split for video in derive_splits(data)[0]}
    shuffled = {v.name: v.split for v in derive_splits([data[i] for i in order])[0]}
    assert straight == shuffled


def test_the_choice_is_pinned() -> None:
    # `printf t/v0 | sha256sum` and so on, sorted: v2 v4 v3 v5 v6 v1 v0. Of 7 videos 15 %
    # is 1: the last is val, taken first, the one before it test.
    chosen = {video.split: video.name for video in derive_splits(videos(7))[0]}
    assert (chosen["val"], chosen["test"]) == ("v0", "v1")


def test_reads_both_forms_and_refuses_leaks_and_unknown_names(tmp_path: Path) -> None:
    tasks = {"a": {"train": ["x"], "test": ["y"]}}
    table = {("a", "x"): "train", ("a", "y"): "test"}
    for content in (tasks, {"splits": tasks, "seed": 42}):
        collector = Collector()
        assert read_splits_json(write_json(tmp_path / "s.json", content), collector) == table
        assert collector.findings() == ()
    bad = {"a": {"train": ["x"], "test": ["x"], "dev": ["z"]}}
    collector = Collector()
    read_splits_json(write_json(tmp_path / "bad.json", bad), collector)
    assert [f.id for f in collector.findings()] == ["missing-splits", "split-leak"]
    assert "x in train and test" in collector.findings()[1].problems[0].found


@pytest.mark.parametrize(
    "content", [[], {"splits": 3}, {"a": {"train": "x"}}, {"a": {"train": [1]}}]
)
def test_another_structure_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match="another structure"):
        read_splits_json(write_json(tmp_path / "s.json", content), Collector())


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "empty"), ('{"a": [1,', "no valid JSON"), ('{"a": 1, "a": 2}', "more than once")],
)
def test_broken_json_is_named(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=found):
        load_json(path)
    with pytest.raises(InputError, match="No such file"):
        load_json(tmp_path / "missing.json")
