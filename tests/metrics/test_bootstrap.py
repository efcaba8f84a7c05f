import numpy as np
import pytest

from progfix.metrics.bootstrap import percentile_interval, resample_weights


def test_each_resample_draws_as_many_videos_as_there_are() -> None:
    weights = np.concatenate(list(resample_weights(9, 500, seed=0)))
    assert weights.shape == (500, 9)
    assert (weights.sum(axis=1) == 9).all()
    # A video is drawn 9 * (1/9) times on average, with variance 9 * (1/9) * (8/9).
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(8 / 9, abs=0.05)


def test_the_same_seed_draws_the_same() -> None:
    first, second = (next(resample_weights(5, 20, seed=3)) for _ in range(2))
    other = next(resample_weights(5, 20, seed=4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_wide_tables_are_resampled_in_blocks() -> None:
    blocks = list(resample_weights(10, 100, seed=0, width=200_000))
    assert len(blocks) > 1
    assert sum(map(len, blocks)) == 100


def test_nothing_to_draw() -> None:
    assert list(resample_weights(0, 10, seed=0)) == []
    assert list(resample_weights(3, 0, seed=0)) == []


def test_percentile_interval_by_hand() -> None:
    # 0, 1, .., 100: the 2.5th and the 97.5th percentile are 2.5 and 97.5.
    values = np.stack([np.arange(101.0), np.full(101, np.nan)], axis=1)
    low, high = percentile_interval(values)
    assert low[0] == pytest.approx(2.5)
    assert high[0] == pytest.approx(97.5)
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_undefined_resamples_are_left_out() -> None:
    values = np.append(np.arange(101.0), np.nan)[:, None]
    low, high = percentile_interval(values)
    assert (low[0], high[0]) == (pytest.approx(2.5), pytest.approx(97.5))


def test_interval_covers_the_mean_of_a_normal_sample_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        sample = rng.normal(size=40)
        weights = next(resample_weights(40, 400, seed=trial))
        low, high = percentile_interval((weights @ sample / 40)[:, None])
        hits += low[0] <= 0 <= high[0]
    assert 0.89 <= hits / 300 <= 0.98
