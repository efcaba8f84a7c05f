"""Encoders as new models have them: causal, and rebuilt from weights and options."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from progfix.encoders import (
    Encoder,
    EncoderKind,
    MultiprongEncoder,
    NaiveEncoder,
    new_encoder,
    rebuild_encoder,
)
from progfix.encoders import StackingEncoder as Stacking
from tests.encoders.test_encoders import frames_that_matter, run


def made(kind: EncoderKind, *, mcn: bool) -> Encoder:
    torch.manual_seed(5)
    shape = (3, 4, 4) if kind == "resnet" else (6,)
    return new_encoder(kind, shape, size=8, heads=3 if mcn else None)


@pytest.mark.parametrize("mcn", [False, True])
@pytest.mark.parametrize("kind", ["stacking", "resnet", "naive"])
def test_new_encoders_do_not_see_what_comes_later(kind: EncoderKind, mcn: bool) -> None:
    encoder = made(kind, mcn=mcn)
    assert encoder.causal
    rng = np.random.default_rng(6)
    features = rng.normal(size=(40, *encoder.input_shape))
    changed = features.copy()
    changed[25:] = rng.normal(size=changed[25:].shape)
    before, after = run(encoder, features), run(encoder, changed)
    np.testing.assert_allclose(before[:25], after[:25], atol=1e-7)
    assert not np.allclose(before[26], after[26], atol=1e-7)
    np.testing.assert_allclose(before[:25], run(encoder, features[:25]), atol=1e-7)


def test_causal_stacking_sees_thirteen_frames_back() -> None:
    # One from the first kernel of two frames, two from each of the six of three.
    encoder = Stacking(input_size=6, widths=(16,) * 7, causal=True)
    assert frames_that_matter(encoder, 40, 20) == list(range(7, 21))


def test_causal_stacking_is_the_original_shifted() -> None:
    # The same weights, seven frames later: away from the ends nothing else changes.
    torch.manual_seed(7)
    ahead = Stacking(input_size=5, widths=(8, 4, 4))
    causal = Stacking(input_size=5, widths=(8, 4, 4), causal=True)
    causal.load_state_dict(ahead.state_dict())
    features = np.random.default_rng(7).normal(size=(30, 5))
    np.testing.assert_allclose(run(causal, features)[13:], run(ahead, features)[10:-3], atol=1e-6)


def test_attention_per_frame_is_a_loop_over_frames() -> None:
    torch.manual_seed(8)
    base = NaiveEncoder(input_size=5, widths=(4,))
    encoder = MultiprongEncoder(base=base, heads=3, hidden=(6,), attention=(7,), per_frame=True)
    features = np.random.default_rng(8).normal(size=(6, 5))
    embeddings = run(encoder, features)
    for t in range(6):
        # A single frame has nothing to view: both attentions agree on it.
        viewed = MultiprongEncoder(base=base, heads=3, hidden=(6,), attention=(7,))
        viewed.load_state_dict(encoder.state_dict())
        np.testing.assert_allclose(embeddings[t], run(viewed, features[t : t + 1])[0], atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [None, 2])
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("kind", ["stacking", "resnet", "naive"])
def test_weights_and_options_rebuild_a_new_encoder(
    kind: EncoderKind, drop: bool, heads: int | None, causal: bool
) -> None:
    torch.manual_seed(9)
    shape = (2, 3, 3) if kind == "resnet" else (6,)
    encoder = new_encoder(kind, shape, size=8, causal=causal, heads=heads, drop=drop)
    again = rebuild_encoder(encoder.state_dict(), encoder.options, where="here")
    assert (again.causal, again.options) == (encoder.causal, encoder.options)
    assert (again.input_shape, again.output_size) == (shape, 8)
    assert (again.dropout is None) == (not drop)
    features = np.random.default_rng(9).normal(size=(9, *shape))
    np.testing.assert_array_equal(run(again, features), run(encoder, features))


def test_new_encoders_have_the_widths_of_the_original() -> None:
    encoder = new_encoder("stacking", (64,), heads=3)
    table = {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
    assert table["base_model.convolutional_layers.0.weight"] == (256, 64, 2)
    assert table["base_model.convolutional_layers.12.weight"] == (128, 128, 3)
    assert table["head_models.2.fc_layers.0.weight"] == (512, 128)
    assert table["attention_layer.0.weight"] == (512, 384)
    assert table["attention_layer.8.weight"] == (3, 512)


@pytest.mark.parametrize(
    ("kind", "shape"), [("stacking", (2, 3, 3)), ("resnet", (6,)), ("resnet", (2, 3, 4))]
)
def test_features_that_do_not_fit_an_encoder(kind: EncoderKind, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected features that"):
        new_encoder(kind, shape)
