"""Splits drawn afresh keep their sizes and depend on names and seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.dataset import Video
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.data.resplit import resplit
from progfix.errors import InputError

_SPLITS = st.sampled_from(["train", "val", "test", None])
_TASKS = st.sampled_from(["tea", "coffee", ""])


def videos_of(kinds: Sequence[tuple[str, str | None]]) -> list[Video]:
    return [Video(f"v{i}", task, 5, (), split=split) for i, (task, split) in enumerate(kinds)]


@given(st.lists(st.tuples(_TASKS, _SPLITS), max_size=30), st.integers(0, 2**40), st.randoms())
def test_sizes_of_every_task_stay_and_order_does_not_matter(
    kinds: list[tuple[str, str | None]], seed: int, random: object
) -> None:
    videos = videos_of(kinds)
    dealt = resplit(videos, seed)
    assert [v.name for v in dealt] == [v.name for v in videos]
    assert Counter((v.task, v.split) for v in dealt) == Counter((v.task, v.split) for v in videos)
    assert all((a.split is None) == (b.split is None) for a, b in zip(dealt, videos, strict=True))
    shuffled = list(videos)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {v.name: v.split for v in resplit(shuffled, seed)} == {v.name: v.split for v in dealt}


def test_every_video_is_a_test_video_about_as_often_as_its_share() -> None:
    videos = videos_of([("", "train")] * 6 + [("", "val")] * 2 + [("", "test")] * 2)
    times = Counter(
        v.name for seed in range(1000) for v in resplit(videos, seed) if v.split == "test"
    )
    # Binomial with n = 1000, p = 0.2: standard deviation 12.6, five of them either side.
    assert all(137 <= times[f"v{i}"] <= 263 for i in range(10))


def test_data_opens_with_fresh_splits_and_says_so() -> None:
    small = DataOptions(path="procedures/1:tasks=2,videos=12,dim=4")
    plain, fresh = open_dataset(small), open_dataset(replace(small, resplit=1))
    assert fresh.options == {"resplit": 1}
    assert "splits of the same sizes drawn with seed 1" in fresh.description
    changed = [a.name for a, b in zip(plain, fresh, strict=True) if a.split != b.split]
    assert len(changed) > 3
    again = open_dataset(replace(small, resplit=1))
    assert [v.split for v in again] == [v.split for v in fresh]


@pytest.mark.parametrize("value", ["1", -1, 0.5, True])
def test_a_stored_seed_must_be_one(value: object) -> None:
    with pytest.raises(InputError, match=r"data\.resplit: expected an integer of at least 0"):
        DataOptions.from_json({"resplit": value}, where="config.json: data")
