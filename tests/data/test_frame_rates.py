from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.data.frame_rates import annotation_fps, parse_fps, to_feature_frame
from progfix.errors import InputError


@pytest.mark.parametrize(
    ("handle", "fps"),
    [
        ("OP01-R03-BaconAndEggs", 24),
        ("P28-R02-TurkeySandwich", 24),
        ("P04-R01-PastaSalad", 24),
        ("P11-R03-BaconAndEggs", 24),
        ("S07_Brownie_7151062-1103", 30),
        ("01.tent.090617.gopro", 60),
        ("0003", 12),
        ("Head_13", 12),
        ("kitchen", None),
    ],
)
def test_egoprocels_rule(handle: str, fps: float | None) -> None:
    assert annotation_fps(handle) == fps


@given(st.integers(0, 10**7), st.sampled_from([12.0, 24.0, 30.0, 60.0, 29.97]))
def test_at_one_frame_per_second_it_is_the_users_rule(frame: int, fps: float) -> None:
    assert to_feature_frame(frame, fps, 1.0) == int(frame / fps)


@given(st.integers(0, 10**7), st.sampled_from([1.0, 12.0, 30.0, 29.97]))
def test_equal_rates_change_nothing(frame: int, fps: float) -> None:
    # 123 / 30 * 30 and 15 * 29.97 / 29.97 fall short: the order of operations matters.
    assert to_feature_frame(frame, fps, fps) == frame


def test_a_rate_is_auto_or_a_positive_number() -> None:
    assert parse_fps("auto") is None
    assert parse_fps("29.97") == 29.97
    for text in ("fast", "0", "-3", "nan", "inf", "", "1e-300", "1e7"):
        with pytest.raises(InputError):
            parse_fps(text)
