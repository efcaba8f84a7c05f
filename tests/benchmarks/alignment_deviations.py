"""What each deviation of the reference project does to its losses, in numbers.

    python -m tests.benchmarks.alignment_deviations [FIXTURES]

FIXTURES is `gtcc_losses.npz`, by default in ../shared/fixtures beside the checkout. The inputs
are its sets s (small), w (random walk) and n (unit normal), two videos each.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from progfix.alignment import compat, fit_mixture, gtcc, pad_videos, tcc
from progfix.alignment.compat.contrast import intra_video_contrast
from progfix.alignment.compat.mixture import fit_mixture_lbfgs
from progfix.alignment.compat.vava import _bordered, _plan
from progfix.alignment.contrast import time_gaps
from progfix.alignment.videos import group_of
from tests.benchmarks.measuring import backward

DEFAULT = Path(__file__).parents[2].parent / "shared" / "fixtures" / "gtcc_losses.npz"
Fixtures = dict[str, NDArray[np.float64]]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def inputs(fixtures: Fixtures, kind: str) -> list[Tensor]:
    return [torch.tensor(fixtures[f"in_{kind}_{i}"]) for i in range(2)]


def tcc_formula(videos: list[Tensor], *, own_mean: bool, self_pairs: bool) -> float:
    """The reference's TCC in float64, with two of its deviations switched on or off."""
    losses = []
    for a, x in enumerate(videos):
        index = torch.arange(len(x), dtype=torch.float64)
        for b, y in enumerate(videos):
            if a == b and not self_pairs:
                continue
            alpha = torch.softmax(-torch.cdist(x, y) / 0.1, 1)
            beta = torch.softmax(-torch.cdist(alpha @ y, x) / 0.1, 1)
            mean = beta @ index
            centre = mean[None] if own_mean else mean[:, None]
            variance = (beta * (index - centre).square()).sum(1)
            terms = (index - mean).square() / variance + 0.001 * variance.sqrt().log()
            losses.append(terms.sum())
    return float(torch.stack(losses).mean())


def report_tcc(fixtures: Fixtures) -> None:
    videos = [v.double() for v in inputs(fixtures, "s")]
    for own_mean in (True, False):
        for self_pairs in (True, False):
            value = tcc_formula(videos, own_mean=own_mean, self_pairs=self_pairs)
            centre = "mu_k" if own_mean else "mu_i"
            say(f"tcc s: variance around {centre}, self-pairs {self_pairs}: {value:.2f}")
    noise = pad_videos(inputs(fixtures, "n"))
    say(f"tcc n: reference {compat.tcc(*noise).item():.2f}, ours {tcc(*noise).item():.2f}")


def report_lav(fixtures: Fixtures) -> None:
    group = group_of(*pad_videos(inputs(fixtures, "s")), centre=False)
    gaps = time_gaps(group.mask.shape[1], group.embeddings)
    valid = group.mask[:, :, None] & group.mask[:, None]
    constant = ((gaps < 15) & valid) * (gaps.square() + 1) * 2
    share = constant.sum((1, 2)) / intra_video_contrast(group)
    say(f"lav s: share of the contrast without gradient: {[round(v, 3) for v in share.tolist()]}")


def report_vava(fixtures: Fixtures) -> None:
    videos = inputs(fixtures, "s")
    embeddings, lengths = pad_videos(videos)
    embeddings.requires_grad_()
    pairs = group_of(embeddings, lengths, centre=False).unordered_pairs()
    cost = pad(torch.cdist(pairs.x, pairs.y), (1, 0, 1, 0), value=0.5)
    valid = _bordered(pairs.x_mask)[:, :, None] & _bordered(pairs.y_mask)[:, None]
    size = pairs.x_lengths[:, None, None] + 1.0, pairs.y_lengths[:, None, None] + 1.0
    plan = _plan(cost, valid, *size, 20)
    uniform = (plan * size[0] * size[1])[valid]
    say(f"vava s: plan over the uniform one: {uniform.min():.3f} .. {uniform.max():.3f}")
    total = plan.sum() * 1e6 / (size[0] * size[1]).squeeze()
    backward(lambda: total)()
    assert embeddings.grad is not None
    say(f"vava s: transport term {total.item():.2f}, gradient {embeddings.grad.abs().max():.1e}")
    step = {gs: compat.vava(embeddings, lengths, step=gs).item() for gs in (0, 49)}
    say(f"vava s: loss at step 0 and 49: {step[0]:.0f}, {step[49]:.0f}")


def report_gtcc(fixtures: Fixtures) -> None:
    drop = torch.stack([torch.tensor(fixtures[f"drop_{i}"]) for i in range(2)])
    noise = pad_videos(inputs(fixtures, "n"))
    reference = float(fixtures["orig/GTCC(K=15,delta=0.2,gamma=0.95,ep=0)|n|2"])
    ours = gtcc(*noise, drop=drop, drop_floor=0.95).item()
    say(f"gtcc n: reference {reference:.1e}, ours {ours:.2f}")
    alpha = torch.tensor(fixtures["GMM_alpha_rows0-4"])
    lengths = torch.full((len(alpha),), alpha.shape[1])
    fit = fit_mixture(alpha, lengths, 15)
    mixture = (fit.weights[..., None] * fit.components(alpha >= 0)).sum(1)
    given = torch.tensor(fixtures["GMM_spread"]), torch.tensor(fixtures["GMM_gauss"])
    theirs = (given[0][..., None] * given[1]).sum(1)
    divergence = [(alpha * (alpha / (q + 1e-30)).log()).sum(1).mean() for q in (theirs, mixture)]
    say(f"gtcc s: KL of the fit, reference {divergence[0]:.3f}, ours {divergence[1]:.3f}")
    again = torch.stack([fit_mixture_lbfgs(row, 15)[0] for row in alpha])
    change = (again - given[1]).abs().max()
    capability = torch.backends.cpu.get_cpu_capability()
    say(f"gtcc s: L-BFGS components with {capability}: off by up to {change:.1e}")


def main(arguments: list[str]) -> None:
    """Print one line per number."""
    torch.set_num_threads(1)
    with np.load(arguments[0] if arguments else DEFAULT) as archive:
        fixtures: Fixtures = {name: archive[name] for name in archive.files}
    for report in (report_tcc, report_lav, report_vava, report_gtcc):
        report(fixtures)


if __name__ == "__main__":
    main(sys.argv[1:])
