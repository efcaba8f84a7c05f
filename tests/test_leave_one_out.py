import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.leave_one_out import LeaveOneVideoOut, SegmentPool
from progfix.predictions import Predictions, segment_predictions
from tests.made_predictions import cut_by_video, made_predictions


def _table(*segments: tuple[str, str, int]) -> Predictions:
    numbers: dict[str, int] = {}
    parts = []
    for video, action, duration in segments:
        numbers[video] = numbers.get(video, -1) + 1
        parts.append(
            segment_predictions(
                np.zeros(duration), video=video, action=action, segment=numbers[video]
            )
        )
    return Predictions.concat(parts)


def test_each_video_is_counted_on_the_others_by_hand() -> None:
    # Video x (2 frames of "a") is counted on 4 and 6: median 5 at t = 1, 2.
    # Video y (4 and 6) is counted on 2 alone: 1/2, 2/2, and 1 beyond it.
    table = _table(("x", "a", 2), ("y", "a", 4), ("y", "b", 6))
    found = LeaveOneVideoOut.fit([table]).predict(table)
    assert found == pytest.approx([1 / 5, 2 / 5, 1 / 2, 1, 1, 1, 1 / 2, 1, 1, 1, 1, 1])


def test_per_action_falls_back_to_all_actions_of_other_videos() -> None:
    # Per action x's "a" is counted on y's "a" (4). y's "b" is in no other video: on all of x.
    table = _table(("x", "a", 2), ("y", "a", 4), ("y", "b", 1))
    found = LeaveOneVideoOut.fit([table]).predict(table, per_action=True)
    assert found == pytest.approx([1 / 4, 2 / 4, 1 / 2, 1, 1, 1, 1 / 2])


def test_a_single_video_has_no_others() -> None:
    table = _table(("x", "a", 3))
    fitted = LeaveOneVideoOut.fit([table])
    assert np.isnan(fitted.predict(table)).all()
    assert np.isnan(fitted.predict(table, per_action=True)).all()


def test_videos_of_the_same_name_in_two_tasks_are_two_videos() -> None:
    parts = [
        segment_predictions(np.zeros(length), video="v", task=task)
        for task, length in (("t", 2), ("u", 4))
    ]
    table = Predictions.concat(parts)
    found = LeaveOneVideoOut.fit([table]).predict(table)
    assert found == pytest.approx([1 / 4, 2 / 4, 1 / 2, 1, 1, 1])


@given(st.integers(0, 10**6), st.booleans())
def test_agrees_with_a_loop(seed: int, per_action: bool) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 15))
    video, action = rng.integers(4, size=size), rng.integers(3, size=size)
    duration = rng.integers(1, 9, size=size)
    pool = SegmentPool(video, action, duration)
    segment = rng.integers(size, size=40)
    elapsed = rng.integers(1, 11, size=40)
    found = pool.answers(video[segment], action[segment], elapsed, per_action=per_action)
    for row in range(40):
        own = video != video[segment[row]]
        same = own & (action == action[segment[row]])
        chosen = duration[same if per_action and same.any() else own]
        longer = chosen[chosen >= elapsed[row]]
        if len(chosen) == 0:
            assert np.isnan(found[row])
        else:
            expected = elapsed[row] / np.median(longer) if len(longer) else 1.0
            assert found[row] == pytest.approx(expected, abs=1e-12)


def test_many_tables_are_fitted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_predictions(4, videos=9)
    whole = LeaveOneVideoOut.fit([table]).predict(table, per_action=True)
    monkeypatch.setattr("progfix.leave_one_out._TABLE_CELLS", 40)
    np.testing.assert_array_equal(
        LeaveOneVideoOut.fit([table]).predict(table, per_action=True), whole
    )


def test_chunks_do_not_matter() -> None:
    table = made_predictions(5)
    whole, cut = LeaveOneVideoOut.fit([table]), LeaveOneVideoOut.fit(cut_by_video(table))
    for chunk in cut_by_video(table):
        np.testing.assert_array_equal(whole.predict(chunk), cut.predict(chunk))
