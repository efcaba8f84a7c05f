import sys
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from progfix.errors import InputError
from progfix.metrics.alignment.classification import phase_classification
from progfix.metrics.alignment.videos import EmbeddedVideo, Score
from tests.metrics.alignment.made import random_videos, video

TRAIN, SCORED = random_videos(0, 12), random_videos(1, 6)


def test_the_worked_example() -> None:
    # Learnt: below about 5 it is cut (0), above stir (1). The scored frames 0, 9, 10 are
    # right, 1 is stir here and is called cut; the background frame is not asked about.
    train = [video([0, 1, 9, 10], (0, 1, 0), (2, 3, 1))]
    scored = [video([0, 1, 9, 10, 50], (0, 0, 0), (1, 3, 1))]
    assert phase_classification(train, scored) == Score(3 / 4, 4, 0)


@pytest.mark.parametrize(("fraction", "videos"), [(0.05, 1), (0.1, 1), (0.5, 6), (1.0, 12)])
def test_fractions_are_of_videos(fraction: float, videos: int) -> None:
    x, y = _frames(TRAIN[:videos])
    other, truth = _frames(SCORED)
    svm, line = SVC().fit(x, y), LogisticRegression(max_iter=100_000).fit(x, y)
    found = phase_classification(TRAIN, SCORED, fraction)
    assert found == Score(svm.score(other, truth), len(truth), 0)
    carl = phase_classification(TRAIN, SCORED, fraction, variant="carl")
    assert carl.value == line.score(other, truth)


def test_lav_and_gtcc_score_what_they_fitted() -> None:
    other, truth = _frames(SCORED)
    svm = SVC().fit(*_frames(SCORED[:3]))
    found = phase_classification(TRAIN, SCORED, 0.5, variant="lav")
    assert found.value == svm.score(other, truth)
    order = np.random.default_rng(5).permutation(len(truth))[: round(len(truth) * 0.5)]
    scale = StandardScaler().fit(other[order])
    svm = SVC().fit(scale.transform(other[order]), truth[order])
    found = phase_classification(TRAIN, SCORED, 0.5, variant="gtcc", seed=5)
    assert found.value == svm.score(scale.transform(other), truth)


def test_undefined_and_counted() -> None:
    single = [video([1, 2, 3], (0, 2, 0))]
    for train, scored in ((single, single), ([], single)):
        score = phase_classification(train, scored)
        assert np.isnan(score.value)
        assert (score.count, score.undefined) == (0, 3)
    nothing = phase_classification(TRAIN, [])
    assert np.isnan(nothing.value)
    assert (nothing.count, nothing.undefined) == (0, 0)


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(InputError, match=r"progfix\[alignment\]"):
        phase_classification(TRAIN, SCORED)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="fraction"):
        phase_classification(TRAIN, SCORED, 0)
    with pytest.raises(ValueError, match="carl, lav, gtcc"):
        phase_classification(TRAIN, SCORED, variant="tcc")


def _frames(
    videos: Sequence[EmbeddedVideo],
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    x = np.concatenate([v.embeddings[v.phases >= 0] for v in videos])
    return x, np.concatenate([v.phases[v.phases >= 0] for v in videos])
