from __future__ import annotations

import math

import pytest
import torch

from progfix.alignment import consistency_share, pad_videos, vava
from progfix.alignment.priors import temporal_priors
from progfix.alignment.videos import group_of
from tests.alignment import oracles
from tests.alignment.inputs import batch, walks


def test_single_frames_by_hand() -> None:
    # Each video has a virtual and a real frame, so T = [[p, q], [q, p]] with p + q = 1/2 and
    # p / q = exp(-(M00 + M11 - M01 - M10) / (2 lambda2)). Here N = M = 1: lambda2 = 0.1 / 4,
    # lambda1 = 2; real and virtual both sit on the diagonal (P = G(0), moment 1), and the
    # off-diagonal has the virtual distance 3 * 5 / 4 frames of unit sqrt(2) / 2.
    lambda1, lambda2, squared = 2.0, 0.025, 0.04
    virtual = 15 / 4
    log_density = -0.5 * (virtual / math.sqrt(0.5) / 2) ** 2  # relative to G(0)
    off = 0.5 - lambda1 / (virtual**2 + 1) - lambda2 * log_density
    corner, real = 0.5 - lambda1, squared - lambda1
    ratio = math.exp(-(corner + real - 2 * off) / (2 * lambda2))
    p, q = 0.5 * ratio / (1 + ratio), 0.5 / (1 + ratio)
    transport = p * (0.5 + squared) + q * (0.5 + 0.5)
    # Best and worst counterpart are the same frame: C(X, Y) = log 2; C(X) = 0.
    embeddings = torch.tensor([[[0.0]], [[0.2]]], dtype=torch.float64)
    value = vava(embeddings, torch.tensor([1, 1]), tolerance=1e-12)
    assert value.item() == pytest.approx(transport + 0.5 * math.log(2), rel=1e-9)


@pytest.mark.parametrize("phi", [0.999, 0.3])
def test_matches_the_loop(phi: float) -> None:
    videos = walks(5, 8, 17)
    value = vava(*pad_videos(videos), phi=phi, tolerance=1e-12, max_iterations=5000)
    expected = oracles.vava([v.numpy() for v in videos], phi)
    assert value.item() == pytest.approx(expected, rel=1e-7)


def test_priors_match_the_loop() -> None:
    x, y = walks(5, 8)
    pairs = group_of(*pad_videos([x, y])).unordered_pairs()
    distance = torch.cdist(x, y).square()
    padded = torch.full((1, 8, 8), -1.0, dtype=torch.float64)
    padded[0, :5] = distance
    priors = temporal_priors(padded, pairs, phi=0.4, width=2.0, virtual_distance=5.0)
    density, moment = oracles.vava_priors(distance.numpy(), 0.4, 2.0, 5.0)
    expected = torch.from_numpy(density).log()
    torch.testing.assert_close(priors.log_density[0, :6], expected)
    torch.testing.assert_close(priors.moment[0, :6], torch.from_numpy(moment))


def test_the_prior_takes_part_in_the_transport() -> None:
    """The best match of each frame pulls the plan only as far as phi lets it."""
    videos = [walks(12)[0], walks(12)[0].flip(0)]
    early, late = (vava(*pad_videos(videos), phi=phi).item() for phi in (0.999, 0.001))
    assert late < 0.5 * early  # reversed order costs little once the diagonal is given up


def test_the_share_decays_with_the_root_of_the_step() -> None:
    assert consistency_share(0) == 0.999
    assert consistency_share(99) == pytest.approx(0.999**10)
    assert consistency_share(10**8) == 0.001
    with pytest.raises(ValueError, match="step >= 0"):
        consistency_share(-1)


def test_gradcheck() -> None:
    embeddings, lengths = batch(4, 5)
    assert torch.autograd.gradcheck(
        lambda e: vava(e, lengths, phi=0.7, tolerance=1e-13, max_iterations=5000),
        embeddings.requires_grad_(),
        atol=1e-6,
    )


def test_refuses_parameters_out_of_range() -> None:
    embeddings, lengths = batch(3, 3)
    with pytest.raises(ValueError, match=r"phi in \(0, 1\), found 1"):
        vava(embeddings, lengths, phi=1)
    with pytest.raises(ValueError, match="lambda1, zeta"):
        vava(embeddings, lengths, zeta=-1)
    with pytest.raises(ValueError, match="expected lambda2"):
        vava(embeddings, lengths, lambda2=0)
