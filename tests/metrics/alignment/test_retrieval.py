import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.metrics.alignment.retrieval import average_precision
from tests.metrics.alignment.made import random_videos, video


def test_the_worked_example() -> None:
    first = video([0, 1, 9], (0, 1, 0), (2, 2, 1))
    second = video([0.2, 1.4, 8], (0, 0, 0), (1, 2, 1))
    # K = 2. First: 0 finds .2 (0) and 1.4 (1): 1/2; 1 finds 1.4 and .2: 1/2; 9 finds 8 (1)
    # and 1.4 (1): 1. Mean 2/3. Second: .2 finds 0 and 1 (both 0): 1; 1.4 (1) finds 1 and 0:
    # 0; 8 (1) finds 9 (1) and 1 (0): 1/2. Mean 1/2.
    (score,) = average_precision([first, second], [2])
    assert score.value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert (score.count, score.undefined) == (6, 0)


def test_the_worked_example_in_its_own_video() -> None:
    first = video([0, 1, 9], (0, 1, 0), (2, 2, 1))
    # lav, K = 2: 0 finds itself and 1: 1; 1 the same: 1; 9 itself and 1: 1/2.
    (score,) = average_precision([first], [2], variant="lav")
    assert score.value == pytest.approx((1 + 1 + 1 / 2) / 3)
    (alone,) = average_precision([first], [2])
    assert (alone.count, alone.undefined) == (0, 3)
    assert np.isnan(alone.value)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("variant", ["default", "carl", "lav"])
def test_against_a_loop(seed: int, variant: str) -> None:
    videos = random_videos(seed, 5, actions=6)
    ks = (1, 3, 5)
    scores = average_precision(videos, ks, variant=variant)  # type: ignore[arg-type]
    used = [v.every(5) for v in videos] if variant == "carl" else videos
    for k, score in zip(ks, scores, strict=True):
        means, count, undefined = [], 0, 0
        for i, one in enumerate(used):
            others = [o for j, o in enumerate(used) if (j == i) is (variant == "lav")]
            x = np.concatenate([o.embeddings for o in others])
            phases = np.concatenate([o.phases for o in others])
            shares = []
            for row, phase in zip(one.embeddings, one.phases, strict=True):
                if phase >= 0 and len(x) >= k:
                    order = np.argsort(((x - row) ** 2).sum(axis=1))[:k]
                    shares.append(float(np.mean(phases[order] == phase)))
                undefined += int(phase >= 0 and len(x) < k)
            count += len(shares)
            means += [np.mean(shares)] if shares else []
        assert score.value == pytest.approx(np.mean(means), abs=1e-9)
        assert (score.count, score.undefined) == (count, undefined)


def test_background_is_a_wrong_answer_and_no_question() -> None:
    first, second = video([0, 1], (0, 0, 0)), video([0, 1, 2], (1, 1, 0))
    # First: frame 0 finds the background frame 0. Second: frame 1 finds background too.
    (score,) = average_precision([first, second], [1])
    assert (score.value, score.count) == (0.0, 2)


def test_ties_count_by_their_share() -> None:
    first = video([0], (0, 0, 0))
    second = video([1, -1, 1, 5], (0, 0, 0), (1, 3, 1))
    # K = 1: three frames are equally near, one of them right. K = 2 of the three: the same.
    one, two = average_precision([first, second], [1, 2])
    alone = [1 / 3, 0.0]
    assert one.value == pytest.approx((alone[0] + 1 / 4) / 2)
    assert two.undefined == 4  # the second video has one frame to find


def test_collapsed_embeddings_are_undefined_and_counted() -> None:
    videos = [video(np.full((8, 3), 0.3), (0, 3, 0), (4, 7, 1)) for _ in range(3)]
    for score in average_precision(videos):
        assert np.isnan(score.value)
        assert (score.count, score.undefined) == (0, 24)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 8))
def test_the_order_of_videos_does_not_matter(seed: int, k: int) -> None:
    videos = random_videos(seed, 4)
    (score,), (turned,) = average_precision(videos, [k]), average_precision(videos[::-1], [k])
    np.testing.assert_allclose(score.value, turned.value, atol=1e-12)
    assert np.isnan(score.value) or 0 <= score.value <= 1


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        average_precision(random_videos(0, 2), [0])
    with pytest.raises(ValueError, match="variant"):
        average_precision(random_videos(0, 2), variant="gtcc")
    assert all(score.count == 0 for score in average_precision([]))
