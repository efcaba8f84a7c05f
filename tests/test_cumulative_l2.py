from pathlib import Path

import numpy as np
import pytest

from progfix.checkpoints import open_checkpoint
from progfix.cumulative_l2 import CumulativeL2, path_totals
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.options import DataOptions
from progfix.embedding import encode_with, feature_vectors
from progfix.errors import InputError
from progfix.predictions import Predictions
from progfix.sources import SourceOptions, open_source
from tests.checkpoints.made import BASELINE, head_of, payload_of, save, small_encoder


def video(name: str, features: object, *segments: Segment, split: str = "train") -> Video:
    array = np.asarray(features, dtype=np.float32)
    array = array[:, None] if array.ndim == 1 else array
    return Video(name, "t", len(array), segments, ArrayFeatures(array), split, 1.0)


# Paths of training: cut 2 and 4, stir 9. A censored one does not count.
TRAIN = (
    video("a", [0, 1, 2, 11], Segment(0, 2, "cut"), Segment(2, 3, "stir")),
    video("b", [0, 4, 4, 99], Segment(0, 1, "cut"), Segment(2, 3, "cut", censored=True)),
)
TEST = video("c", [5, 7, 8, 8, 2], Segment(0, 2, "cut"), Segment(3, 4, "pour"), split="test")


def answers(predictor: CumulativeL2) -> Predictions:
    return Predictions.concat(list(predictor.predict()))


def test_the_worked_example() -> None:
    totals = path_totals(TRAIN, feature_vectors)
    assert totals.pooled == pytest.approx(5)
    assert totals.by_action == {"cut": 3.0, "stir": 9.0}
    # Cut moves 0, 2, 3 and pour 0, 6.
    found = answers(CumulativeL2(TRAIN, [TEST], feature_vectors))
    np.testing.assert_allclose(found.prediction, [0, 0.4, 0.6, 0, 1])
    np.testing.assert_allclose(found.target, [1 / 3, 2 / 3, 1, 1 / 2, 1])
    # Per action: cut by 3; training does not show pour, so by 5.
    found = answers(CumulativeL2(TRAIN, [TEST], feature_vectors, per_action=True))
    np.testing.assert_allclose(found.prediction, [0, 2 / 3, 1, 0, 1])


def test_training_that_never_moves() -> None:
    still = [video("a", [3, 3], Segment(0, 1, "cut"))]
    found = answers(CumulativeL2(still, [TEST], feature_vectors))
    np.testing.assert_allclose(found.prediction, [0, 1, 1, 0, 1])


def saved(tmp_path: Path, width: int = 5) -> tuple[Path, list[Video]]:
    rng = np.random.default_rng(0)
    videos = [
        video(n, rng.normal(size=(12, width)), Segment(0, 5, "cut"), Segment(6, 9, "stir"), split=s)
        for n, s in (("a", "train"), ("b", "train"), ("c", "test"))
    ]
    write_hdf5(tmp_path / "data.h5", videos)
    return tmp_path / "data.h5", videos


def test_as_a_source_of_features_and_of_an_encoder(tmp_path: Path) -> None:
    path, videos = saved(tmp_path)
    options = SourceOptions(data=DataOptions(path=str(path)))
    source = open_source("baseline:cumulative-l2", options)
    assert (source.label, source.kind) == ("baseline:cumulative-l2", "baseline")
    assert source.chunks is not None
    found = Predictions.concat(list(source.chunks()))
    expected = answers(CumulativeL2(videos[:2], videos[2:], feature_vectors))
    np.testing.assert_allclose(found.prediction, expected.prediction)

    model = save(payload_of(small_encoder(), head_of(BASELINE), {}), tmp_path / "model.pt")
    source = open_source(f"baseline:cumulative-l2-per-action@{model}", options)
    assert source.label == "baseline:cumulative-l2-per-action@model"
    assert source.chunks is not None
    found = Predictions.concat(list(source.chunks()))
    embed = encode_with(open_checkpoint(model).model)
    expected = answers(CumulativeL2(videos[:2], videos[2:], embed, per_action=True))
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cumulative-l2@nowhere.pt", "no such file"),
        ("cumulative-l3", "cumulative-l2-per-action"),
        ("constant@model.pt", "one of"),
    ],
)
def test_bad_names(name: str, message: str, tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    with pytest.raises(InputError, match=message):
        open_source(f"baseline:{name}", SourceOptions(data=DataOptions(path=str(path))))


def test_what_it_cannot_do_without(tmp_path: Path) -> None:
    path, videos = saved(tmp_path, width=3)
    options = SourceOptions(data=DataOptions(path=str(path)))
    model = save(payload_of(small_encoder(), head_of(BASELINE), {}), tmp_path / "model.pt")
    with pytest.raises(InputError, match="features of size 5"):
        open_source(f"baseline:cumulative-l2@{model}", options)
    with pytest.raises(InputError, match="--fit-on: expected train or test"):
        open_source("baseline:cumulative-l2", SourceOptions(data=options.data, fit_on="val"))
    with pytest.raises(InputError, match="no --data"):
        open_source("baseline:cumulative-l2", SourceOptions())
    maps = Video("m", "t", 2, (), ArrayFeatures(np.zeros((2, 3, 4, 4))))
    with pytest.raises(InputError, match="2 x 3 x 4 x 4"):
        feature_vectors(maps)
    with pytest.raises(InputError, match="finite"):
        feature_vectors(video("n", [0, np.nan]))
    with pytest.raises(InputError, match="annotations only"):
        feature_vectors(Video("o", "t", 2, ()))
    assert len(videos) == 3
