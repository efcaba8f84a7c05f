"""Input probes, embedding probes and the audited step, on models whose answers are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from torch import Tensor, nn

from progfix.data.dataset import ArrayFeatures, Dataset, Segment, Video
from progfix.diagnosis.asking import FRAMES, Sample, spread_out, take_sample
from progfix.diagnosis.embedding_probes import _frames, _nearest, probe_embeddings
from progfix.diagnosis.input_probes import INPUT_PROBES, input_probes
from progfix.diagnosis.linear import NEIGHBOURS, PENALTIES, neighbours, ridge
from progfix.diagnosis.measured import ratios
from progfix.diagnosis.step_audit import audit_step
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.predict import SegmentAnswers
from progfix.solutions import apply
from progfix.sources.probing import probing_of_model
from progfix.sources.source import Probing
from progfix.training.recipe import SEED_RECIPE


def videos(number: int = 6, frames: int = 40, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(number):
        features = rng.standard_normal((frames, 3)).astype(np.float32)
        half = frames // 2
        segments = (Segment(0, half - 1, "a"), Segment(half, frames - 2, "b"))
        split = "train" if i % 2 else "test"
        made.append(Video(f"v{i}", "", frames, segments, ArrayFeatures(features), split))
    return Dataset(tuple(made))


def sample_of(rule: object, data: Dataset | None = None, encoder: object = None) -> Sample:
    """A sample whose answers are a function of a segment's embeddings, `(L, D)` to `(L,)`."""

    def answer(segments: list[Tensor]) -> list[SegmentAnswers]:
        return [SegmentAnswers(rule(s).double().numpy()) for s in segments]  # type: ignore[operator]

    def embed(video: Video) -> Tensor:
        features = torch.from_numpy(video.read())
        return features if encoder is None else encoder(features)  # type: ignore[operator]

    return take_sample(Probing(data or videos(), embed, answer))  # type: ignore[arg-type]


def changes(sample: Sample) -> dict[str, float]:
    return {probe.name: probe.change.value for probe in input_probes(sample)}


def test_a_clock_heeds_the_frame_rate_alone() -> None:
    found = changes(sample_of(lambda s: torch.arange(1, len(s) + 1) / 100))
    same = {"noise", "zeros", "frozen", "shuffled", "swapped", "future"}
    assert {name for name, change in found.items() if change == 0} == same
    # Segments of 20 and 19 frames. Every second frame: frame 2k is answered as frame k, k / 100
    # less, k = 1 .. 10 and 1 .. 9: (55 + 45) / 19 / 100. Every frame twice: (210 + 190) / 39.
    assert found["half-rate"] == pytest.approx(100 / 19 / 100)
    assert found["double-rate"] == pytest.approx(400 / 39 / 100)


def test_the_mean_so_far_is_blind_to_order_and_the_last_frame_is_not() -> None:
    mean = changes(sample_of(lambda s: s[:, 0].cumsum(0) / torch.arange(1, len(s) + 1)))
    assert mean["shuffled"] == pytest.approx(0, abs=1e-6)
    assert mean["swapped"] > 0.1
    last = changes(sample_of(lambda s: s[:, 0]))
    assert last["shuffled"] > 0.5
    assert last["future"] == last["half-rate"] == last["double-rate"] == 0


def test_zeros_and_the_first_frame_are_what_they_say() -> None:
    data = videos()
    sample = sample_of(lambda s: s[:, 0], data)
    found = changes(sample)
    cut = [v.read(s.start, s.end + 1)[:, 0] for v in data for s in v.segments]
    frames = sum(map(len, cut))
    assert found["zeros"] == pytest.approx(sum(np.abs(c).sum() for c in cut) / frames, rel=1e-5)
    held = sum(np.abs(c - c[0]).sum() for c in cut) / frames
    assert found["frozen"] == pytest.approx(held, rel=1e-5)


def test_the_change_of_the_mae_is_that_of_the_same_frames() -> None:
    probes = {p.name: p for p in input_probes(sample_of(lambda s: torch.full((len(s),), 0.5)))}
    assert set(probes) == {*INPUT_PROBES, "future"}
    for probe in probes.values():
        assert probe.mae_change.value == 0
        assert probe.videos == 6
    assert probes["zeros"].frames == 6 * 39
    assert probes["zeros"].mae.value == pytest.approx(0.25, abs=0.02)


def test_an_encoder_that_looks_ahead_is_seen_and_a_causal_one_is_not() -> None:
    def ahead(features: Tensor) -> Tensor:
        return torch.cat([features[2:], features[-2:]])

    leaky = {p.name: p for p in input_probes(sample_of(lambda s: s[:, 0], encoder=ahead))}
    assert leaky["future"].change.value > 0.1
    # Two of the eight frames before the cut change, by two independent draws: sqrt(2 x 2 / 8).
    assert leaky["future"].embedding_change == pytest.approx(math.sqrt(0.5), rel=0.3)
    causal = {p.name: p for p in input_probes(sample_of(lambda s: s[:, 0].cumsum(0)))}
    assert causal["future"].embedding_change == 0
    # A head that reads its whole segment leaks although the encoder does not.
    whole = {p.name: p for p in input_probes(sample_of(lambda s: s[:, 0].mean().expand(len(s))))}
    assert whole["future"].change.value > 0.05
    assert whole["future"].embedding_change == 0


def test_a_sample_is_spread_over_all_videos_within_its_budget() -> None:
    data = videos(100, frames=1000)
    sample = sample_of(lambda s: s[:, 0], data)
    assert len(sample.videos) == 32
    assert {sample.videos[0].name, sample.videos[-1].name} == {"v0", "v99"}
    # 12,000 frames are 24 segments of 500 or 499 frames and a part of one more.
    assert {asked.place for asked in sample.segments} == set(range(25))
    assert FRAMES <= sum(len(a.target) for a in sample.segments) < FRAMES + 500
    assert spread_out((), 5) == []


def test_ratios_and_their_intervals() -> None:
    # Two videos of 1 and 3 frames with error sums 1 and 0: 1/4 over all, and resamples
    # (both first, mixed, both second) give 1, 1/4 and 0.
    (found,) = ratios(np.array([[1.0], [0.0]]), np.array([1.0, 3.0]))
    assert (found.value, found.low, found.high) == (0.25, 0.0, 1.0)
    (one,) = ratios(np.array([[1.0]]), np.array([2.0]))
    assert one.value == 0.5
    assert math.isnan(one.low)


def test_ridge_is_ridge() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((200, 5)) * [1, 2, 3, 4, 0], rng.standard_normal((7, 5))
    y = x @ rng.standard_normal((5, 2)) + 0.1 * rng.standard_normal((200, 2))
    mean, deviation = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1)
    oracle = Ridge(alpha=PENALTIES[0] * 200).fit((x - mean) / deviation, y)
    # With so little noise the smallest penalty is the best.
    np.testing.assert_allclose(ridge(x, y, z), oracle.predict((z - mean) / deviation), rtol=1e-6)
    # Noise is best predicted by its mean, as near as the largest penalty comes to it.
    noise = rng.standard_normal((200, 1))
    assert np.abs(ridge(x, noise, z) - noise.mean()).max() < 0.2


def test_neighbours_are_the_nearest() -> None:
    rng = np.random.default_rng(1)
    x, z = rng.standard_normal((300, 4)), rng.standard_normal((9, 4))
    y = rng.standard_normal((300, 3))
    scaled = (x - x.mean(0)) / x.std(0)
    oracle = KNeighborsRegressor(NEIGHBOURS).fit(scaled, y)
    np.testing.assert_allclose(
        neighbours(x, y, z), oracle.predict((z - x.mean(0)) / x.std(0)), rtol=1e-9
    )


def shown(*, progress: float, duration: float, seed: int = 0) -> Dataset:
    """Videos whose columns show progress and log duration that strongly, beside noise."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(20):
        segments, parts, frame = [], [], 0
        for _ in range(5):
            frames = int(np.exp(rng.uniform(np.log(8), np.log(60))))
            noise = rng.standard_normal((frames, 4))
            noise[:, 0] += progress * np.arange(1, frames + 1) / frames
            noise[:, 1] += duration * np.log(frames)
            segments.append(Segment(frame, frame + frames - 1, "a"))
            parts.append(noise)
            frame += frames
        features = ArrayFeatures(np.concatenate(parts).astype(np.float32))
        split = "train" if number % 2 else "test"
        made.append(Video(f"v{number}", "", frame, tuple(segments), features, split))
    return Dataset(tuple(made))


@pytest.mark.parametrize(("progress", "duration"), [(0, 0), (10, 0), (0, 5)])
def test_embedding_probes_read_what_is_shown(progress: float, duration: float) -> None:
    data = shown(progress=progress, duration=duration)
    sample = sample_of(lambda s: torch.full((len(s),), 0.5), data.split("test"))
    found = probe_embeddings(sample, data)
    assert not isinstance(found, str)
    assert (found.videos, found.fitted_on) == (10, 20)
    assert found.mae_head == pytest.approx(0.26, abs=0.02)
    if progress or duration:
        assert found.duration.low > 0.3
        assert found.mae < 0.6 * found.mae_clock
        assert found.saved.low > 0.1
    else:
        assert found.duration.value < 0.05
        assert found.mae == pytest.approx(found.mae_clock, rel=0.1)


def test_a_sampled_frame_stands_for_those_nearest_to_it() -> None:
    # Frames 0, 4 and 9 of ten: 0 to 2 (2 is as near to 4, and counts for 0), 3 to 6, 7 to 9.
    assert _nearest(np.array([0, 4, 9])).tolist() == [3, 4, 3]
    for length in (1, 2, 11, 12, 13, 200, 997):
        frames = _frames(length)
        distance = np.abs(np.arange(length)[:, None] - frames)
        expected = np.bincount(distance.argmin(axis=1), minlength=len(frames))
        assert _nearest(frames).tolist() == expected.tolist()


def by_length(s: Tensor) -> Tensor:
    """Answers that are right in short segments and far too high at the start of long ones."""
    progress = torch.arange(1, len(s) + 1) / len(s)
    return progress if len(s) < 30 else 1 - (1 - progress) ** 3


def test_what_is_sampled_stands_for_all_frames() -> None:
    data = shown(progress=10, duration=0)
    lengths = [s.duration for v in data.split("test") for s in v.segments]
    errors = [
        (by_length(torch.zeros(n, 1)) - torch.arange(1, n + 1) / n).abs().numpy() for n in lengths
    ]
    found = probe_embeddings(sample_of(by_length, data.split("test")), data)
    assert not isinstance(found, str)
    assert found.mae_head == pytest.approx(np.concatenate(errors).mean(), rel=0.02)
    # As many frames of every segment would say less than two thirds of it.
    assert np.mean([e.mean() for e in errors]) < 0.67 * found.mae_head


def test_the_same_embeddings_give_the_same_number_beside_any_head() -> None:
    data = shown(progress=2, duration=1)
    costly = replace(sample_of(by_length, data.split("test")).probing, streams=False)
    samples = [
        sample_of(by_length, data.split("test")),
        sample_of(lambda s: torch.full((len(s),), 0.5), data.split("test")),
        take_sample(costly),
    ]
    found = [probe_embeddings(sample, data) for sample in samples]
    assert len({f.mae for f in found if not isinstance(f, str)}) == 1
    assert len({f.mae_head for f in found if not isinstance(f, str)}) == 2


def test_a_part_of_a_video_stands_for_the_whole() -> None:
    # 100 videos with two segments of 500 and 499 frames: 25 give the one they are asked about.
    whole = sample_of(lambda s: s[:, 0], videos(100, frames=1000))
    stands_for = whole.stands_for()
    assert np.nanmax(np.abs(stands_for[:25] - 999 / 499)) < 1e-12
    assert np.isnan(stands_for[25:]).all()


def test_a_costly_head_is_asked_less_often() -> None:
    sample = sample_of(lambda s: s[:, 0], videos(100, frames=1000))
    assert sample.affordable() is sample
    costly = replace(sample, probing=replace(sample.probing, streams=False)).affordable()
    # 499 frames each: the seventh is the first to reach 3,000.
    assert [asked.place for asked in costly.segments] == list(range(7))
    assert costly.segments[0] is sample.segments[0]


def test_few_videos_say_nothing_of_embeddings() -> None:
    data = videos(4)
    found = probe_embeddings(sample_of(lambda s: s[:, 0], data), data)
    assert found == "4 videos are too few to fit on some and test on others"


class SmallEncoder(nn.Linear):
    input_shape = (3,)


def model() -> ProgressModel:
    torch.manual_seed(0)
    return ProgressModel(SmallEncoder(3, 8), build_head(HeadSpec(), 8))


def test_a_head_clipped_beside_an_encoder_starves() -> None:
    data, starving = videos(), model()
    kept = {name: value.clone() for name, value in starving.state_dict().items()}
    audit = audit_step(starving, SEED_RECIPE, data, trains_encoder=True)
    assert not isinstance(audit, str)
    assert audit.encoder is not None
    # The encoder's gradient carries lambda = 1e6, the head's is divided by it again; one clip
    # brings both to 1e-5 together.
    both = math.hypot(audit.head.gradient, audit.encoder.gradient)
    assert audit.head.applied == pytest.approx(audit.head.gradient * 1e-5 / both, rel=1e-3)
    assert audit.encoder.gradient > 1e3 * audit.head.gradient
    assert audit.head.share < 0.01 < 0.1 < audit.encoder.share
    for name, value in starving.state_dict().items():
        assert torch.equal(value, kept[name])


def test_its_own_gradients_and_no_encoder_feed_a_head() -> None:
    data = videos()
    own = audit_step(model(), apply("gs"), data, trains_encoder=True)
    assert not isinstance(own, str)
    assert own.head.share > 0.5
    alone = audit_step(model(), SEED_RECIPE, data, trains_encoder=False)
    assert not isinstance(alone, str)
    assert alone.encoder is None
    assert alone.head.share > 0.1


def test_a_step_needs_something_to_step_on() -> None:
    empty = Dataset(tuple(replace(v, segments=()) for v in videos()))
    assert audit_step(model(), SEED_RECIPE, empty, trains_encoder=True) == (
        "the data has no training videos with action segments"
    )
    short = tuple(replace(v, segments=(Segment(0, 1, "a"),)) for v in videos())
    assert audit_step(model(), SEED_RECIPE, Dataset(short), trains_encoder=True) == (
        "no segment is long enough for the recipe to draw a prefix from"
    )


def test_probing_leaves_the_model_as_it_was() -> None:
    probed = model().train()
    probing = probing_of_model(probed, videos())
    embedded = probing.embed(probing.videos.videos[0])
    assert not embedded.requires_grad
    assert len(probing.answer([embedded[:5]])[0].progress) == 5
    assert probed.training
