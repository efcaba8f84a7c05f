"""What a head may be, and how far back each kind sees."""

from __future__ import annotations

import pytest
import torch

from progfix.heads.build import build_head
from progfix.heads.spec import Attention, Convolution, HeadSpec
from tests.heads.test_heads import SMALL, WIDTH, head_of


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        *[
            (
                HeadSpec(kind=kind, initial_state="learned"),
                f"the {kind} head has no initial state to learn",
            )
            for kind in ("pooled", "transformer", "tcn")
        ],
        (HeadSpec(attention=SMALL), "the gru head has no attention"),
        (HeadSpec(kind="tcn", attention=SMALL), "the tcn head has no attention"),
        (HeadSpec(kind="transformer", convolution=Convolution()), "has no convolution"),
        (HeadSpec(kind="pooled", skip_first=True), "has no layers for a first frame to skip"),
        (
            HeadSpec(kind="transformer", attention=Attention(heads=3)),
            "3 attention heads do not divide 64 units",
        ),
    ],
)
def test_heads_that_cannot_be(spec: HeadSpec, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        build_head(spec, WIDTH)


def test_an_embedding_has_a_width() -> None:
    with pytest.raises(ValueError, match="width of at least 1"):
        build_head(HeadSpec(), 0)


@pytest.mark.parametrize(
    ("spec", "reach"),
    [
        # Each of two layers of a window of 5 looks 4 frames back.
        (HeadSpec(kind="transformer", attention=Attention(layers=2, window=5)), 8),
        # Taps 3 apart, two of them, then 1 apart: 3 + 1 frames back.
        (HeadSpec(kind="tcn", convolution=Convolution((3, 1), kernel=2)), 4),
        # (3 - 1) x (1 + 2 + 4 + 8 + 16 + 32) frames back.
        (HeadSpec(kind="tcn"), 126),
    ],
)
@torch.no_grad()
def test_how_far_back_a_frame_sees(spec: HeadSpec, reach: int) -> None:
    head = head_of(spec)
    segment = torch.randn(1, reach + 9, WIDTH)
    changed = segment.clone()
    changed[0, 3] += 5.0
    lengths = torch.tensor([reach + 9])
    differs = (head.raw_every(segment, lengths) != head.raw_every(changed, lengths))[0, :, 0]
    # Taps miss some of the frames between; the first and the last are seen for certain.
    places = differs.nonzero()[:, 0].tolist()
    assert (places[0], places[-1]) == (3, 3 + reach)


def test_biases_of_attention_by_hand() -> None:
    head = build_head(HeadSpec(kind="transformer", attention=Attention(heads=4)), WIDTH)
    # 2^(-8 i / 4) for i = 1 .. 4, as Press et al. have them for powers of two.
    slopes = dict(head.named_buffers())["alibi_slopes"].tolist()
    assert slopes == [1 / 4, 1 / 16, 1 / 64, 1 / 256]
