import numpy as np
import pytest

from progfix.metrics.alignment.kendall import kendalls_tau
from progfix.metrics.alignment.measure import alignment_scores
from progfix.metrics.alignment.variants import DEFINITIONS, METRICS, SAME, VARIANTS, Variant
from tests.metrics.alignment.made import random_videos, video

TRAIN, SCORED = random_videos(0, 6), random_videos(1, 5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_has_its_metrics(variant: Variant) -> None:
    assert list(alignment_scores(TRAIN, SCORED, variant=variant)) == list(DEFINITIONS[variant])
    assert set(DEFINITIONS[variant]) <= set(METRICS)


def test_what_is_said_to_be_the_same_is_and_the_rest_differs() -> None:
    default = alignment_scores(TRAIN, SCORED)
    for variant in VARIANTS[1:]:
        found = alignment_scores(TRAIN, SCORED, variant=variant)
        for name, definition in DEFINITIONS[variant].items():
            if definition == SAME:
                assert found[name] == default[name], (variant, name)
    tcc = alignment_scores(TRAIN, SCORED, variant="tcc")
    assert tcc["kendalls_tau"] == kendalls_tau(SCORED, variant="tcc") != default["kendalls_tau"]
    gtcc = alignment_scores(TRAIN, SCORED, variant="gtcc")
    assert all(gtcc[n] != default[n] for n in ("wild_tau", "eae", "video_ogpe"))


def test_nothing_to_fit_on_and_one_video_alone() -> None:
    scores = alignment_scores([], SCORED[:1])
    assert all(np.isnan(score.value) for score in scores.values())
    assert scores["phase_classification_10"].undefined > 0
    assert all(score.count == 0 for score in scores.values())
    assert all(np.isnan(score.value) for score in alignment_scores(TRAIN, []).values())


def test_bad_videos_are_refused() -> None:
    for bad in (np.zeros((0, 2)), np.array([[np.nan]]), np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match="expected"):
            video(bad)
    for segment in ((0, 2, 0), (-1, 0, 0), (1, 0, 0)):
        with pytest.raises(ValueError, match="within 2 frames"):
            video([1, 2], segment)
    with pytest.raises(ValueError, match="variant"):
        alignment_scores(TRAIN, SCORED, variant="vava")  # type: ignore[arg-type]
