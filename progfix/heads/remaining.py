"""How long is left, as a distribution: the support, the prior, the score and the readout.

Remaining counts the current frame, so that it is 1 at a segment's last frame and the
progress at elapsed t is t / (t - 1 + remaining): exactly 1 at the end, about
1 / median(duration) at the first frame.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "BINS",
    "EDGES",
    "PRIOR_SIZE",
    "PriorTable",
    "crps",
    "duration_quantiles",
    "expected",
    "log_prior",
    "negative_log_likelihood",
    "pit",
    "progress_quantiles",
]

_LONGEST = 20_000


def _edges() -> NDArray[np.int64]:
    """First remaining of each bin: 1, 2, ... while a ratio of 1.12 adds less than a frame."""
    edges = [1]
    while edges[-1] < _LONGEST:
        edges.append(max(edges[-1] + 1, round(edges[-1] * 1.12)))
    return np.array(edges, dtype=np.int64)


EDGES = _edges()
"""int64 `(BINS,)`: bin k holds the remaining EDGES[k] .. EDGES[k + 1] - 1, the last all above."""

BINS = len(EDGES)

PRIOR_SIZE = 256
"""Quantiles of log duration that the prior is made of."""

_SMOOTHING = 0.05
"""Least bandwidth of the prior in log duration."""


def duration_quantiles(durations: NDArray[np.int64]) -> Tensor:
    """Return what the prior keeps of the training durations.

    Args:
        durations: Frames, `(n,)`, each at least 1.

    Returns:
        float32 `(PRIOR_SIZE + 1,)`: quantiles of log duration, then the bandwidth with
        which they are smoothed (Silverman's rule, at least 0.05).

    Raises:
        ValueError: If there is no duration.
    """
    if len(durations) == 0:
        raise ValueError("expected at least one training duration, found none")
    logs = np.log(np.asarray(durations, dtype=np.float64))
    places = (np.arange(PRIOR_SIZE) + 0.5) / PRIOR_SIZE
    bandwidth = max(_SMOOTHING, 0.9 * float(logs.std()) * len(logs) ** -0.2)
    return torch.tensor([*np.quantile(logs, places), bandwidth], dtype=torch.float32)


def log_prior(quantiles: Tensor, elapsed: Tensor) -> Tensor:
    """Return the log probability of each bin of remaining, given that t frames were seen.

    Durations are a mixture of log-normals around the training quantiles; the segment is
    known to have lasted at least t frames. So a head that adds nothing to this answers
    what frame counting answers.

    Args:
        quantiles: What `duration_quantiles` returned.
        elapsed: int64 `(T,)`, frames seen, at least 1.

    Returns:
        float64 `(T, BINS)`, each row's exponentials sum to 1.
    """
    return _from_survival(_log_survival(quantiles, _starts(elapsed)))


def _starts(elapsed: Tensor) -> Tensor:
    """Return the least duration that each bin of remaining means, int64 `(T, BINS)`."""
    return elapsed[:, None] - 1 + torch.from_numpy(EDGES).to(elapsed.device)


def _log_survival(quantiles: Tensor, duration: Tensor) -> Tensor:
    """Return the log probability of lasting so many frames or more, float64, any shape."""
    logs, bandwidth = quantiles[:-1].double(), quantiles[-1].double()
    # The chance that a duration is d or more is taken at d - 1/2, the edge between frames.
    z = ((duration.double() - 0.5).log()[..., None] - logs) / bandwidth
    return torch.logsumexp(torch.special.log_ndtr(-z), dim=-1) - math.log(len(logs))


def _from_survival(survival: Tensor) -> Tensor:
    survival = survival - survival[:, :1]
    beyond = torch.cat([survival[:, 1:], torch.full_like(survival[:, :1], -math.inf)], dim=1)
    ratio = (beyond - survival).clamp_max(-1e-12)
    return survival + torch.log(-torch.expm1(ratio))


def _table(quantiles: Tensor, longest: int) -> Tensor:
    """Return `log_prior` after 1 .. `longest` frames; most of it shares few durations."""
    starts = _starts(torch.arange(1, longest + 1, device=quantiles.device))
    distinct, place = torch.unique(starts, return_inverse=True)
    survival = [_log_survival(quantiles, part) for part in distinct.split(4096)]
    return _from_survival(torch.cat(survival)[place])


class PriorTable:
    """The log prior at every elapsed so far, kept between passes over whole segments."""

    def __init__(self) -> None:
        self._quantiles = torch.empty(0)
        self._rows = torch.empty(0, BINS)

    def rows(self, quantiles: Tensor, elapsed: Tensor, like: Tensor) -> Tensor:
        """Return `log_prior(quantiles, elapsed)` of the type and on the device of `like`."""
        longest = int(elapsed.max())
        known = (self._rows.device, self._rows.dtype) == (like.device, like.dtype)
        if not known or len(self._rows) < longest or not torch.equal(self._quantiles, quantiles):
            self._rows = _table(quantiles, 2 * longest).to(like)
            self._quantiles = quantiles.clone()
        return self._rows[elapsed - 1]


def _bin_of(remaining: Tensor) -> Tensor:
    edges = torch.from_numpy(EDGES).to(remaining.device)
    return torch.searchsorted(edges, remaining, right=True) - 1


def negative_log_likelihood(logits: Tensor, remaining: Tensor, censored: Tensor) -> Tensor:
    """Return the logarithmic score of the true remaining, a proper score.

    Args:
        logits: `(P, BINS)`, unnormalised.
        remaining: int64 `(P,)`, at least 1.
        censored: bool `(P,)`: only known to be `remaining` or more.

    Returns:
        `(P,)`, at least 0.
    """
    log_probability = torch.log_softmax(logits, dim=-1)
    place = _bin_of(remaining)[:, None]
    exact = log_probability.gather(1, place)[:, 0]
    tail = torch.flip(torch.logcumsumexp(torch.flip(log_probability, [1]), dim=1), [1])
    return -torch.where(censored, tail.gather(1, place)[:, 0], exact)


def progress_quantiles(logits: Tensor, elapsed: Tensor, levels: Tensor) -> Tensor:
    """Return quantiles of the progress t / (t - 1 + remaining).

    Remaining is spread evenly over the frames of a bin; a quantile of progress at level q
    is the progress at the quantile of remaining at level 1 - q.

    Args:
        logits: `(P, BINS)`, unnormalised.
        elapsed: int64 `(P,)`, t.
        levels: `(Q,)` in (0, 1).

    Returns:
        float64 `(P, Q)` in (0, 1]; 1 where remaining is 1.
    """
    cumulative = torch.softmax(logits.double(), dim=-1).cumsum(dim=-1)
    cumulative[:, -1] = 1.0
    wanted = (1.0 - levels.double()).expand(len(logits), -1).contiguous()
    place = torch.searchsorted(cumulative, wanted).clamp_max(BINS - 1)
    before = torch.where(
        place > 0, cumulative.gather(1, (place - 1).clamp_min(0)), torch.zeros_like(wanted)
    )
    mass = cumulative.gather(1, place) - before
    inside = ((wanted - before) / mass.clamp_min(1e-300)).clamp(0.0, 1.0)
    edges = torch.from_numpy(np.append(EDGES, round(EDGES[-1] * 1.12))).to(logits.device)
    width = edges[place + 1] - edges[place]
    remaining = edges[place] + (width - 1) * inside
    return elapsed[:, None] / (elapsed[:, None] - 1 + remaining)


def expected(logits: Tensor) -> Tensor:
    """Return the mean remaining, spread evenly over the frames of a bin.

    Args:
        logits: `(P, BINS)`, unnormalised.

    Returns:
        float64 `(P,)`, at least 1; the current frame counts.
    """
    edges = torch.from_numpy(np.append(EDGES, round(EDGES[-1] * 1.12))).to(logits.device)
    middle = (edges[:-1] + edges[1:] - 1) / 2
    return torch.softmax(logits.double(), dim=-1) @ middle.double()


_LEVELS = 64


def crps(logits: Tensor, elapsed: Tensor, target: Tensor) -> Tensor:
    """Return the continuous ranked probability score of the progress.

    It is twice the pinball loss averaged over levels, here 64 evenly spaced ones.

    Args:
        logits: `(P, BINS)`, unnormalised.
        elapsed: int64 `(P,)`, t.
        target: `(P,)`, true progress.

    Returns:
        float64 `(P,)`, 0 for certainty in the truth; for a point forecast the absolute error.

    Source: Gneiting and Raftery, JASA 2007, section 4.2, in its quantile form.
    """
    levels = (torch.arange(_LEVELS, device=logits.device) + 0.5) / _LEVELS
    error = target.double()[:, None] - progress_quantiles(logits, elapsed, levels)
    return 2.0 * torch.maximum(levels * error, (levels - 1.0) * error).mean(dim=1)


def pit(logits: Tensor, remaining: Tensor) -> Tensor:
    """Return the probability that progress is below its true value, ties counted half.

    Args:
        logits: `(P, BINS)`, unnormalised.
        remaining: int64 `(P,)`, true remaining.

    Returns:
        float64 `(P,)` in [0, 1], uniform for a calibrated forecast.
    """
    probability = torch.softmax(logits.double(), dim=-1)
    edges = torch.from_numpy(np.append(EDGES, round(EDGES[-1] * 1.12))).to(logits.device)
    place = _bin_of(remaining)
    width = (edges[place + 1] - edges[place]).double()
    mass = probability.gather(1, place[:, None])[:, 0]
    longer = 1.0 - probability.cumsum(dim=1).gather(1, place[:, None])[:, 0]
    above = (edges[place + 1] - 1 - remaining).clamp_min(0) / width
    return (longer + mass * above + 0.5 * mass / width).clamp(0.0, 1.0)
