"""Features that are read ahead: the same ones, in bounded memory, however many read them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from progfix import runs
from progfix.data.dataset import Dataset, Segment, Video
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.predict import predict
from progfix.read_ahead import ReadAhead
from progfix.training.embeddings import EmbeddingCache
from progfix.training.execution import Execution
from progfix.training.prepare import prepare
from progfix.training.recipe import Method
from progfix.training.run import start_run
from progfix.training.state import read_training
from tests.training.test_run import assert_same_run, ignore, options
from tests.training.tiny import write_tiny

FRAMES = 50
BYTES = 4 * FRAMES * 5


@dataclass(eq=False)
class Counted:
    """Features that say who reads them, and hold what is asked for in the reader until it may."""

    number: int
    bad: bool = False
    readers: list[str] = field(default_factory=list)
    shape: tuple[int, ...] = (FRAMES, 5)

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        self.readers.append(threading.current_thread().name)
        value = np.nan if self.bad else self.number
        return np.full(self.shape, value, np.float32)[start:stop]


def videos(count: int = 6, bad: int | None = None) -> list[Video]:
    return [
        Video(f"v{i}", "t", FRAMES, (), features=Counted(i, bad=i == bad)) for i in range(count)
    ]


def read_by(video: Video) -> list[str]:
    assert isinstance(video.features, Counted)
    return video.features.readers


def reading() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("progfix-read")}


@pytest.mark.parametrize("readers", [0, 1, 3])
def test_videos_are_those_asked_for_in_any_order(readers: int) -> None:
    ahead, given = ReadAhead(readers, 3 * BYTES), videos()
    ahead.announce(given)
    for index in (0, 3, 1, 2, 5, 4):
        np.testing.assert_array_equal(ahead.take(given[index]), np.float32(index))
    assert all(len(read_by(video)) <= 2 for video in given)
    ahead.close()


def test_what_is_announced_is_read_once_by_a_reader() -> None:
    ahead, given = ReadAhead(2, 100 * BYTES), videos()
    ahead.announce(given)
    for video in given:
        ahead.take(video)
        assert len(read_by(video)) == 1
        assert read_by(video)[0].startswith("progfix-read")
    ahead.close()


@pytest.mark.parametrize(("budget", "held"), [(3 * BYTES, 3), (1, 1)])
def test_no_more_is_held_than_the_budget_or_one_video(budget: int, held: int) -> None:
    ahead, given = ReadAhead(2, budget), videos()
    ahead.announce(given)
    for index, video in enumerate(given):
        assert len(ahead._held) == min(held, len(given) - index)
        ahead.take(video)
    ahead.close()


def test_what_is_announced_anew_replaces_what_was() -> None:
    ahead, given = ReadAhead(1, 2 * BYTES), videos()
    ahead.announce(given)
    ahead.announce(given[4:])
    assert set(ahead._held) == set(given[4:])
    np.testing.assert_array_equal(ahead.take(given[0]), 0)
    ahead.close()


def test_bad_features_are_the_error_of_whoever_asks() -> None:
    ahead, given = ReadAhead(2, 100 * BYTES), videos(bad=1)
    ahead.announce(given)
    ahead.take(given[0])
    with pytest.raises(InputError, match="video t v1: expected finite features"):
        ahead.take(given[1])
    np.testing.assert_array_equal(ahead.take(given[2]), 2)
    ahead.close()


def test_videos_of_one_name_are_told_apart() -> None:
    given = [replace(video, name="same") for video in videos(3)]
    ahead = ReadAhead(1, 100 * BYTES)
    ahead.announce(given)
    assert [ahead.take(video)[0, 0] for video in given] == [0, 1, 2]
    ahead.close()


def test_predictions_are_read_ahead_and_the_reader_ends_with_them() -> None:
    model = ProgressModel(None, build_head(HeadSpec(), 5))
    given = [replace(video, segments=(Segment(0, 9, "a"),)) for video in videos(3)]
    before = reading()
    tables = predict(model, Dataset(tuple(given)), videos_per_chunk=1)
    next(tables)
    tables.close()
    assert all(name.startswith("progfix-read") for video in given for name in read_by(video))
    assert not reading() - before


def test_readers_that_were_ended_begin_again_when_more_is_announced() -> None:
    ahead, given = ReadAhead(2, 100 * BYTES), videos(4)
    before = reading()
    for some in (given[:2], given[2:]):
        ahead.announce(some)
        for video in some:
            np.testing.assert_array_equal(ahead.take(video), given.index(video))
        assert reading() - before
        ahead.close()
        assert not reading() - before
    assert [len(read_by(video)) for video in given] == [1, 1, 1, 1]


def test_what_is_prepared_and_never_trained_leaves_no_reader(tmp_path: Path) -> None:
    before = reading()
    data = DataOptions(path=str(write_tiny(tmp_path / "tiny.h5")))
    prepared = prepare(replace(options(tmp_path / "run", "g", epochs=1), data=data))
    assert not reading() - before, prepared


def test_the_first_videos_are_kept_and_the_others_streamed() -> None:
    model = ProgressModel(None, build_head(HeadSpec(), 5))
    cache, given = EmbeddingCache(model, budget=2 * BYTES, readers=1), videos(4)
    for _ in range(3):
        cache.announce(given)
        for index, video in enumerate(given):
            torch.testing.assert_close(cache.get(video), torch.full((FRAMES, 5), float(index)))
    assert [len(read_by(video)) for video in given] == [1, 1, 3, 3]
    cache.close()


def test_how_features_are_read_changes_no_bit(tmp_path: Path) -> None:
    data = DataOptions(path=str(write_tiny(tmp_path / "tiny.h5")))
    plain = options(tmp_path / "kept", "fghsv", epochs=2)
    method = Method("tcc", size=8, frames=12)
    plain = replace(plain, data=data, recipe=replace(plain.recipe, method=method))
    start_run(plain, ignore)
    for readers in (0, 1, 4):
        folder = tmp_path / f"readers-{readers}"
        execution = Execution(readers=readers, cache_gib=0)
        start_run(replace(plain, folder=folder, execution=execution), ignore)
        assert_same_run(tmp_path / "kept", folder)
        first, second = (read_training(f / runs.LAST).encoder for f in (tmp_path / "kept", folder))
        assert first is not None
        assert second is not None
        assert all(torch.equal(value, second[name]) for name, value in first.items())
