import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from progfix.metrics.alignment.kendall import kendalls_tau, wild_tau
from progfix.metrics.alignment.neighbours import PairNeighbours
from progfix.metrics.alignment.videos import EmbeddedVideo
from tests.metrics.alignment.made import matches, nearest, pairs, random_videos, video

# The worked example of docs/metrics.md: B shows cut (0) and then stir (1), A the other way
# round, the same frames.
A = video([0, 1, 10, 11], (0, 1, 0), (2, 3, 1))
B = video([10.1, 11.1, 0.1, 1.1], (0, 1, 1), (2, 3, 0))


def test_the_worked_example() -> None:
    # Neighbours of A in B: 2 3 0 1. Of 6 pairs 2 are concordant and 4 discordant; no ties.
    # B's in A: 2 3 0 1 as well.
    tau = kendalls_tau([A, B])
    assert tau.value == pytest.approx(-1 / 3)
    assert (tau.count, tau.undefined) == (2, 0)
    # The true matches are 2 3 0 1 too: in the wild the order is right.
    assert wild_tau([A, B]).value == pytest.approx(1.0)


def test_the_worked_example_as_gtcc_computes_it() -> None:
    # Matches of all but an action's last frame: 0 -> 2 and 2 -> 0. One pair (0, 2): match 2
    # is not before neighbour 0: discordant, over 4 * 3 / 2 pairs.
    assert wild_tau([A, B], variant="gtcc").value == pytest.approx(-1 / 6)


@pytest.mark.parametrize("seed", range(4))
def test_against_scipy(seed: int) -> None:
    videos = random_videos(seed, 5)
    taus = np.array(
        [kendalltau(nearest(a, b), np.arange(len(a))).statistic for a, b in pairs(videos)]
    )
    tau = kendalls_tau(videos)
    assert tau.value == pytest.approx(np.nanmean(taus), abs=1e-9)
    assert (tau.count, tau.undefined) == ((~np.isnan(taus)).sum(), np.isnan(taus).sum())


@pytest.mark.parametrize("seed", range(4))
def test_wild_tau_against_a_loop(seed: int) -> None:
    videos = random_videos(seed, 4)
    taus = []
    for a, b in pairs(videos):
        valid, found = matches(a, b), nearest(a, b)
        frames = sorted(valid)
        chosen = [min((abs(m - found[f]), m) for m in valid[f])[1] for f in frames]
        taus.append(kendalltau(found[frames], chosen).statistic if len(frames) > 1 else np.nan)
    tau = wild_tau(videos)
    assert tau.value == pytest.approx(np.nanmean(taus), abs=1e-9)
    assert tau.undefined == np.isnan(taus).sum()


@pytest.mark.parametrize("variant", ["tcc", "carl", "lav"])
def test_each_fifth_frame(variant: str) -> None:
    videos = random_videos(3, 5, actions=6)
    cut = [video(v.embeddings[::5]) for v in videos]
    assert kendalls_tau(videos, variant=variant) == kendalls_tau(cut)  # type: ignore[arg-type]
    assert kendalls_tau(videos) != kendalls_tau(cut)


def test_one_undefined_pair_is_enough_for_gtcc() -> None:
    videos = [*random_videos(0, 3), video(np.zeros((6, 5)))]
    assert np.isfinite(kendalls_tau(videos).value)
    spoilt = kendalls_tau(videos, variant="gtcc")
    assert np.isnan(spoilt.value)
    assert spoilt.undefined >= 3


def _gtcc_options(a: EmbeddedVideo, b: EmbeddedVideo) -> dict[int, list[int]]:
    options: dict[int, list[int]] = {}
    for s, e, action in zip(a.start, a.end, a.action, strict=True):
        for s2, e2, action2 in zip(b.start, b.end, b.action, strict=True):
            spread = np.linspace(s2, e2, e - s if action == action2 else 0)
            for place, match in enumerate(spread):
                options.setdefault(int(s) + place, []).append(round(float(match)))
    return options


def test_gtcc_wild_tau_against_its_loop() -> None:
    videos, taus = random_videos(5, 4), []
    for a, b in pairs(videos):
        options, found = _gtcc_options(a, b), nearest(a, b)
        score = sum(
            1 if any(p < found[j] for p in options[i]) else -1
            for i, j in itertools.combinations(sorted(options), 2)
        )
        taus.append(score / (len(a) * (len(a) - 1) / 2))
    assert wild_tau(videos, variant="gtcc").value == pytest.approx(np.mean(taus), abs=1e-9)


@pytest.mark.parametrize("metric", [kendalls_tau, wild_tau])
def test_collapsed_embeddings_are_undefined_and_counted(metric: object) -> None:
    videos = [video(np.full((4, 3), 0.1), (0, 3, 0)) for _ in range(3)]
    score = metric(videos)  # type: ignore[operator]
    assert np.isnan(score.value)
    assert (score.count, score.undefined) == (0, 6)


@pytest.mark.parametrize("metric", [kendalls_tau, wild_tau])
def test_one_video_alone_and_videos_of_one_frame(metric: object) -> None:
    assert metric(random_videos(0, 1)).count == 0  # type: ignore[operator]
    assert metric([]).undefined == 0  # type: ignore[operator]
    score = metric([video([1], (0, 0, 0)), video([1, 2], (0, 1, 0))])  # type: ignore[operator]
    assert (score.count, score.undefined) == (0, 2)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 100), shift=st.floats(-100, 100))
def test_scale_and_place_do_not_matter(seed: int, scale: float, shift: float) -> None:
    videos = random_videos(seed, 3)
    moved = [EmbeddedVideo(v.embeddings * scale + shift, v.start, v.end, v.action) for v in videos]
    np.testing.assert_allclose(kendalls_tau(moved).value, kendalls_tau(videos).value)
    np.testing.assert_allclose(wild_tau(moved).value, wild_tau(videos).value)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_time_reversed_in_the_second_video_turns_the_sign(seed: int) -> None:
    first, second = random_videos(seed, 2)
    forward = PairNeighbours.of([first, second]).frames[0][1]
    backward = PairNeighbours.of([first, video(second.embeddings[::-1])]).frames[0][1]
    assert (forward == len(second) - 1 - backward).all()


def test_of_equally_near_frames_the_earliest() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(5, 16)) + 100
    second = video(np.concatenate([frames, frames, frames]))
    found = PairNeighbours.of([video(frames[::-1]), second]).frames[0][1]
    np.testing.assert_array_equal(found, [4, 3, 2, 1, 0])


@pytest.mark.parametrize("cells", [1, 7, 10_000])
def test_chunks_do_not_matter(cells: int) -> None:
    videos = random_videos(2, 4)
    for rows, other in zip(
        PairNeighbours.of(videos, cells=cells).frames, PairNeighbours.of(videos).frames, strict=True
    ):
        np.testing.assert_array_equal(rows, other)


def test_a_variant_that_is_the_default_has_no_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="gtcc"):
        wild_tau(random_videos(0, 2), variant="tcc")
    with pytest.raises(ValueError, match="one size"):
        kendalls_tau([video([1, 2]), video(np.zeros((2, 2)))])
