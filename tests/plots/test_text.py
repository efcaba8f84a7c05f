from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.plots.style import STYLES, style_context, tick
from progfix.plots.text import (
    MISSING,
    clean,
    count,
    decimal,
    distinct,
    figure_text,
    readable,
    shorten,
    shorten_to,
    text_width,
)


def test_names_lose_what_could_break_a_line_or_a_terminal() -> None:
    assert clean("  cut\n\tbread \x1b[31m\x00now ") == "cut bread [31mnow"
    assert readable("take_the__knife") == "take the knife"


def test_characters_that_no_font_has_become_boxes() -> None:
    # U+13000, an Egyptian hieroglyph, is in none of the families that are asked for.
    with style_context(STYLES["screen"]):
        assert figure_text("a\U00013000b") == f"a{MISSING}b"
        assert figure_text("crème brûlée") == "crème brûlée"


@given(st.text(min_size=0, max_size=40), st.integers(1, 20))
def test_shortened_to_the_length(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert short == text or "…" in short


def test_shortened_in_the_middle() -> None:
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("ab cdefg hi", 5) == "ab…hi"


def test_shortened_to_a_width() -> None:
    name = "align and screw the red perforated bar with the partial model"
    for width in (30.0, 80.0, 150.0):
        short = shorten_to(name, width, 7.0)
        assert text_width(short, 7.0) <= width
        # One character more would not have fitted.
        assert text_width(shorten(name, len(short) + 3), 7.0) > width
    assert shorten_to(name, 1000.0, 7.0) == name
    assert text_width("stir", 7.0, "bold") > text_width("stir", 7.0)
    assert text_width("stir", 14.0) == pytest.approx(2 * text_width("stir", 7.0))


@given(st.lists(st.text("ab/", min_size=1, max_size=30), min_size=1, max_size=9, unique=True))
def test_shortened_labels_stay_different(labels: list[str]) -> None:
    assert len(set(distinct(labels, 60.0))) == len(labels)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.075, ".075"), (-0.5, "-.500"), (1.0, "1.000"), (-0.0001, ".000"), (12.3456, "12.346")],
)
def test_decimals(value: float, text: str) -> None:
    assert decimal(value) == text


def test_counts() -> None:
    assert [count(n, "frame") for n in (1, 2, 1234)] == ["1 frame", "2 frames", "1,234 frames"]


def test_undefined_decimal() -> None:
    assert decimal(math.nan) == "n/a"


def test_ticks() -> None:
    assert [tick(v) for v in (0.25, -0.5, 0.0, 1.0, 100.0, 10.5)] == [
        ".25",
        "-.5",
        "0",
        "1",
        "100",
        "10.5",
    ]
