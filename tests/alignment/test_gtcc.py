from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from progfix.alignment import GTCCDraws, draw_gtcc, fit_mixture, gtcc, pad_videos
from progfix.alignment.compat.mixture import fit_mixture_lbfgs
from tests.alignment import oracles
from tests.alignment.inputs import batch, walks


def soft_neighbours(rows: int, frames: int) -> Tensor:
    x, y = walks(rows, frames, dims=8)
    return torch.softmax(-torch.cdist(x, y), 1)


def test_mixture_matches_the_loop() -> None:
    alpha = torch.zeros(6, 20, dtype=torch.float64)
    lengths = torch.tensor([20, 20, 20, 11, 11, 11])
    alpha[:3], alpha[3:, :11] = soft_neighbours(3, 20), soft_neighbours(3, 11)
    fit = fit_mixture(alpha, lengths, 4, n_iterations=7)
    for row, length in enumerate(lengths.tolist()):
        expected = oracles.em(alpha[row, :length].numpy(), 4, 7)
        for ours, theirs in zip((fit.means, fit.variances, fit.weights), expected, strict=True):
            np.testing.assert_allclose(ours[row].numpy(), theirs, rtol=1e-7, atol=1e-9)


def test_mixture_finds_two_modes() -> None:
    index = torch.arange(60.0)
    bumps = torch.exp(-((index - 12) ** 2) / 8) + 3 * torch.exp(-((index - 47) ** 2) / 18)
    fit = fit_mixture((bumps / bumps.sum())[None], torch.tensor([60]), 2, n_iterations=30)
    torch.testing.assert_close(fit.means[0], torch.tensor([12.0, 47.0]), atol=0.01, rtol=0)
    torch.testing.assert_close(fit.variances[0], torch.tensor([4.0, 9.0]), atol=0.05, rtol=0)
    share = 2 / (2 + 3 * 3)  # areas are heights times deviations
    torch.testing.assert_close(fit.weights[0], torch.tensor([share, 1 - share]), atol=1e-3, rtol=0)


def test_likelihood_never_falls_and_beats_the_reference_fit() -> None:
    alpha = soft_neighbours(4, 50).float()
    mask = torch.ones(4, 50, dtype=torch.bool)

    def divergence(components: Tensor, weights: Tensor) -> Tensor:
        mixture = (weights[..., None] * components).sum(-2)
        return (alpha * (alpha / (mixture + 1e-30)).log()).sum(-1)

    before = torch.full((4,), torch.inf)
    for steps in (1, 3, 10):
        fit = fit_mixture(alpha, torch.full((4,), 50), 15, n_iterations=steps)
        after = divergence(fit.components(mask), fit.weights)
        assert (after <= before + 1e-3).all()  # the grid cuts off tails that EM does not see
        before = after
    fits = [fit_mixture_lbfgs(row, 15) for row in alpha]
    reference = divergence(*(torch.stack(part) for part in zip(*fits, strict=True)))
    assert before.mean() < reference.mean()


def test_components_are_distributions_on_the_mask() -> None:
    mask = torch.arange(30) < torch.tensor([30, 12])[:, None]
    alpha = torch.softmax(torch.randn(2, 30).masked_fill(~mask, -torch.inf), 1)
    components = fit_mixture(alpha, mask.sum(1), 5).components(mask)
    torch.testing.assert_close(components.sum(-1), torch.ones(2, 5))
    assert (components[1, :, 12:] == 0).all()


def test_constant_videos_by_hand() -> None:
    # Every way back is uniform over the whole video: mu = (T - 1) / 2, align_i = (i - mu)^2,
    # whose mean is (T^2 - 1) / 12.
    embeddings = torch.ones(2, 6, 3, dtype=torch.float64)
    lengths = torch.tensor([6, 6])
    assert gtcc(embeddings, lengths, window=1.0).item() == pytest.approx(35 / 12)
    # Zero drop weights: every score is the mean score, b = floor + (1 - floor) / 2 = 0.7.
    value = gtcc(embeddings, lengths, window=1.0, drop=torch.zeros(2, 4), drop_floor=0.4)
    align = (np.arange(6) - 2.5) ** 2
    assert value.item() == pytest.approx((0.7 * align + 0.3 / (align + 1)).mean())


@pytest.mark.parametrize("dims", [3, 16])  # both ways to associate the product
def test_matches_the_loop(dims: int) -> None:
    videos = walks(6, 9, 8, dims=dims)
    drop = torch.randn(3, dims + 1, dtype=torch.float64)
    draws = GTCCDraws(
        torch.arange(9)
        .expand(3, -1)
        .masked_fill(torch.arange(9) >= torch.tensor([[6], [9], [8]]), -1),
        torch.ones(3),
    )
    value = gtcc(
        *pad_videos(videos), drop=drop, drop_floor=0.3, draws=draws, n_components=3, window=0.5
    )
    arrays = [v.numpy() for v in videos]
    expected = oracles.gtcc(arrays, drop.numpy(), 0.3, offset=1.0)
    assert value.item() == pytest.approx(expected, rel=1e-8)


def test_gradcheck_with_the_fit_held() -> None:
    """The fit is a constant to the gradient: one component, one neighbour frame cannot move."""
    video = walks(5)[0]
    single = torch.zeros(1, 4, dtype=torch.float64)

    def loss(moving: Tensor, drop: Tensor) -> Tensor:
        return gtcc(*pad_videos([moving, single]), drop=drop, window=1.0, n_components=2)

    drop = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (video.requires_grad_(), drop))


def test_draws_are_distinct_frames_and_repeat_with_the_seed() -> None:
    lengths = torch.tensor([3, 30])
    first, again = (
        draw_gtcc(lengths, max_rows=5, generator=torch.Generator().manual_seed(1)) for _ in "ab"
    )
    assert torch.equal(first.rows, again.rows)
    assert torch.equal(first.offset, again.offset)
    assert sorted(first.rows[0].tolist()) == [-1, -1, 0, 1, 2]
    assert len(set(first.rows[1].tolist())) == 5
    assert first.rows[1].min() >= 0
    assert set(first.offset.tolist()) <= {0.0, 1.0}


def test_all_rows_drawn_is_the_full_loss() -> None:
    embeddings, lengths = batch(7, 5)
    draws = GTCCDraws(draw_gtcc(lengths).rows, torch.full((2,), 0.5))
    assert gtcc(embeddings, lengths, draws=draws).item() == pytest.approx(
        gtcc(embeddings, lengths).item()
    )


def test_the_reciprocal_is_bounded() -> None:
    """A frame to be dropped that aligns perfectly: 1 / align would be infinite."""
    video = 50 * torch.eye(4)
    value = gtcc(torch.stack([video, video]), torch.tensor([4, 4]), drop=torch.zeros(2, 5))
    assert value.isfinite()
    assert value <= 1


def test_refuses_what_does_not_fit() -> None:
    embeddings, lengths = batch(3, 3)
    with pytest.raises(ValueError, match=r"drop weights of shape \(2, 5\)"):
        gtcc(embeddings, lengths, drop=torch.zeros(2, 4))
    with pytest.raises(ValueError, match="all below its length"):
        gtcc(embeddings, lengths, draws=GTCCDraws(torch.tensor([[3], [0]]), torch.zeros(2)))
    with pytest.raises(ValueError, match="draws of shapes"):
        gtcc(embeddings, lengths, draws=GTCCDraws(torch.zeros(3, 1).long(), torch.zeros(2)))
    with pytest.raises(ValueError, match="window in"):
        gtcc(embeddings, lengths, window=0)
    with pytest.raises(ValueError, match="n_components >= 1"):
        gtcc(embeddings, lengths, n_components=0)
    with pytest.raises(ValueError, match="max_rows >= 1"):
        draw_gtcc(lengths, max_rows=0)
