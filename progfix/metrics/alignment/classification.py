"""Phase classification: can a classifier tell from the embedding which action it is?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem
from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Parts, Score

__all__ = ["FRACTIONS", "phase_classification", "require_classifiers"]

FRACTIONS = (0.1, 0.5, 1.0)


def phase_classification(
    train: Sequence[EmbeddedVideo],
    scored: Sequence[EmbeddedVideo],
    fraction: float = 1.0,
    *,
    variant: Variant = "default",
    seed: int = 0,
) -> Score:
    """Return the accuracy of an RBF support vector machine on the scored videos' action frames.

    Args:
        train: Videos to fit on.
        scored: Other videos of the same task.
        fraction: Share of the training *videos* to use, the first ones, at least one;
            above 0, at most 1.
        variant: "default" is scikit-learn's SVC with C = 1 and gamma = 1 / (D x variance).
            "carl" is multinomial logistic regression. "lav" fits on a share of the scored
            videos. "gtcc" fits on a random share of the scored *frames*, standardised by
            those frames.
        seed: Of the draw in "gtcc".

    Returns:
        In [0, 1], counted over frames; undefined where fewer than two actions can be
        learnt. An action that was never seen is an error wherever it is shown.

    Raises:
        InputError: If scikit-learn is not installed.
        ValueError: If the variant is unknown or the fraction is outside (0, 1].

    Source: Dwibedi et al., TCC, CVPR 2019 (google-research/tcc,
    evaluation/classification.py); Chen et al., CARL, CVPR 2022; Haresh et al., LAV, CVPR
    2021; Donahue and Elhamifar, GTCC, CVPR 2024 (utils/evaluation.py).
    """
    require_variant("phase_classification_100", variant)
    if not 0 < fraction <= 1:
        raise ValueError(f"expected a fraction in (0, 1], found {fraction}")
    require_classifiers()
    other, truth = _frames(scored)
    if variant == "gtcc":
        order = np.random.default_rng(seed).permutation(len(truth))
        chosen = order[: round(fraction * len(truth))]
        x, labels = other[chosen], truth[chosen]
    else:
        videos = scored if variant == "lav" else train
        x, labels = _frames(videos[: max(1, int(fraction * len(videos)))])
    if len(np.unique(labels)) < 2 or len(truth) == 0:
        return Score(float("nan"), 0, len(truth))
    right = _classifier(variant).fit(x, labels).predict(other) == truth
    score = Score(float(right.mean()), len(truth), 0)
    if variant in ("lav", "gtcc"):
        # A video that was fitted on as well is no draw that the fit does not know.
        return score
    frames = np.array([np.count_nonzero(video.phases >= 0) for video in scored])
    video = np.repeat(np.arange(len(scored)), frames)
    total = np.bincount(video, right, minlength=len(scored))
    return replace(score, parts=Parts(total.astype(np.float64), frames.astype(np.float64)))


def require_classifiers() -> None:
    """Check that scikit-learn is there, before anything long is computed.

    Raises:
        InputError: If it is not.
    """
    try:
        import sklearn.svm  # noqa: F401
    except ImportError as error:
        raise InputError(
            Problem(
                "phase classification",
                "scikit-learn",
                "not installed",
                "pip install 'progfix[alignment]'",
            )
        ) from error


def _frames(
    videos: Sequence[EmbeddedVideo],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if not videos:
        return np.empty((0, 0)), np.empty(0, np.int64)
    shown = [video.phases >= 0 for video in videos]
    pairs = list(zip(videos, shown, strict=True))
    x = np.concatenate([video.embeddings[rows] for video, rows in pairs], dtype=np.float64)
    return x, np.concatenate([video.phases[rows] for video, rows in pairs])


def _classifier(variant: Variant) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    match variant:
        case "carl":
            return LogisticRegression(max_iter=100_000)
        case "gtcc":
            return make_pipeline(StandardScaler(), SVC())
        case _:
            return SVC()
