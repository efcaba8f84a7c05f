"""What holds for every loss, in both modes where the reference allows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from progfix.alignment import (
    METHODS,
    GTCCParams,
    LAVParams,
    TCCParams,
    VAVAParams,
    alignment_loss,
    gtcc,
    lav,
    pad_videos,
    tcc,
    vava,
)
from tests.alignment.inputs import backward, batch, walks

# To the last digit: where Sinkhorn stops depends on the order of rows and columns.
exact_vava = partial(vava, tolerance=1e-11, max_iterations=10_000)
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tcc": tcc,
    "gtcc": gtcc,
    "lav": lav,
    "vava": exact_vava,
}
each_loss = pytest.mark.parametrize("name", list(LOSSES))


@each_loss
@settings(max_examples=8, deadline=None)
@given(order=st.permutations([0, 1, 2]), seed=st.integers(0, 1000))
def test_the_order_of_videos_does_not_matter(name: str, order: list[int], seed: int) -> None:
    videos = walks(5, 9, 7, seed=seed)
    straight = LOSSES[name](*pad_videos(videos))
    shuffled = LOSSES[name](*pad_videos([videos[i] for i in order]))
    torch.testing.assert_close(straight, shuffled, rtol=1e-6, atol=1e-9)


@each_loss
@settings(max_examples=8, deadline=None)
@given(extra=st.integers(1, 9), seed=st.integers(0, 1000))
def test_padding_changes_nothing(name: str, extra: int, seed: int) -> None:
    embeddings, lengths = batch(5, 9, 7, seed=seed)
    filled = torch.full((3, 9 + extra, 4), torch.nan, dtype=torch.float64)
    for row, n in enumerate(lengths.tolist()):
        filled[row, :n] = embeddings[row, :n]
    embeddings.requires_grad_()
    filled.requires_grad_()
    value, same = LOSSES[name](embeddings, lengths), LOSSES[name](filled, lengths)
    torch.testing.assert_close(value, same, rtol=1e-9, atol=1e-12)
    backward(value)
    backward(same)
    assert embeddings.grad is not None
    assert filled.grad is not None
    torch.testing.assert_close(embeddings.grad, filled.grad[:, :9], rtol=1e-6, atol=1e-9)
    assert (filled.grad[:, 9:] == 0).all()


@each_loss
def test_a_batch_is_the_mean_over_its_pairs(name: str) -> None:
    videos = walks(6, 8, 5, 7)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    single = [LOSSES[name](*pad_videos([videos[i], videos[j]])) for i, j in pairs]
    whole = LOSSES[name](*pad_videos(videos))
    torch.testing.assert_close(whole, torch.stack(single).mean(), rtol=1e-6, atol=1e-9)


@each_loss
def test_only_differences_matter(name: str) -> None:
    # A power of two and steps of 1/64, so that float32 holds the moved frames exactly.
    embeddings, lengths = batch(6, 6)
    embeddings = ((embeddings * 64).round() / 64).float()
    generator = torch.Generator()
    still = alignment_loss(name, embeddings, lengths, generator=generator.manual_seed(0))
    moved = alignment_loss(name, embeddings + 8192, lengths, generator=generator.manual_seed(0))
    torch.testing.assert_close(moved, still, rtol=1e-3, atol=1e-5)


def extremes() -> dict[str, tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(3, 40, 8, generator=generator)
    return {
        "zeros": (torch.zeros(3, 40, 8), torch.tensor([40, 1, 17])),
        "constant": (torch.full((3, 40, 8), 1e4), torch.tensor([40, 1, 17])),
        "large": (noise * 1e4, torch.tensor([40, 1, 17])),
        "far apart": (
            noise + 1e4 * torch.tensor([-1.0, 0, 1])[:, None, None],
            torch.full((3,), 40),
        ),
        "tiny": (noise * 1e-6, torch.tensor([40, 1, 17])),
        "single frames": (noise[:, :1] * 1e4, torch.ones(3, dtype=torch.long)),
        "two frames": (noise[:, :2], torch.full((3,), 2)),
        "one video": (noise[:1] * 1e4, torch.tensor([40])),
        "one frame alone": (noise[:1, :1], torch.tensor([1])),
        "identical": (noise[:1].expand(3, -1, -1).clone(), torch.full((3,), 40)),
    }


@each_loss
@pytest.mark.parametrize("case", list(extremes()))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_are_finite(name: str, case: str, dtype: torch.dtype) -> None:
    embeddings, lengths = extremes()[case]
    embeddings = embeddings.to(dtype).requires_grad_()
    size, _, dims = embeddings.shape
    drop = torch.randn(size, dims + 1, requires_grad=True)
    value = alignment_loss(name, embeddings, lengths, drop=drop)
    backward(value)
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert embeddings.grad is not None
    assert embeddings.grad.dtype == dtype
    assert embeddings.grad.isfinite().all()
    assert drop.grad is None or drop.grad.isfinite().all()
    assert (drop.grad is not None) == METHODS[name].uses_drop


@each_loss
def test_two_thousand_frames(name: str) -> None:
    embeddings = torch.randn(2, 2000, 16).cumsum(1).requires_grad_()
    value = alignment_loss(name, embeddings, torch.tensor([2000, 1]))
    backward(value)
    assert value.isfinite()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


@each_loss
def test_autocast_does_not_coarsen_it(name: str) -> None:
    embeddings, lengths = batch(8, 6)
    generator = torch.Generator()
    plain = alignment_loss(name, embeddings.float(), lengths, generator=generator.manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = alignment_loss(
            name, embeddings.float(), lengths, generator=generator.manual_seed(0)
        )
    assert torch.equal(plain, mixed)


@each_loss
def test_descent_lowers_it(name: str) -> None:
    embeddings, lengths = batch(12, 9, seed=3)
    embeddings.requires_grad_()
    before = LOSSES[name](embeddings, lengths)
    backward(before)
    assert embeddings.grad is not None
    with torch.no_grad():
        step = 1e-4 * embeddings.grad / embeddings.grad.norm()
        assert LOSSES[name](embeddings - step, lengths) < before


def test_one_video_without_intra_term_gives_a_zero_with_gradient() -> None:
    for name in ("tcc", "gtcc"):
        embeddings, lengths = batch(6)
        value = LOSSES[name](embeddings.requires_grad_(), lengths)
        backward(value)
        assert value.item() == 0
        assert embeddings.grad is not None
        assert (embeddings.grad == 0).all()


def test_the_table_matches_the_functions() -> None:
    embeddings, lengths = batch(8, 6)
    assert list(METHODS) == ["tcc", "gtcc", "lav", "vava"]
    assert alignment_loss("tcc", embeddings, lengths) == tcc(embeddings, lengths)
    assert alignment_loss("lav", embeddings, lengths) == lav(embeddings, lengths)
    assert alignment_loss("vava", embeddings, lengths, step=99) == vava(
        embeddings, lengths, phi=0.999**10
    )
    params = TCCParams(temperature=0.7)
    assert alignment_loss("tcc", embeddings, lengths, params=params) == tcc(
        embeddings, lengths, temperature=0.7
    )


def test_gtcc_takes_its_schedule_and_generator() -> None:
    embeddings, lengths = batch(30, 25)
    drop = torch.randn(2, 5, dtype=torch.float64)
    params = GTCCParams(max_rows=4, drop_decay=0.5)

    def value(seed: int, epoch: int) -> float:
        generator = torch.Generator().manual_seed(seed)
        return alignment_loss(
            "gtcc", embeddings, lengths, params=params, drop=drop, generator=generator, epoch=epoch
        ).item()

    assert value(1, 0) == value(1, 0)
    assert value(1, 0) != value(2, 0)
    assert value(1, 0) != value(1, 3)
    off = GTCCParams(max_rows=None, drop_decay=1.0)
    with_drop, without = (
        alignment_loss(
            "gtcc",
            embeddings,
            lengths,
            params=off,
            drop=d,
            generator=torch.Generator().manual_seed(0),
        )
        for d in (drop, None)
    )
    assert with_drop == without


@each_loss
def test_the_reference_mode_answers(name: str) -> None:
    embeddings, lengths = batch(9, 8, dims=4)
    embeddings = embeddings.float().requires_grad_()
    drop = torch.randn(2, 5, requires_grad=True)
    params = GTCCParams(n_components=2) if name == "gtcc" else None
    value = alignment_loss(name, embeddings, lengths, params=params, drop=drop, mode="gtcc")
    backward(value)
    assert embeddings.grad is not None
    assert value.isfinite()
    assert value != alignment_loss(name, embeddings, lengths, drop=drop)


def test_refuses_what_does_not_fit() -> None:
    embeddings, lengths = batch(3, 3)
    with pytest.raises(ValueError, match="a method among tcc, gtcc, lav, vava, found 'dtw'"):
        alignment_loss("dtw", embeddings, lengths)
    with pytest.raises(ValueError, match="LAVParams for lav, found VAVAParams"):
        alignment_loss("lav", embeddings, lengths, params=VAVAParams())
    with pytest.raises(ValueError, match="a mode among"):
        alignment_loss("lav", embeddings, lengths, params=LAVParams(), mode="old")  # type: ignore[arg-type]


@each_loss
def test_refuses_inputs_that_do_not_fit(name: str) -> None:
    embeddings, lengths = batch(3, 3)
    for wrong, other, message in (
        (embeddings[0], lengths, "shape"),
        (embeddings.long(), lengths, "floating-point"),
        (embeddings, lengths[:1], "one length per video"),
        (embeddings, lengths.float(), "integer lengths"),
        (embeddings, torch.tensor([0, 3]), r"1 \.\. 3"),
        (embeddings, torch.tensor([1, 4]), r"found 1 \.\. 4"),
    ):
        with pytest.raises(ValueError, match=message):
            LOSSES[name](wrong, other)


def test_pad_videos_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="at least one video"):
        pad_videos([])
