"""The distribution over remaining frames: prior, score and readout against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import log_softmax, softmax
from scipy.stats import norm

from progfix.frame_counting import frame_counting
from progfix.heads.build import build_head
from progfix.heads.outputs import OUTPUTS
from progfix.heads.remaining import (
    BINS,
    EDGES,
    crps,
    duration_quantiles,
    log_prior,
    negative_log_likelihood,
    pit,
    progress_quantiles,
)
from progfix.heads.spec import HeadSpec

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def certain(remaining: int) -> torch.Tensor:
    """Logits that put all mass into the bin of `remaining`."""
    logits = torch.full((1, BINS), -80.0)
    logits[0, int(np.searchsorted(EDGES, remaining, side="right")) - 1] = 80.0
    return logits


def widths() -> np.ndarray:
    return np.diff([*EDGES.tolist(), round(int(EDGES[-1]) * 1.12)])


def test_the_support_is_exact_where_it_is_short_and_logarithmic_beyond() -> None:
    assert EDGES[:8].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (np.diff(EDGES) > 0).all()
    assert (widths()[10:] / EDGES[10:]).max() < 0.16


def test_certain_answers_by_hand() -> None:
    # One frame left at t = 5: progress 5 / (5 - 1 + 1) = 1, at every level.
    torch.testing.assert_close(
        progress_quantiles(certain(1), torch.tensor([5]), LEVELS), torch.ones(1, 3).double()
    )
    # Four frames left at t = 2 (the current one included): 2 / (1 + 4) = 0.4.
    torch.testing.assert_close(
        progress_quantiles(certain(4), torch.tensor([2]), LEVELS), torch.full((1, 3), 0.4).double()
    )
    assert crps(certain(4), torch.tensor([2]), torch.tensor([0.4])).item() == pytest.approx(
        0, abs=1e-7
    )
    # A point forecast of 0.4 where the truth is 0.65 scores its absolute error.
    assert crps(certain(4), torch.tensor([2]), torch.tensor([0.65])).item() == pytest.approx(0.25)
    assert pit(certain(4), torch.tensor([4])).item() == pytest.approx(0.5)
    # Less is left than was forecast: the true progress lies above the whole forecast.
    assert pit(certain(4), torch.tensor([3])).item() == pytest.approx(1.0)
    assert pit(certain(4), torch.tensor([5])).item() == pytest.approx(0.0, abs=1e-12)


@given(seed=st.integers(0, 1000), elapsed=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_quantiles_agree_with_a_walk_over_single_frames(seed: int, elapsed: int) -> None:
    logits = torch.randn(1, BINS, generator=torch.Generator().manual_seed(seed)) * 3
    mass = softmax(logits[0].double().numpy())
    got = progress_quantiles(logits, torch.tensor([elapsed]), LEVELS)[0].numpy()
    for level, value in zip(LEVELS.tolist(), got, strict=True):
        remaining = elapsed / value - elapsed + 1
        # The mass of bins that end below it is at most 1 - level, that of bins up to it
        # at least: the definition of a quantile.
        place = int(np.searchsorted(EDGES, remaining + 1e-6, side="right")) - 1
        assert mass[:place].sum() <= 1 - level + 1e-6
        assert mass[: place + 1].sum() >= 1 - level - 1e-6
    assert got[0] <= got[1] <= got[2]
    assert got[0] > 0
    assert got[2] <= 1


def test_intervals_of_three_widths_hold_the_frames_whose_rank_says_so() -> None:
    torch.manual_seed(0)
    frames, duration = 4000, 300
    elapsed = torch.randint(1, duration + 1, (frames,))
    logits = torch.randn(frames, BINS).cumsum(dim=1)
    head = OUTPUTS["remaining"]
    read, _ = head.answer_newest(logits, elapsed, ())
    target = elapsed / duration
    rank = pit(logits, duration - elapsed + 1)
    for stated, suffix in ((0.5, "_50"), (0.8, ""), (0.95, "_95")):
        lower, upper = (getattr(read, f"{end}{suffix}") for end in ("lower", "upper"))
        inside = (lower <= target) & (target <= upper)
        by_rank = (rank - 0.5).abs() <= stated / 2
        # They differ where the median frame of a bin stands for the truth: rarely.
        assert (inside == by_rank).double().mean() > 0.97
        assert 0.05 < inside.double().mean() < 1.0


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_crps_agrees_with_its_integral_over_progress(seed: int) -> None:
    rng = np.random.default_rng(seed)
    elapsed, target = int(rng.integers(1, 60)), float(rng.uniform(0.05, 1))
    logits = torch.from_numpy(rng.normal(size=(1, BINS)) - 0.02 * (np.arange(BINS) - 20) ** 2)
    levels = (torch.arange(4000) + 0.5) / 4000
    sample = progress_quantiles(logits, torch.tensor([elapsed]), levels)[0].numpy()
    spread = np.abs(sample[:, None] - sample[None, ::40]).mean()
    expected = np.abs(sample - target).mean() - spread / 2
    got = crps(logits, torch.tensor([elapsed]), torch.tensor([target])).item()
    assert got == pytest.approx(expected, abs=2e-3)


def test_the_score_is_the_log_probability_and_the_tail_where_censored() -> None:
    logits = torch.randn(3, BINS, generator=torch.Generator().manual_seed(0))
    log_mass = log_softmax(logits.double().numpy(), axis=1)
    remaining = torch.tensor([1, 5, 300])
    places = np.searchsorted(EDGES, remaining.numpy(), side="right") - 1
    exact = negative_log_likelihood(logits, remaining, torch.zeros(3, dtype=torch.bool))
    np.testing.assert_allclose(exact, [-log_mass[i, p] for i, p in enumerate(places)], rtol=1e-5)
    tail = negative_log_likelihood(logits, remaining, torch.ones(3, dtype=torch.bool))
    expected = [-math.log(np.exp(log_mass[i, p:]).sum()) for i, p in enumerate(places)]
    np.testing.assert_allclose(tail, expected, rtol=1e-5, atol=1e-6)
    assert tail[0] == pytest.approx(0.0, abs=1e-6)  # "at least 1 left" is always true


def test_the_prior_is_the_conditional_mixture_of_log_normals() -> None:
    quantiles = duration_quantiles(np.array([10, 20, 40, 80]))
    elapsed = 15
    got = log_prior(quantiles, torch.tensor([elapsed]))[0].exp().numpy()
    logs, bandwidth = quantiles[:-1].double().numpy(), float(quantiles[-1])

    def survival(duration: float) -> float:
        return float(norm.sf((math.log(duration) - logs) / bandwidth).mean())

    for place in (0, 3, 12, 25):
        first, following = EDGES[place], EDGES[place + 1]
        mass = survival(elapsed - 1 + first - 0.5) - survival(elapsed - 1 + following - 0.5)
        assert got[place] == pytest.approx(mass / survival(elapsed - 0.5), rel=1e-4)
    assert got.sum() == pytest.approx(1.0, abs=1e-9)
    density = quad(lambda d: norm.pdf(math.log(d), logs[0], bandwidth) / d, 1e-3, 1e4, limit=200)
    assert density[0] == pytest.approx(1.0, abs=1e-3)


def test_the_prior_is_finite_far_beyond_every_training_duration() -> None:
    table = log_prior(duration_quantiles(np.array([5, 6])), torch.tensor([1, 50, 5000]))
    assert table.exp().isfinite().all()
    torch.testing.assert_close(table.exp().sum(dim=1), torch.ones(3).double())


@pytest.mark.parametrize("kind", ["gru", "pooled"])
@torch.no_grad()
def test_an_untrained_head_counts_frames(kind: str) -> None:
    durations = np.random.default_rng(0).lognormal(4, 0.5, 4000).astype(np.int64) + 1
    head = build_head(HeadSpec(kind=kind, output="remaining"), 3).eval()  # type: ignore[arg-type]
    head.fit_prior(durations)
    answers = head(torch.randn(1, 120, 3), torch.tensor([120]))[0].numpy()
    counting = frame_counting(durations)(np.arange(1, 121))
    assert np.abs(answers - counting).max() < 0.02


def test_training_durations_are_needed() -> None:
    with pytest.raises(ValueError, match="at least one training duration"):
        duration_quantiles(np.array([], dtype=np.int64))
