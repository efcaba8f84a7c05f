"""The text form of a head."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.checkpoints.head_spec import format_head_spec, parse_head_spec
from progfix.errors import InputError
from progfix.heads.spec import HeadKind, HeadSpec

COLUMNS = ("position", "prefix-length", "elapsed")
SPECS = st.builds(
    HeadSpec,
    kind=st.sampled_from(get_args(HeadKind)),
    extra=st.sets(st.sampled_from(COLUMNS)).map(
        lambda chosen: tuple(column for column in COLUMNS if column in chosen)
    ),
    initial_state=st.sampled_from(["zero", "learned"]),
    frame_count_max=st.integers(1, 5000).map(float),
).filter(lambda spec: spec.kind == "gru" or spec.initial_state == "zero")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("none", HeadSpec()),
        ("gru", HeadSpec()),
        ("position", HeadSpec(extra=("position",))),
        ("h0,position", HeadSpec(extra=("position",), initial_state="learned")),
        (" elapsed , position ", HeadSpec(extra=("position", "elapsed"))),
        ("pooled", HeadSpec(kind="pooled")),
        (
            "prefix-length,frame-count-max=500",
            HeadSpec(extra=("prefix-length",), frame_count_max=500.0),
        ),
    ],
)
def test_texts(text: str, spec: HeadSpec) -> None:
    assert parse_head_spec(text) == spec


@given(SPECS)
def test_a_text_reads_back_as_the_head_it_describes(spec: HeadSpec) -> None:
    again = parse_head_spec(format_head_spec(spec))
    assert (again.kind, again.extra, again.initial_state) == (
        spec.kind,
        spec.extra,
        spec.initial_state,
    )
    if {"prefix-length", "elapsed"} & set(spec.extra):
        assert again.frame_count_max == spec.frame_count_max


def test_what_the_text_does_not_name_comes_from_the_default() -> None:
    default = HeadSpec(
        kind="pooled", extra=("position",), hidden=9, frame_count_max=50.0, last_bias=-2.0
    )
    read = parse_head_spec("elapsed", default=default)
    assert read == HeadSpec(
        kind="pooled", extra=("elapsed",), hidden=9, frame_count_max=50.0, last_bias=-2.0
    )
    assert parse_head_spec("none", default=default).extra == ()
    assert parse_head_spec("gru,h0", default=default).initial_state == "learned"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("positon", "positon"),
        ("none,h0", "none"),
        ("", ""),
        ("position,", ""),
        ("frame-count-max=0", "frame-count-max=0"),
        ("frame-count-max=many", "frame-count-max=many"),
        ("frame-count-max=inf", "frame-count-max=inf"),
        ("pooled,h0", "h0 with the pooled head"),
        ("h0,tcn", "h0 with the tcn head"),
        ("a,position,b", "a, b"),
    ],
)
def test_texts_that_mean_nothing(text: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_head_spec(text)
    (problem,) = caught.value.problems
    assert (problem.where, problem.found) == ("--head-spec", found)
