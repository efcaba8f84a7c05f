"""The losses again, as slow loops over frames in float64, written from their formulas."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def squared(x: Array, y: Array) -> Array:
    return np.array([[((a - b) ** 2).sum() for b in y] for a in x])


def softmax(values: Array) -> Array:
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def soft_dtw(cost: Array, gamma: float) -> float:
    rows, columns = cost.shape
    r = np.full((rows + 1, columns + 1), np.inf)
    r[0, 0] = 0
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            before = np.array([r[i - 1, j], r[i, j - 1], r[i - 1, j - 1]])
            low = before.min()
            soft = low - gamma * math.log(np.exp(-(before - low) / gamma).sum())
            r[i, j] = cost[i - 1, j - 1] + soft
    return float(r[rows, columns])


def tcc(
    videos: list[Array],
    temperature: float = 0.1,
    variance_weight: float = 0.001,
    floor: float = 1 / 12,
) -> float:
    losses = []
    for a, x in enumerate(videos):
        for b, y in enumerate(videos):
            if a == b:
                continue
            scale = x.shape[1] * temperature
            terms = []
            for i, frame in enumerate(x):
                alpha = softmax(-((frame - y) ** 2).sum(1) / scale)
                neighbour = alpha @ y
                beta = softmax(-((neighbour - x) ** 2).sum(1) / scale)
                mean = sum(k * w for k, w in enumerate(beta))
                variance = max(sum(w * (k - mean) ** 2 for k, w in enumerate(beta)), floor)
                log_deviation = math.log(math.sqrt(variance))
                terms.append((i - mean) ** 2 / variance + variance_weight * log_deviation)
            losses.append(np.mean(terms))
    return float(np.mean(losses))


def lav(
    videos: list[Array],
    gamma: float = 0.1,
    weight: float = 0.5,
    window: float = 10,
    margin: float = 2.0,
    per_frame: bool = True,
) -> float:
    def contrast(x: Array) -> float:
        total = 0.0
        for i, a in enumerate(x):
            for j, b in enumerate(x):
                distance = float(((a - b) ** 2).sum())
                gap = (i - j) / len(x) if per_frame else float(i - j)
                far = abs(i - j) > window
                total += (gap**2 + 1) * max(0.0, margin - distance) if far else distance
        return total

    losses = []
    for a, x in enumerate(videos):
        for y in videos[a + 1 :]:
            loss = soft_dtw(squared(x, y), gamma) + weight * (contrast(x) + contrast(y))
            losses.append(loss / ((len(x) + len(y)) / 2) if per_frame else loss)
    return float(np.mean(losses))


def sinkhorn(cost: Array, epsilon: float, a: Array, b: Array, iterations: int = 1000) -> Array:
    f, g = np.zeros(len(a)), np.zeros(len(b))
    for _ in range(iterations):
        f = np.array([-_lse((g - row) / epsilon) for row in cost]) * epsilon + epsilon * np.log(a)
        g = np.array([-_lse((f - col) / epsilon) for col in cost.T]) * epsilon + epsilon * np.log(b)
    return np.asarray(np.exp((f[:, None] + g[None] - cost) / epsilon))


def _lse(values: Array) -> float:
    high = values.max()
    return float(high + math.log(np.exp(values - high).sum()))


def vava_priors(
    distance: Array, phi: float, width: float, virtual_distance: float
) -> tuple[Array, Array]:
    """Density P and moment weights, (N + 1, M + 1), virtual frame first, in 1-based indices."""
    n, m = distance.shape[0] + 1, distance.shape[1] + 1
    unit = math.sqrt(1 / n**2 + 1 / m**2)
    density, moment = np.zeros((n, m)), np.zeros((n, m))

    def gaussian(d: float) -> float:
        z = d / unit
        return math.exp(-(z**2) / (2 * width**2)) / (width * math.sqrt(2 * math.pi))

    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if (i == 1) != (j == 1):
                virtual = 1.5 * 2 * virtual_distance / (n + m)
                density[i - 1, j - 1] = gaussian(virtual)
                moment[i - 1, j - 1] = 1 / (virtual**2 + 1)
                continue
            best_j = distance[i - 2].argmin() + 2 if i > 1 else 1
            best_i = distance[:, j - 2].argmin() + 2 if j > 1 else 1
            diagonal = abs(i / n - j / m)
            row, column = abs(i - best_i) / n, abs(j - best_j) / m
            density[i - 1, j - 1] = phi * gaussian(diagonal) + (1 - phi) * gaussian(
                (row + column) / 2
            )
            moment[i - 1, j - 1] = phi / (diagonal**2 + 1) + (1 - phi) / (
                (row**2 + column**2) / 2 + 1
            )
    return density, moment


def vava(videos: list[Array], phi: float = 0.999) -> float:
    """With the default parameters of `progfix.alignment.vava`."""
    losses = []
    for a, x in enumerate(videos):
        for y in videos[a + 1 :]:
            n, m, dims = len(x), len(y), x.shape[1]
            distance = squared(x, y)
            cost = np.full((n + 1, m + 1), 0.5)
            cost[1:, 1:] = distance
            density, moment = vava_priors(distance, phi, 2.0, 5.0)
            lambda1, lambda2 = 1.0 * (n + m), 0.1 * n * m / 4
            plan = sinkhorn(
                cost - lambda1 * moment - lambda2 * np.log(density),
                lambda2,
                np.full(n + 1, 1 / (n + 1)),
                np.full(m + 1, 1 / (m + 1)),
            )
            share = plan[1:, 1:]
            gap = 0.0
            for i in range(n):
                gap += (distance[i, share[i].argmax()] - distance[i, share[i].argmin()]) / n
            for j in range(m):
                column = share[:, j]
                gap += (distance[column.argmax(), j] - distance[column.argmin(), j]) / m
            between = math.log1p(math.exp(gap / dims / 0.5))
            contrast = _vava_contrast(x) + _vava_contrast(y) + between
            losses.append((plan * cost).sum() / dims + 0.5 * contrast)
    return float(np.mean(losses))


def _vava_contrast(x: Array, window: float = 15, margin: float = 2.0) -> float:
    total = 0.0
    for i, a in enumerate(x):
        for j, b in enumerate(x):
            distance = float(((a - b) ** 2).mean())
            if abs(i - j) > window:
                total += max(0.0, margin - distance)
            else:
                total += distance / ((i - j) ** 2 + 1)
    return total / len(x) ** 2


def em(
    probabilities: Array, count: int, iterations: int = 10, floor: float = 0.5
) -> tuple[Array, Array, Array]:
    """Means, variances and weights of one mixture."""
    frames = len(probabilities)
    means = np.array([(k + 0.5) / count * frames - 0.5 for k in range(count)])
    variances = np.full(count, max((frames / (2 * count)) ** 2, floor))
    weights = np.full(count, 1 / count)
    index = np.arange(frames)
    for _ in range(iterations):
        log = np.log(weights) - 0.5 * np.log(variances)
        log = log[:, None] - (index - means[:, None]) ** 2 / (2 * variances[:, None])
        share = np.stack([softmax(log[:, j]) for j in range(frames)], 1) * probabilities
        weights = share.sum(1) / share.sum()
        means = share @ index / share.sum(1)
        spread = (share * (index - means[:, None]) ** 2).sum(1) / share.sum(1)
        variances = np.maximum(spread, floor)
    return means, variances, weights


def gtcc(
    videos: list[Array],
    drop: Array | None = None,
    drop_floor: float = 0.0,
    count: int = 3,
    share: float = 0.5,
    offset: float = 0.5,
) -> float:
    """Every frame cycled; temperature 0.1, no variance term, reciprocal floor 1."""
    losses = []
    for a, x in enumerate(videos):
        for b, y in enumerate(videos):
            if a == b:
                continue
            width = max(1, round(share * len(x)))
            keep = np.ones(len(x))
            if drop is not None:
                scores = x @ drop[b, :-1] + drop[b, -1]
                scores = (scores - scores.mean()) / math.sqrt(scores.var() + 1e-6)
                keep = drop_floor + (1 - drop_floor) / (1 + np.exp(-scores))
            terms = []
            for i, frame in enumerate(x):
                align = _gtcc_frame(i, frame, x, y, count, width, offset)
                terms.append(keep[i] * align + (1 - keep[i]) / (align + 1))
            losses.append(np.mean(terms))
    return float(np.mean(losses))


def _gtcc_frame(
    i: int, frame: Array, x: Array, y: Array, count: int, width: int, offset: float
) -> float:
    scale = 0.1 * x.shape[1]
    alpha = softmax(-((frame - y) ** 2).sum(1) / scale)
    means, variances, weights = em(alpha, count)
    start = min(max(i - round(offset * (width - 1)), 0), len(x) - width)
    window = np.arange(start, start + width)
    align = 0.0
    for mean, variance, weight in zip(means, variances, weights, strict=True):
        component = softmax(-((np.arange(len(y)) - mean) ** 2) / (2 * variance))
        beta = softmax(-((component @ y - x[window]) ** 2).sum(1) / scale)
        align += weight * (i - beta @ window) ** 2
    return align
