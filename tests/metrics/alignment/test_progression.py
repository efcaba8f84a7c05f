import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

from progfix.metrics.alignment.progression import phase_progression
from progfix.metrics.alignment.video_progress import video_targets
from progfix.metrics.alignment.videos import EmbeddedVideo
from tests.metrics.alignment.made import random_videos, video


def ordered_videos(seed: int, count: int) -> list[EmbeddedVideo]:
    """Return videos of actions 0, 1, 2 in this order, without gaps."""
    rng = np.random.default_rng(seed)
    videos = []
    for _ in range(count):
        edges = np.cumsum([0, *rng.integers(3, 9, size=3)])
        phase = np.repeat(np.arange(3), np.diff(edges))
        embeddings = rng.normal(size=(edges[-1], 4)) + phase[:, None]
        segments = zip(edges[:-1], edges[1:] - 1, range(3), strict=True)
        videos.append(video(embeddings, *segments))
    return videos


def test_the_worked_example() -> None:
    # Boundary of cut (0): frame 1; targets of both videos -1/4 0 1/4 1/2 and -1/4 0 1/4 1/2.
    # The line through training (x = 0 1 2 3) is (x - 1) / 4. Scored x = 0 1 2 2: answers
    # -1/4 0 1/4 1/4, one error of 1/4; spread of the targets 5/16: R2 = 1 - (1/16) / (5/16).
    # Stir (1) ends at frame 3: targets lie 1/2 lower, so does the line: the same R2.
    train = [video([0, 1, 2, 3], (0, 1, 0), (2, 3, 1))]
    scored = [video([0, 1, 2, 2], (0, 1, 0), (2, 3, 1))]
    score = phase_progression(train, scored)
    assert score.value == pytest.approx(0.8)
    assert (score.count, score.undefined) == (2, 0)


def _oracle(
    train: list[EmbeddedVideo], scored: list[EmbeddedVideo], boundaries: list[list[list[int]]]
) -> float:
    def examples(
        videos: list[EmbeddedVideo], frames: list[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = np.concatenate([v.embeddings for v in videos])
        return x, np.concatenate(
            [(np.arange(len(v)) - b) / len(v) for v, b in zip(videos, frames, strict=True)]
        )

    scores = []
    for frames, others in boundaries:
        line = LinearRegression().fit(*examples(train, frames))
        scores.append(line.score(*examples(scored, others)))
    return float(np.mean(scores))


def test_against_scikit_learn() -> None:
    train, scored = ordered_videos(0, 6), ordered_videos(1, 4)
    last = [[[int(v.end[c]) for v in part] for part in (train, scored)] for c in range(3)]
    assert phase_progression(train, scored).value == pytest.approx(
        _oracle(train, scored, last), abs=1e-9
    )
    for variant in ("tcc", "carl"):
        found = phase_progression(train, scored, variant=variant)
        assert found.value == pytest.approx(_oracle(train, scored, last[:2]), abs=1e-9)
        assert found.count == 2
    leaked = [[others, others] for _, others in last[:2]]
    found = phase_progression(train, scored, variant="lav")
    assert found.value == pytest.approx(_oracle(scored, scored, leaked), abs=1e-9)


def test_a_missing_action() -> None:
    train, scored = ordered_videos(0, 6), ordered_videos(1, 4)
    lacking = video(scored[0].embeddings, (0, 4, 0), (5, len(scored[0]) - 1, 2))
    mixed = [lacking, *scored[1:]]
    # By definition, the video is left out of the boundary that it does not have.
    full = [[[int(v.end[c]) for v in part] for part in (train, scored)] for c in (0, 2)]
    full[0][1][0] = 4
    both = _oracle(train, mixed, full)
    other = [[int(v.end[1]) for v in part] for part in (train, scored[1:])]
    expected = (2 * both + _oracle(train, scored[1:], [other])) / 3
    found = phase_progression(train, mixed)
    assert found.value == pytest.approx(expected, abs=1e-9)
    # tcc: where a later action begins first, frame 5; lav: before the video; carl: gives up.
    frames = [[[int(v.end[c]) for v in part] for part in (train, scored)] for c in (0, 1)]
    frames[0][1][0], frames[1][1][0] = 4, 5
    tcc = phase_progression(train, mixed, variant="tcc")
    assert tcc.value == pytest.approx(_oracle(train, mixed, frames), abs=1e-9)
    frames[1][1][0] = -1
    leaked = [[others, others] for _, others in frames]
    lav = phase_progression(train, mixed, variant="lav")
    assert lav.value == pytest.approx(_oracle(mixed, mixed, leaked), abs=1e-9)
    carl = phase_progression(train, mixed, variant="carl")
    assert (carl.count, carl.undefined) == (1, 1)


def test_gtcc_fits_on_what_it_scores() -> None:
    scored = random_videos(4, 4)
    found = phase_progression([], scored, variant="gtcc", seed=3)
    x = np.concatenate([v.embeddings for v in scored])
    y = np.concatenate([video_targets(v, variant="gtcc") for v in scored])
    rows = np.random.default_rng(3).permutation(len(y))[: len(y) - int(np.ceil(len(y) / 5))]
    expected = LinearRegression().fit(x[rows], y[rows]).score(x, y)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.value != phase_progression([], scored, variant="gtcc", seed=4).value
    assert phase_progression([], [], variant="gtcc").undefined == 1


def test_undefined_and_counted() -> None:
    train = [video([0, 1, 2], (0, 1, 0), (2, 2, 1))]
    # One frame has a constant target; nobody shows action 1.
    score = phase_progression(train, [video([5], (0, 0, 0))])
    assert np.isnan(score.value)
    assert (score.count, score.undefined) == (0, 2)
    assert phase_progression([], train).count == 0
    assert phase_progression(train, []).undefined == 2


def test_collapsed_embeddings_are_worth_nothing() -> None:
    flat = [video(np.full((6, 2), 0.5), (0, 2, 0), (3, 5, 1)) for _ in range(3)]
    assert phase_progression(flat, flat[:1]).value == pytest.approx(0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_an_invertible_map_of_the_embeddings_does_not_matter(seed: int) -> None:
    train, scored = ordered_videos(seed, 4), ordered_videos(seed + 1, 2)
    turn = np.random.default_rng(seed).normal(size=(4, 4)) + 4 * np.eye(4)

    def mapped(videos: list[EmbeddedVideo]) -> list[EmbeddedVideo]:
        return [EmbeddedVideo(v.embeddings @ turn + 1, v.start, v.end, v.action) for v in videos]

    value = phase_progression(train, scored).value
    assert phase_progression(mapped(train), mapped(scored)).value == pytest.approx(value, abs=1e-6)
    assert value <= 1
