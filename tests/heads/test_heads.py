"""Heads: one pass equals the naive prefix loop, inputs are what they say."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.heads.inputs import extra_columns
from progfix.heads.prefixes import every_prefix
from progfix.heads.remaining import EDGES, log_prior
from progfix.heads.spec import Attention, Convolution, Extra, HeadSpec
from progfix.predict import predict_segments
from progfix.solutions import SOLUTIONS, apply, conflicts
from progfix.training.recipe import SEED_RECIPE

WIDTH = 6
SMALL = Attention(layers=1, heads=2, feedforward=7, window=3)


def head_of(spec: HeadSpec, seed: int = 0) -> ProgressHead:
    """A head whose every parameter, h0 included, is away from its initial value."""
    torch.manual_seed(seed)
    head = build_head(spec, WIDTH).eval()
    with torch.no_grad():
        for parameter in head.parameters():
            # Larger steps make answers that float32 cannot hold to 1e-6: layers that blow
            # differences up, distributions with gaps for the median to jump over.
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head


def median_progress(head: ProgressHead, raw: Tensor, elapsed: int) -> float:
    """The median of elapsed / (elapsed - 1 + remaining), bin by bin in Python floats."""
    prior = log_prior(head.prior, torch.tensor([elapsed]))[0]
    logits = [a + b for a, b in zip(raw.tolist(), prior.tolist(), strict=True)]
    top = max(logits)
    masses = [math.exp(value - top) for value in logits]
    edges = [*EDGES.tolist(), round(int(EDGES[-1]) * 1.12)]
    below = 0.0
    for mass, first, following in zip(masses, edges, edges[1:], strict=True):
        if below + mass >= sum(masses) / 2:
            inside = (sum(masses) / 2 - below) / mass
            remaining: float = first + (following - first - 1) * inside
            return elapsed / (elapsed - 1 + remaining)
        below += mass
    raise AssertionError("the masses do not add up")


def naive(head: ProgressHead, segment: Tensor) -> list[float]:
    """Each prefix on its own, in a Python loop, as the fork evaluates."""
    total, answers = 0.0, []
    for frames in range(1, len(segment) + 1):
        raw = head.raw_last(segment[None, :frames], torch.tensor([frames]))
        if head.spec.output == "remaining":
            answers.append(median_progress(head, raw[0], frames))
            continue
        value = 1.0 / (1.0 + math.exp(-raw[0, 0].item()))
        if head.spec.output == "increment":
            total += value
            value = min(max(total, 0.0), 1.0)
        answers.append(value)
    return answers


def all_specs() -> list[HeadSpec]:
    extras: list[tuple[Extra, ...]] = [
        (),
        ("position",),
        ("prefix-length",),
        ("elapsed",),
        ("position", "prefix-length", "elapsed"),
    ]
    specs = [HeadSpec(extra=e) for e in extras]
    specs += [HeadSpec(extra=e, initial_state="learned") for e in extras]
    specs += [HeadSpec(kind="pooled", extra=e) for e in extras]
    specs += [
        HeadSpec(extra=("elapsed",), output="increment", last_bias=-4.0),
        HeadSpec(kind="pooled", output="increment", last_bias=-4.0),
        HeadSpec(output="remaining"),
        HeadSpec(extra=("position",), initial_state="learned", output="remaining"),
        HeadSpec(kind="pooled", extra=("elapsed",), output="remaining"),
        HeadSpec(kind="transformer"),
        HeadSpec(kind="transformer", extra=("elapsed",), attention=Attention(window=5)),
        HeadSpec(kind="transformer", attention=SMALL, output="remaining"),
        HeadSpec(kind="transformer", extra=("position",), attention=SMALL),
        HeadSpec(kind="transformer", attention=Attention(window=None), skip_first=True),
        HeadSpec(kind="tcn", output="increment", last_bias=-4.0),
        HeadSpec(kind="tcn", extra=("elapsed",), convolution=Convolution((3, 1), 2)),
        HeadSpec(kind="tcn", extra=("prefix-length",), skip_first=True),
        HeadSpec(kind="tcn", convolution=Convolution(norm="batch"), output="remaining"),
    ]
    return specs


@pytest.mark.parametrize("spec", all_specs(), ids=str)
@torch.no_grad()
def test_one_pass_equals_the_prefix_loop(spec: HeadSpec) -> None:
    head = head_of(spec)
    segments = [torch.randn(n, WIDTH) for n in (1, 2, 17, 40, 3)]
    for segment, answer in zip(segments, predict_segments(head, segments), strict=True):
        np.testing.assert_allclose(answer.progress, naive(head, segment), atol=1e-6)


@pytest.mark.parametrize("spec", all_specs(), ids=str)
def test_the_pass_with_gradients_gives_the_same_answers(spec: HeadSpec) -> None:
    head = head_of(spec)
    batch, lengths = torch.randn(3, 12, WIDTH), torch.tensor([12, 1, 7])
    answers = head(batch, lengths)
    answers.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    for row, frames in enumerate(lengths.tolist()):
        np.testing.assert_allclose(
            answers[row, :frames].detach(), naive(head, batch[row, :frames]), atol=1e-6
        )
        assert (answers[row, frames:] == 0).all()


def solution_sets() -> list[str]:
    letters = "".join(SOLUTIONS)
    subsets = ["".join(s) for s in product(*[("", letter) for letter in letters])]
    return [s for s in subsets if not conflicts(s, SEED_RECIPE.head)]


@torch.no_grad()
def test_every_combination_of_solutions_gives_a_head_that_equals_its_loop() -> None:
    sets = solution_sets()
    # c and s go in 3 of 4 ways and b, f, g, v freely: 3 x 16. Of a, d, e, h the pairs ad, dh, eh
    # are excluded: 8 of the 16 subsets are left (none, a, d, e, h, ae, ah, de).
    assert len(sets) == 3 * 16 * 8
    for spec in {apply(s).head for s in sets}:
        head, segment = head_of(spec), torch.randn(9, WIDTH)
        np.testing.assert_allclose(
            predict_segments(head, [segment])[0].progress, naive(head, segment), atol=1e-6
        )


def test_input_columns_by_hand() -> None:
    spec = HeadSpec(extra=("position", "prefix-length", "elapsed"), frame_count_max=7.0)
    columns = extra_columns(spec, 3, torch.tensor([3, 2]), torch.float64)
    # A prefix of 3: i/3 = 0, 1/3, 2/3; log 4 / log 8 = 2/3 on every frame;
    # log(i + 2)/log 8 = 1/3, log 3/log 8, 2/3.
    expected = [
        [0, 2 / 3, 1 / 3],
        [1 / 3, 2 / 3, math.log(3) / math.log(8)],
        [2 / 3, 2 / 3, 2 / 3],
    ]
    np.testing.assert_allclose(columns[0], expected, atol=1e-12)
    # A prefix of 2: i/2, log 3 / log 8.
    np.testing.assert_allclose(columns[1, :2, 0], [0, 0.5])
    np.testing.assert_allclose(columns[1, :2, 1], [math.log(3) / math.log(8)] * 2)


def test_only_columns_that_know_the_prefix_length_keep_a_gru_from_streaming() -> None:
    assert HeadSpec(extra=("elapsed",)).streams
    assert not HeadSpec(extra=("position",)).streams
    assert not HeadSpec(extra=("prefix-length", "elapsed")).streams
    assert HeadSpec(kind="pooled", extra=("position", "prefix-length")).streams


@torch.no_grad()
def test_a_streaming_head_does_not_look_ahead() -> None:
    head = head_of(HeadSpec(extra=("elapsed",), initial_state="learned"))
    segment = torch.randn(20, WIDTH)
    changed = segment.clone()
    changed[11:] = torch.randn(9, WIDTH)
    before, after = (a.progress for a in predict_segments(head, [segment, changed]))
    np.testing.assert_array_equal(before[:11], after[:11])
    assert np.abs(before[11:] - after[11:]).min() > 0


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    budget=st.integers(1, 200),
    position=st.booleans(),
)
@settings(max_examples=30, deadline=None)
@torch.no_grad()
def test_answers_do_not_depend_on_how_segments_are_batched(
    lengths: list[int], budget: int, position: bool
) -> None:
    head = head_of(HeadSpec(extra=("position",) if position else ("elapsed",)))
    torch.manual_seed(1)
    segments = [torch.randn(n, WIDTH) for n in lengths]
    together = predict_segments(head, segments)
    cut = predict_segments(head, segments, frames_per_batch=budget)
    backwards = predict_segments(head, segments[::-1])[::-1]
    for one, two, three in zip(together, cut, backwards, strict=True):
        np.testing.assert_allclose(one.progress, two.progress, atol=1e-6)
        np.testing.assert_allclose(one.progress, three.progress, atol=1e-6)


def test_prefix_chunks_change_neither_values_nor_gradients() -> None:
    head = head_of(HeadSpec(extra=("position",)))
    batch, lengths = torch.randn(2, 15, WIDTH), torch.tensor([15, 9])
    results = []
    for budget in (10_000, 40):
        inputs = batch.clone().requires_grad_()
        head.zero_grad()
        answer = every_prefix(head.raw_last, inputs, lengths, frames_at_once=budget)
        (answer**2).sum().backward()
        gradients = [p.grad.clone() for p in head.parameters() if p.grad is not None]
        results.append([answer.detach(), inputs.grad, *gradients])
    for whole, chunked in zip(*results, strict=True):
        torch.testing.assert_close(whole, chunked, atol=1e-5, rtol=1e-5)


def test_state_dict_names_are_those_of_the_gtcc_fork() -> None:
    gru = build_head(HeadSpec(extra=("position",), initial_state="learned"), 128)
    shapes = {name: tuple(value.shape) for name, value in gru.state_dict().items()}
    assert shapes == {
        "h0": (1, 1, 64),
        "gru.weight_ih_l0": (192, 129),
        "gru.weight_hh_l0": (192, 64),
        "gru.bias_ih_l0": (192,),
        "gru.bias_hh_l0": (192,),
        "fc.0.weight": (32, 64),
        "fc.0.bias": (32,),
        "fc.2.weight": (1, 32),
        "fc.2.bias": (1,),
    }
    pooled = build_head(HeadSpec(kind="pooled"), 128)
    assert [tuple(v.shape) for v in pooled.state_dict().values()] == [
        (64, 128), (64,), (32, 64), (32,), (1, 32), (1,),
    ]  # fmt: skip


def test_the_last_bias_can_be_set() -> None:
    head = build_head(HeadSpec(last_bias=-2.0), WIDTH)
    assert float(head.state_dict()["fc.2.bias"][0]) == -2.0
