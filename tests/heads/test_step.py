"""One frame at a time: `step` equals the batch pass, its state is plain and constant in size."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from progfix.heads.base import ProgressHead
from progfix.heads.build import HEADS
from progfix.heads.online import OnlineAnswer, State
from progfix.heads.outputs import LEVELS, Answers
from progfix.heads.remaining import EDGES
from progfix.heads.spec import Attention, Convolution, Extra, HeadSpec
from progfix.solutions import apply, conflicts
from progfix.training.recipe import Recipe
from tests.heads.test_heads import WIDTH, head_of


def streaming_specs() -> list[HeadSpec]:
    """Every kind with what each streaming solution makes of it, and one normalised."""
    # Windows short enough that the frames of a test leave them.
    heads = [
        HeadSpec(),
        HeadSpec(kind="pooled"),
        HeadSpec(kind="transformer", attention=Attention(window=7)),
        HeadSpec(kind="tcn", convolution=Convolution((1, 4))),
    ]
    assert [head.kind for head in heads] == list(HEADS)
    specs = [
        apply(letters, Recipe(head=head)).head
        for head in heads
        for letters in ("", "f", "d", "h", "b", "bdf", "fgh")
        if not conflicts(letters, head)
    ]
    specs += [apply("fh", Recipe(head=replace(head, normalise=True))).head for head in heads]
    specs.append(HeadSpec(kind="pooled", extra=("position", "prefix-length", "elapsed")))
    assert all(spec.streams for spec in specs)
    return specs


def made(spec: HeadSpec, seed: int = 0) -> ProgressHead:
    """A head away from initialisation, its stored normalisation included."""
    head = head_of(spec, seed)
    if spec.normalise:
        head.fit_normalisation(torch.randn(WIDTH), torch.rand(WIDTH) + 0.5)
    return head


def walk(head: ProgressHead, frames: Tensor, state: State) -> tuple[list[OnlineAnswer], State]:
    answers = []
    for frame in frames.unbind(1):
        answer, state = head.step(frame, state)
        answers.append(answer)
    return answers, state


def assert_same(read: Answers, answers: list[OnlineAnswer], tolerance: float) -> None:
    for name in LEVELS:
        batch = getattr(read, name)
        steps = [getattr(answer, name) for answer in answers]
        if batch is None:
            assert steps == [None] * len(steps)
        else:
            torch.testing.assert_close(torch.stack(steps, 1), batch, atol=tolerance, rtol=0)


@pytest.mark.parametrize("spec", streaming_specs(), ids=str)
@given(frames=st.integers(1, 90), seed=st.integers(0, 1000))
@settings(max_examples=3, deadline=None)
@torch.no_grad()
def test_steps_equal_the_batch_pass(spec: HeadSpec, frames: int, seed: int) -> None:
    head = made(spec, seed)
    segments = torch.randn(2, frames, WIDTH)
    lengths = torch.tensor([frames, frames])
    answers, _ = walk(head, segments, head.initial_state(2))
    assert_same(head.read(segments, lengths), answers, 1e-6)
    head = head.double()
    answers, _ = walk(head, segments.double(), head.initial_state(2))
    assert_same(head.read(segments.double(), lengths), answers, 1e-10)


@pytest.mark.parametrize("spec", streaming_specs(), ids=str)
@torch.no_grad()
def test_the_state_can_be_stored_and_gone_on_from(spec: HeadSpec) -> None:
    head, segment = made(spec), torch.randn(1, 12, WIDTH)
    _, state = walk(head, segment[:, :7], head.initial_state())
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    again = torch.load(file, weights_only=True)
    assert all(torch.equal(one, two) for one, two in zip(state, again, strict=True))
    first, _ = walk(head, segment[:, 7:], state)
    second, _ = walk(head, segment[:, 7:], again)  # the first walk has not changed the state
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one.progress, two.progress)


@pytest.mark.parametrize("spec", streaming_specs(), ids=str)
@torch.no_grad()
def test_the_state_does_not_grow(spec: HeadSpec) -> None:
    head = made(spec)
    start = head.initial_state(3)
    _, end = walk(head, torch.randn(3, 30, WIDTH), start)
    assert [(t.shape, t.dtype) for t in end] == [(t.shape, t.dtype) for t in start]
    assert all(len(tensor) == 3 for tensor in end)
    assert end[0].tolist() == [30, 30, 30]


@pytest.mark.parametrize("spec", streaming_specs(), ids=str)
@torch.no_grad()
def test_segments_of_a_state_are_rows_that_can_begin_anew(spec: HeadSpec) -> None:
    head, segments = made(spec), torch.randn(2, 20, WIDTH)
    _, state = walk(head, segments[:, :9], head.initial_state(2))
    for tensor, fresh in zip(state, head.initial_state(1), strict=True):
        tensor[1] = fresh[0]
    answers, _ = walk(head, segments[:, 9:], state)
    whole = head.read(segments, torch.tensor([20, 20])).progress[0, 9:]
    anew = head.read(segments[:, 9:], torch.tensor([11, 11])).progress[1]
    steps = torch.stack([answer.progress for answer in answers], 1)
    torch.testing.assert_close(steps, torch.stack([whole, anew]), atol=1e-6, rtol=0)


@torch.no_grad()
def test_how_long_is_left() -> None:
    head = made(HeadSpec(output="remaining"))
    # All mass on 8 frames left, a bin of one frame, against any prior of a few dozen nats.
    place = EDGES.tolist().index(8)
    last = head.fc[-1]
    assert isinstance(last, torch.nn.Linear)
    last.weight.zero_()
    last.bias.fill_(-1e4)
    last.bias[place] = 1e4
    answers, _ = walk(head, torch.randn(1, 4, WIDTH), head.initial_state())
    for elapsed, answer in enumerate(answers, start=1):
        assert answer.remaining is not None
        assert answer.expected_remaining is not None
        assert answer.remaining.item() == pytest.approx(8.0)
        assert answer.expected_remaining.item() == pytest.approx(8.0)
        assert answer.progress.item() == pytest.approx(elapsed / (elapsed - 1 + 8))


def test_a_step_keeps_no_graph() -> None:
    head = made(HeadSpec(initial_state="learned", output="increment"))
    answer, state = head.step(torch.randn(1, WIDTH, requires_grad=True), head.initial_state())
    assert not answer.progress.requires_grad
    assert not any(tensor.requires_grad for tensor in state)


@pytest.mark.parametrize("extra", ["position", "prefix-length"])
def test_a_head_that_does_not_stream_says_why(extra: Extra) -> None:
    assert_refuses(HeadSpec(extra=(extra,)), f"'{extra}' changes on every earlier frame")


def test_attention_over_the_whole_prefix_has_no_step() -> None:
    spec = HeadSpec(kind="transformer", attention=Attention(window=None))
    assert spec.streams
    assert_refuses(spec, "its attention goes back over the whole prefix")


def assert_refuses(spec: HeadSpec, reason: str) -> None:
    head = head_of(spec)
    assert reason in str(spec.why_no_step)
    for attempt in (head.initial_state, lambda: head.step(torch.zeros(1, WIDTH), ())):
        with pytest.raises(ValueError, match=reason):
            attempt()


@pytest.mark.parametrize("spec", streaming_specs(), ids=str)
def test_a_step_can_be_exported(spec: HeadSpec) -> None:
    head = made(spec)

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = head

        def forward(self, frame: Tensor, state: State) -> tuple[OnlineAnswer, State]:
            return self.head.step(frame, state)

    segment = torch.randn(1, 9, WIDTH)
    program = torch.export.export(Step(), (segment[:, 0], head.initial_state())).module()
    expected, _ = walk(head, segment, head.initial_state())
    state = head.initial_state()
    for frame, known in zip(segment.unbind(1), expected, strict=True):
        answer, state = program(frame, state)
        torch.testing.assert_close(answer.progress, known.progress, atol=1e-6, rtol=0)
