import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from progfix.metrics.rank import rank_correlation, steps

SEGMENTS = st.lists(
    st.lists(st.integers(0, 6).map(lambda n: n / 4), min_size=1, max_size=25),
    min_size=1,
    max_size=6,
)


def _joined(segments: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    lengths = [len(segment) for segment in segments]
    return np.concatenate([np.array(s, dtype=float) for s in segments]), np.cumsum(
        lengths
    ) - lengths


def test_rank_correlation_by_hand() -> None:
    # Ranks of .1 .3 .2 .4 are 1 3 2 4 against time 1 2 3 4. Spearman:
    # 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15) = .8. Kendall: of 6 pairs one is discordant,
    # (5 - 1) / 6.
    found = rank_correlation(np.array([0.1, 0.3, 0.2, 0.4]), np.array([0]))
    assert found.spearman == pytest.approx([0.8])
    assert found.kendall == pytest.approx([4 / 6])


def test_tau_b_with_ties_by_hand() -> None:
    # .1 .1 .2: pair (1, 2) is tied in the prediction, the other two are concordant.
    # tau-b = 2 / sqrt((3 - 1) * 3).
    found = rank_correlation(np.array([0.1, 0.1, 0.2]), np.array([0]))
    assert found.kendall == pytest.approx([2 / np.sqrt(6)])


def test_a_constant_or_one_frame_is_undefined_not_perfect() -> None:
    found = rank_correlation(np.array([0.5, 0.5, 0.5, 0.7, 0.1, 0.2]), np.array([0, 3, 4]))
    assert np.isnan(found.spearman[:2]).all()
    assert np.isnan(found.kendall[:2]).all()
    assert found.spearman[2] == found.kendall[2] == 1.0


def test_flat_after_a_few_frames_is_not_perfect() -> None:
    prediction = np.array([0.1, 0.2] + [0.3] * 8)
    found = rank_correlation(prediction, np.array([0]))
    assert found.spearman[0] == pytest.approx(spearmanr(prediction, np.arange(10)).statistic)
    assert found.spearman[0] < 0.75


@given(SEGMENTS)
def test_agrees_with_scipy(segments: list[list[float]]) -> None:
    prediction, starts = _joined(segments)
    found = rank_correlation(prediction, starts)
    for i, segment in enumerate(segments):
        if len(set(segment)) < 2:
            assert np.isnan(found.spearman[i])
            assert np.isnan(found.kendall[i])
        else:
            time = np.arange(len(segment))
            expected = spearmanr(segment, time).statistic, kendalltau(segment, time).statistic
            assert found.spearman[i] == pytest.approx(expected[0], abs=1e-9)
            assert found.kendall[i] == pytest.approx(expected[1], abs=1e-9)


@given(SEGMENTS)
def test_reversing_time_changes_the_sign(segments: list[list[float]]) -> None:
    forward = rank_correlation(*_joined(segments))
    backward = rank_correlation(*_joined([segment[::-1] for segment in segments]))
    np.testing.assert_allclose(backward.spearman, -forward.spearman, atol=1e-12)
    np.testing.assert_allclose(backward.kendall, -forward.kendall, atol=1e-12)


def test_long_segments_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    prediction = np.round(rng.random(6000) + np.linspace(0, 1, 6000), 3)
    found = rank_correlation(prediction, np.array([0, 1000]))
    for i, part in enumerate((prediction[:1000], prediction[1000:])):
        time = np.arange(len(part))
        assert found.kendall[i] == pytest.approx(kendalltau(part, time).statistic, abs=1e-9)


def test_steps_by_hand() -> None:
    # First segment: .2 -> .5 -> .4 -> .4: three pairs, one fall of .1. The step from .4 to
    # .1 is between segments and no step. Second segment: one frame.
    found = steps(np.array([0.2, 0.5, 0.4, 0.4, 0.1]), np.array([0, 4]))
    assert found.pairs.tolist() == [3, 0]
    assert found.falls.tolist() == [1, 0]
    assert found.fallen == pytest.approx([0.1, 0])


@given(SEGMENTS)
def test_steps_agree_with_a_loop(segments: list[list[float]]) -> None:
    found = steps(*_joined(segments))
    for i, segment in enumerate(segments):
        changes = [b - a for a, b in itertools.pairwise(segment)]
        assert found.pairs[i] == len(changes)
        assert found.falls[i] == sum(change < 0 for change in changes)
        assert found.fallen[i] == pytest.approx(-sum(c for c in changes if c < 0), abs=1e-12)
