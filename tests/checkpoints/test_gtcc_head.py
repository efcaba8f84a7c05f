"""Which head a file holds: the table of rules, and what is asked where they leave a doubt."""

from __future__ import annotations

import pytest
import torch

from progfix.checkpoints.gtcc_head import expressible, find_head
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from tests.checkpoints.made import AB, BASELINE, EXPRESSIBLE, POSITION, head_of

D = 16


def weights(spec: HeadSpec, width: int = D) -> dict[str, torch.Tensor]:
    return dict(head_of(spec, width).state_dict())


def find(
    spec: HeadSpec,
    config: dict[object, object],
    asked: HeadSpec | str | None = None,
    width: int = D,
) -> HeadSpec:
    found = find_head(weights(spec, width), config, D, asked=asked, where="best_model.pt")
    assert found.width == width
    assert found.raw == (width != D)
    return found.spec


def problem(
    spec: HeadSpec,
    config: dict[object, object],
    asked: HeadSpec | str | None = None,
    width: int = D,
) -> str:
    with pytest.raises(InputError) as caught:
        find_head(weights(spec, width), config, D, asked=asked, where="best_model.pt")
    return str(caught.value)


def flags(position: bool, count: bool, per_frame: bool = False) -> dict[object, object]:
    return {
        "use_position_encoding": position,
        "use_frame_count": count,
        "per_frame_count": per_frame,
        "frame_count_max": 500.0,
    }


POOLED = HeadSpec(kind="pooled")
POOLED_POSITION = HeadSpec(kind="pooled", extra=("position",))


@pytest.mark.parametrize(
    ("spec", "config"),
    [
        # Without the keys that name columns: 3030255 and 238da93.
        (BASELINE, {"hidden_dim": 64, "use_gru": True}),
        (AB, {"hidden_dim": 64, "use_gru": True}),
        (POOLED, {"use_gru": False}),
        (POOLED_POSITION, {"use_gru": False}),
        # Without any configuration: only where the weights leave no doubt.
        (BASELINE, {}),
        (AB, {}),
        (POOLED, {}),
        (HeadSpec(initial_state="learned"), {}),
        # With use_position_encoding alone: 8a6f44d, which has no frame count.
        (BASELINE, {"use_position_encoding": False}),
        (AB, {"use_position_encoding": True}),
        (POOLED_POSITION, {"use_position_encoding": True, "use_gru": False}),
    ],
)
def test_files_that_say_enough(spec: HeadSpec, config: dict[object, object]) -> None:
    assert find(spec, config) == spec


@pytest.mark.parametrize(
    ("extra", "config"),
    [
        ((), flags(False, False)),
        (("prefix-length",), flags(False, True)),
        (("position", "prefix-length"), flags(True, True)),
        (("elapsed",), flags(False, False, per_frame=True)),
        (("elapsed",), flags(False, True, per_frame=True)),
        (("position", "elapsed"), flags(True, True, per_frame=True)),
    ],
)
def test_later_files_name_their_columns(
    extra: tuple[str, ...], config: dict[object, object]
) -> None:
    state = "learned" if "position" in extra else "zero"
    spec = HeadSpec(extra=extra, initial_state=state)  # type: ignore[arg-type]
    found = find(spec, config)
    assert (found.extra, found.initial_state) == (extra, state)
    assert found.frame_count_max == 500
    assert found.last_bias == -2  # the commit that brought the keys starts it there


def test_the_width_of_the_hidden_layer_comes_from_the_weights() -> None:
    wide = HeadSpec(hidden=128)
    assert find(wide, {"hidden_dim": 64}) == wide
    assert find(HeadSpec(kind="pooled", hidden=20), {}).hidden == 20


@pytest.mark.parametrize(
    ("spec", "config"),
    [
        # One column that may be any, since the A+B class always has an h0.
        (POSITION, {}),
        (POSITION, {"use_gru": True}),
        (POOLED_POSITION, {}),
        # The configuration and the weights contradict each other.
        (BASELINE, flags(False, True)),
        (BASELINE, flags(True, False)),
        (AB, flags(False, False)),
        (AB, flags(False, True)),
        (POSITION, flags(True, False)),
        (AB, {"use_position_encoding": False}),
        (POSITION, {"use_position_encoding": False}),
        (BASELINE, {"use_position_encoding": False, "use_gru": False}),
        (POOLED, {**flags(False, False), "use_gru": True}),
        (BASELINE, {**flags(False, False), "architecture": "transformer"}),
        (BASELINE, {"features": "raw"}),
        (HeadSpec(extra=("position", "elapsed")), {}),
        (HeadSpec(extra=("position", "prefix-length", "elapsed")), {}),
    ],
)
def test_a_doubt_is_asked_about_and_any_answer_that_fits_is_taken(
    spec: HeadSpec, config: dict[object, object]
) -> None:
    text = problem(spec, config)
    assert text.startswith("best_model.pt: expected a ")
    if config.get("features") == "raw":
        assert "found 16" in text
        assert "belong together" in text
        return
    assert "--head-spec" in text
    named = text.partition("pass ")[2].removesuffix(", as it was trained").split(" or ")
    answers = [answer.removeprefix("--head-spec ") for answer in named]
    assert answers
    for answer in answers:
        found = find(spec, config, asked=answer)
        assert len(found.extra) == len(spec.extra)
        assert found.initial_state == spec.initial_state


def test_the_message_of_a_width_that_fits_nothing() -> None:
    two = HeadSpec(extra=("position", "elapsed"))
    assert problem(two, {}) == (
        "best_model.pt: expected a GRU input of 16 or 17 columns, found 18; pass "
        "--head-spec position,prefix-length or --head-spec position,elapsed, as it was trained"
    )
    assert problem(BASELINE, {}, width=40) == (
        "best_model.pt: expected a GRU input of 16 or 17 columns, found 40; check that the "
        "encoder and the head of this file belong together"
    )


def test_heads_on_raw_features() -> None:
    assert find(BASELINE, {"features": "raw"}, width=2048) == BASELINE
    assert find(BASELINE, {}, width=2048) == BASELINE
    assert find(AB, {**flags(True, False), "features": "raw"}, width=2048).extra == ("position",)
    assert find(POSITION, {}, asked="elapsed", width=2048).extra == ("elapsed",)
    assert "16 columns" in problem(
        BASELINE, {**flags(False, False), "features": "aligned"}, width=2048
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("none", "expected 16 input columns for 'none', found 17"),
        ("position,elapsed", "expected 18 input columns for 'position,elapsed', found 17"),
        ("pooled,position", "the kind that the weights show, found gru, asked pooled"),
        ("position,h0", "expected the weights of a learned h0, found none"),
        ("frames", "--head-spec: expected none, or words out of position"),
    ],
)
def test_answers_that_do_not_fit(asked: str, words: str) -> None:
    assert words in problem(POSITION, {}, asked=asked)


def test_a_specification_is_an_answer_too() -> None:
    asked = HeadSpec(extra=("elapsed",), frame_count_max=77.0)
    found = find(POSITION, {}, asked=asked)
    assert (found.extra, found.frame_count_max) == (("elapsed",), 77.0)
    assert find(POSITION, {"frame_count_max": 50}, asked="elapsed").frame_count_max == 50
    assert find(AB, {}, asked="position").initial_state == "learned"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("input_proj.0.weight", "a head with an input projection"),
        ("action_embedding.weight", "a head with action conditioning"),
    ],
)
def test_other_heads_are_refused_by_name(name: str, words: str) -> None:
    state = {**weights(BASELINE), name: torch.ones(2, 2)}
    with pytest.raises(InputError, match=words):
        find_head(state, {}, D, asked=None, where="x")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"output_activation": "clamp"}, "a head with a clamp output"),
        ({"use_rate_of_change": True}, "rate of change"),
        ({"use_action_conditioning": True}, "action conditioning"),
    ],
)
def test_other_options_are_refused_by_name(config: dict[object, object], words: str) -> None:
    assert words in problem(BASELINE, config)
    assert words in problem(BASELINE, config, asked="none")


def test_a_pooled_head_never_has_an_h0() -> None:
    state = {**weights(POOLED_POSITION), "h0": torch.zeros(1, 1, 64)}
    found = find_head(state, {"use_gru": False}, D, asked=None, where="x")
    assert found.spec == POOLED_POSITION  # so that h0 is left over when the weights are loaded


@pytest.mark.parametrize("spec", EXPRESSIBLE)
def test_heads_that_their_classes_hold(spec: HeadSpec) -> None:
    assert expressible(spec) is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (POOLED, "without a GRU"),
        (HeadSpec(kind="tcn"), "no tcn head as progfix trains it"),
        (HeadSpec(output="increment"), "increment"),
        (HeadSpec(extra=("elapsed",)), "elapsed"),
        (HeadSpec(extra=("position", "elapsed")), "elapsed"),
        (HeadSpec(extra=("prefix-length",)), "prefix-length"),
        (HeadSpec(hidden=32), "64 hidden units, not 32"),
    ],
)
def test_heads_that_they_do_not_hold(spec: HeadSpec, words: str) -> None:
    assert words in str(expressible(spec))
