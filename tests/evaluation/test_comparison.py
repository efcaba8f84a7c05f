import dataclasses

import numpy as np
import pytest

from progfix.evaluation import Evaluation, Evaluator, compare
from progfix.predictions import Category, Predictions
from tests.made_predictions import cut_by_video, made_predictions


def _evaluate(*chunks: Predictions) -> Evaluation:
    evaluator = Evaluator()
    for chunk in chunks:
        evaluator.update(chunk)
    return evaluator.compute()


def _closer(table: Predictions, share: float) -> Predictions:
    """Move predictions towards their targets."""
    return table.with_prediction(table.prediction + share * (table.target - table.prediction))


def test_differences_are_between_the_values() -> None:
    table = made_predictions(1)
    reference, other = _evaluate(table), _evaluate(_closer(table, 0.5))
    found = compare(reference, other, bootstrap=100)
    for name, difference in found.differences.items():
        expected = other[name].value - reference[name].value
        assert difference.value == pytest.approx(expected, abs=1e-12, nan_ok=True)
    mae = found.differences["mae"]
    assert mae.low < mae.value < mae.high < 0
    # Halving every error halves every MAE, in each resample too.
    assert found.differences["mae"].value == pytest.approx(-reference["mae"].value / 2)
    assert found.certain("mae")
    assert found.videos == 7


def test_pairing_is_sharper_than_two_intervals() -> None:
    # Both sources are bad on the same videos; the second is a little better everywhere.
    table = made_predictions(2, videos=25)
    hard = np.repeat(np.arange(25) % 2, np.diff([*table.video_starts(), len(table)]))
    worse = table.with_prediction(table.target + 0.1 + 0.4 * hard)
    better = table.with_prediction(table.target + 0.09 + 0.4 * hard)
    evaluator = Evaluator()
    evaluator.update(worse)
    alone = evaluator.compute(bootstrap=300)["mae"]
    paired = compare(_evaluate(worse), _evaluate(better), bootstrap=300).differences["mae"]
    assert paired.value == pytest.approx(-0.01)
    assert paired.high - paired.low < 1e-9 < alone.high - alone.low
    assert compare(_evaluate(worse), _evaluate(better), bootstrap=300).certain("mae")


def test_a_source_does_not_differ_from_itself() -> None:
    table = made_predictions(3)
    found = compare(_evaluate(table), _evaluate(table), bootstrap=100)
    assert found.differences["mae"].value == 0
    assert not any(found.certain(name) for name in found.differences)


def test_noise_is_seldom_certain() -> None:
    stars = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        table = made_predictions(seed, videos=20)
        first, second = (
            _evaluate(table.with_prediction(table.target + rng.normal(size=len(table))))
            for _ in range(2)
        )
        stars += compare(first, second, bootstrap=100).certain("mae")
    assert stars <= 6


def test_only_common_videos_are_compared() -> None:
    chunks = cut_by_video(made_predictions(4))
    found = compare(_evaluate(*chunks[:5]), _evaluate(*chunks[2:]), bootstrap=50)
    assert (found.videos, found.left_out) == (3, 4)
    expected = _evaluate(*chunks[2:5])
    same = compare(expected, expected).differences["mae"]
    assert found.differences["mae"].value == same.value == 0
    assert found.differences["mae"].count == expected["mae"].count


def test_nothing_in_common_is_undefined() -> None:
    chunks = cut_by_video(made_predictions(4))
    found = compare(_evaluate(*chunks[:2]), _evaluate(*chunks[2:]))
    assert found.videos == 0
    assert np.isnan(found.differences["mae"].value)
    assert not found.certain("mae")


def test_videos_are_paired_by_name_where_one_source_has_no_tasks() -> None:
    table = made_predictions(5)
    bare = dataclasses.replace(
        table, task=Category.full("", len(table)), missing=frozenset({"task"})
    )
    found = compare(_evaluate(table), _evaluate(bare), bootstrap=50)
    assert (found.videos, found.left_out) == (7, 0)
    assert found.differences["mae"].value == pytest.approx(0, abs=1e-12)


def test_a_video_with_other_frames_is_left_out_and_counted() -> None:
    table = made_predictions(6)
    shifted = table.with_prediction(table.prediction + 0.1)
    fewer = shifted.take(np.arange(len(table)) != 0)
    found = compare(_evaluate(table), _evaluate(fewer), bootstrap=0)
    assert (found.videos, found.left_out, found.unequal_frames) == (6, 0, 1)
    equal = table.take(table.video.codes != table.video.codes[0])
    alone = compare(
        _evaluate(equal), _evaluate(equal.with_prediction(equal.prediction + 0.1)), bootstrap=0
    )
    assert found.differences["bias"].value == pytest.approx(alone.differences["bias"].value)


def test_draws_are_paired_whatever_the_order_of_tasks() -> None:
    # Without tasks the order of names is another one; each resample must still draw the
    # same videos for both, or the difference of equal predictions would vary.
    parts = cut_by_video(made_predictions(7, tasks=3))
    table = Predictions.concat(parts)
    bare = dataclasses.replace(
        table, task=Category.full("", len(table)), missing=frozenset({"task"})
    )
    difference = compare(_evaluate(table), _evaluate(bare), bootstrap=50).differences["mae"]
    assert [difference.low, difference.high] == pytest.approx([0, 0])


def test_errors_alone_are_those_of_all_metrics() -> None:
    table = made_predictions(5)
    pair = _evaluate(table), _evaluate(_closer(table, 0.3))
    errors = ("mae", "ogpe", "rmse")
    alone = compare(*pair, metrics=errors, bootstrap=50).differences
    everything = compare(*pair, bootstrap=50).differences
    assert dict(alone) == {name: everything[name] for name in errors}
