"""Which prefixes are drawn: counts, bounds, and every frame with solution s."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from progfix.data.dataset import Segment, Video
from progfix.training.batches import epoch_batches, generator
from progfix.training.recipe import Sampling
from progfix.training.sampling import choose_prefixes


def segments_of(*durations: int) -> list[Segment]:
    starts = np.cumsum([0, *durations])
    return [Segment(int(s), int(s) + d - 1, "a") for s, d in zip(starts, durations, strict=False)]


def test_every_frame_of_every_segment() -> None:
    chosen = choose_prefixes(
        [segments_of(2, 3), segments_of(1)], Sampling(frames="every"), generator(0)
    )
    rows = list(
        zip(
            chosen.video.tolist(),
            chosen.start.tolist(),
            chosen.frames.tolist(),
            chosen.duration.tolist(),
            strict=True,
        )
    )
    assert rows == [(0, 0, 1, 2), (0, 0, 2, 2), (0, 2, 1, 3), (0, 2, 2, 3), (0, 2, 3, 3),
                    (1, 0, 1, 1)]  # fmt: skip


def test_sampled_prefixes_are_five_draws_of_three_frames() -> None:
    chosen = choose_prefixes([segments_of(20, 30)], Sampling(), generator(1))
    assert len(chosen) == 5 * 3
    assert chosen.frames.min() >= 3
    assert (chosen.frames <= chosen.duration).all()
    for draw in range(5):
        frames = chosen.frames[3 * draw : 3 * draw + 3]
        assert len(set(frames.tolist())) == 3


def test_short_segments_give_what_they_have() -> None:
    # Of 2, 3 and 4 frames: the first is too short, the others have one and two last frames
    # from the third on.
    chosen = choose_prefixes([segments_of(2, 3, 4)], Sampling(samples_per_video=200), generator(2))
    assert set(chosen.duration.tolist()) == {3, 4}
    assert set(chosen.frames[chosen.duration == 3].tolist()) == {3}
    assert set(chosen.frames[chosen.duration == 4].tolist()) == {3, 4}


def test_no_segment_long_enough_gives_no_prefix() -> None:
    assert len(choose_prefixes([segments_of(2), []], Sampling(), generator(0))) == 0


def test_draws_are_uniform_over_segments_and_frames() -> None:
    sampling = Sampling(samples_per_video=6000, frames_per_segment=1)
    chosen = choose_prefixes([segments_of(12, 12)], sampling, generator(3))
    counts = Counter(zip(chosen.start.tolist(), chosen.frames.tolist(), strict=True))
    assert set(counts) == {(s, f) for s in (0, 12) for f in range(3, 13)}
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_censored_segments_are_used_only_on_request() -> None:
    videos = [[Segment(0, 9, "a", censored=True)]]
    assert len(choose_prefixes(videos, Sampling(frames="every"), generator(0))) == 0
    chosen = choose_prefixes(videos, Sampling(frames="every"), generator(0), use_censored=True)
    assert chosen.censored.all()
    assert len(chosen) == 10


@given(
    tasks=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    size=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_an_epoch_takes_each_video_once_in_batches_of_one_task(
    tasks: list[int], size: int, seed: int
) -> None:
    videos = [
        Video(f"{t}-{i}", f"t{t}", 5, (Segment(0, 4, "a"),))
        for t, count in enumerate(tasks)
        for i in range(count)
    ]
    batches = epoch_batches(videos, size, generator(seed, 0))
    assert sorted(i for batch in batches for i in batch) == list(range(len(videos)))
    assert all(len({videos[i].task for i in batch}) == 1 for batch in batches)
    assert all(len(batch) <= size for batch in batches)
    assert len(batches) == sum(-(-count // size) for count in tasks)
    assert batches == epoch_batches(videos, size, generator(seed, 0))


def test_epochs_differ_and_videos_without_segments_are_left_out() -> None:
    videos = [Video(str(i), "t", 5, (Segment(0, 4, "a"),)) for i in range(20)]
    videos.append(Video("empty", "t", 5, ()))
    first = epoch_batches(videos, 2, generator(0, 0))
    assert first != epoch_batches(videos, 2, generator(0, 1))
    assert 20 not in [i for batch in first for i in batch]
