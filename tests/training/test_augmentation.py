"""Time warp, noise and statistics: targets follow, draws are reproducible."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.training.augmentation import vary, warp_frames
from progfix.training.batches import generator
from progfix.training.embeddings import EmbeddingCache
from progfix.training.recipe import Augmentation
from progfix.training.statistics import frame_statistics


def video(seed: int, *segments: tuple[int, int]) -> Video:
    frames = np.random.default_rng(seed).normal(3.0, 2.0, size=(40, 5)).astype(np.float32)
    return Video(
        f"v{seed}", "t", 40, tuple(Segment(a, b, "x") for a, b in segments), ArrayFeatures(frames)
    )


def test_warped_frames_by_hand() -> None:
    assert warp_frames(5, 1.0).tolist() == [0, 1, 2, 3, 4]
    assert warp_frames(4, 2.0).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert warp_frames(5, 0.6).tolist() == [0, 2, 4]
    assert warp_frames(1, 3.0).tolist() == [0, 0, 0]
    assert warp_frames(3, 0.1).tolist() == [0]


@given(duration=st.integers(1, 200), factor=st.floats(0.2, 5.0))
def test_a_warp_keeps_order_and_ends(duration: int, factor: float) -> None:
    frames = warp_frames(duration, factor)
    assert (frames.diff() >= 0).all()
    assert frames[0] == 0
    assert len(frames) == 1 or frames[-1] == duration - 1


def test_without_strength_the_segments_are_as_they_were() -> None:
    videos = [video(0, (2, 9), (9, 20)), video(1, (0, 0))]
    embeddings = [torch.from_numpy(v.read()) for v in videos]
    varied, segments = vary(videos, embeddings, Augmentation(), torch.ones(5), generator(0))
    assert segments[0] == [Segment(0, 7, "x"), Segment(8, 19, "x")]
    torch.testing.assert_close(varied[0][:8], embeddings[0][2:10])
    torch.testing.assert_close(varied[0][8:], embeddings[0][9:21])
    torch.testing.assert_close(varied[1], embeddings[1][:1])


def test_targets_follow_the_warp() -> None:
    videos = [video(0, (0, 39))]
    embeddings = [torch.arange(40.0)[:, None].expand(40, 5)]
    settings = Augmentation(time_warp=0.5)
    durations = set()
    for seed in range(20):
        varied, segments = vary(videos, embeddings, settings, torch.ones(5), generator(seed))
        (segment,) = segments[0]
        durations.add(segment.duration)
        assert len(varied[0]) == segment.duration
        # The frame at progress p shows what was at progress p.
        shown = varied[0][:, 0] / 39
        expected = torch.linspace(0, 1, segment.duration)
        assert (shown - expected).abs().max() <= 0.5 / 39 + 1e-6
    assert min(durations) >= 40 * np.exp(-0.5) - 1
    assert max(durations) <= 40 * np.exp(0.5) + 1
    assert len(durations) > 5


def test_noise_has_the_asked_share_of_each_columns_spread() -> None:
    videos = [video(0, (0, 39))]
    embeddings = [torch.zeros(40, 5)]
    deviation = torch.tensor([0.0, 1.0, 2.0, 4.0, 8.0])
    many = torch.cat(
        [
            vary(videos, embeddings, Augmentation(feature_noise=0.5), deviation, generator(s))[0][0]
            for s in range(100)
        ]
    )
    torch.testing.assert_close(many.std(dim=0), 0.5 * deviation, rtol=0.06, atol=1e-9)
    again = vary(videos, embeddings, Augmentation(feature_noise=0.5), deviation, generator(99))
    torch.testing.assert_close(again[0][0], many[-40:])


def test_statistics_are_those_of_all_segment_frames() -> None:
    videos = [video(0, (2, 9), (9, 20)), video(1, (5, 5)), video(2)]
    model = ProgressModel(None, build_head(HeadSpec(), 5))
    mean, deviation = frame_statistics(videos, EmbeddingCache(model))
    frames = np.concatenate(
        [v.read()[s.start : s.end + 1].astype(np.float64) for v in videos for s in v.segments]
    )
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, frames.std(axis=0), rtol=1e-6)


def test_a_head_that_normalises_answers_the_same_for_shifted_and_scaled_data() -> None:
    torch.manual_seed(0)
    plain = build_head(HeadSpec(), 5)
    head = build_head(HeadSpec(normalise=True), 5)
    head.load_state_dict({**head.state_dict(), **plain.state_dict()})
    shift, scale = torch.randn(5), torch.rand(5) + 0.5
    head.fit_normalisation(shift, scale)
    segment, length = torch.randn(1, 9, 5), torch.tensor([9])
    torch.testing.assert_close(head(segment * scale + shift, length), plain(segment, length))


def test_a_column_that_never_varies_is_not_blown_up() -> None:
    head = build_head(HeadSpec(normalise=True), 2)
    head.fit_normalisation(torch.tensor([5.0, 0.0]), torch.tensor([0.0, 2.0]))
    assert head.scale.tolist() == [1.0, 2.0]


def test_a_normalisation_follows_the_frames() -> None:
    head = build_head(HeadSpec(normalise=True), 2)
    head.fit_normalisation(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 3.0]))
    # The frames are (3, 4) and (5, 4): means 4 and 4, mean squares 17 and 16; before them the
    # mean squares are 1 + 4 = 5 and 9.
    frames = torch.tensor([4.0, 4.0]), torch.tensor([17.0, 16.0])
    head.follow_normalisation(*frames, 0.25)
    mean = torch.tensor([0.75 * 1 + 0.25 * 4, 0.25 * 4])
    square = torch.tensor([0.75 * 5 + 0.25 * 17, 0.75 * 9 + 0.25 * 16])
    torch.testing.assert_close(head.mean, mean)
    torch.testing.assert_close(head.scale, (square - mean.square()).sqrt())
    for _ in range(100):
        head.follow_normalisation(*frames, 0.25)
    torch.testing.assert_close(head.mean, torch.tensor([4.0, 4.0]))
    assert abs(float(head.scale[0]) - 1.0) < 1e-5


def test_a_head_that_does_not_normalise_follows_nothing() -> None:
    head = build_head(HeadSpec(), 2)
    head.follow_normalisation(torch.ones(2), torch.ones(2), 0.5)
    assert "mean" not in head.state_dict()


def test_the_cache_keeps_its_budget() -> None:
    model = ProgressModel(None, build_head(HeadSpec(), 5))
    one_video = 40 * 5 * 4
    cache = EmbeddingCache(model, budget=2 * one_video)
    videos = [video(i, (0, 39)) for i in range(4)]
    for v in (*videos, *videos):
        np.testing.assert_array_equal(cache.get(v), v.read())
        assert cache._used <= 2 * one_video
