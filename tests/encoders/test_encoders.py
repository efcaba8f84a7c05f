"""Each encoder against slow float64 loops that follow the published description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import correlate

from progfix.encoders import Encoder, MultiprongEncoder, NaiveEncoder, ResnetEncoder
from progfix.encoders import StackingEncoder as Stacking

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
Array = NDArray[np.float64]


def weights(encoder: torch.nn.Module) -> dict[str, Array]:
    return {name: value.double().numpy() for name, value in encoder.state_dict().items()}


def run(encoder: Encoder, features: Array) -> Array:
    with torch.no_grad():
        embeddings: Array = encoder(torch.from_numpy(features).float()).double().numpy()
    return embeddings


def linear(values: Array, table: dict[str, Array], name: str) -> Array:
    return values @ table[f"{name}.weight"].T + table[f"{name}.bias"]


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def frames_that_matter(encoder: Encoder, length: int, frame: int) -> list[int]:
    """Frames whose features change the embedding of `frame`, shown by gradients."""
    features = torch.randn(length, *encoder.input_shape, requires_grad=True)
    encoder(features)[frame].sum().backward()
    assert features.grad is not None
    return torch.nonzero(features.grad.flatten(1).abs().sum(1))[:, 0].tolist()


def test_stacking_by_hand() -> None:
    # One channel, one kernel of two frames (10, 1): y[t] = 10 x[t] + x[t + 1], zero beyond.
    encoder = Stacking(input_size=1, widths=(1,), temporal_depth=2)
    encoder.load_state_dict({"convolutional_layers.0.weight": torch.tensor([[[10.0, 1.0]]])})
    assert run(encoder, np.array([[1.0], [2.0], [3.0]]))[:, 0].tolist() == [12.0, 23.0, 30.0]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_stacking_equals_a_loop(depth: int) -> None:
    torch.manual_seed(depth)
    encoder = Stacking(input_size=5, widths=(8, 4, 4), temporal_depth=depth)
    features = np.random.default_rng(depth).normal(size=(9, 5))
    signal = features
    for index in range(3):
        kernel = weights(encoder)[f"convolutional_layers.{2 * index}.weight"]
        size = kernel.shape[2]
        output = np.zeros((len(signal), kernel.shape[0]))
        for t in range(len(signal)):
            for k in range(size):
                source = t + k - (size - 1) // 2
                if 0 <= source < len(signal):
                    output[t] += kernel[:, :, k] @ signal[source]
        signal = relu(output) if index < 2 else output
    np.testing.assert_allclose(run(encoder, features), signal, atol=1e-6)


def test_stacking_sees_six_frames_back_and_seven_ahead() -> None:
    torch.manual_seed(0)
    encoder = Stacking(input_size=6, widths=(16,) * 7)
    assert frames_that_matter(encoder, 40, 20) == list(range(14, 28))
    assert not encoder.causal


def test_resnet_equals_a_loop() -> None:
    torch.manual_seed(1)
    encoder = ResnetEncoder(channels=2, frame_size=3, widths=(3, 4, 5))
    table = weights(encoder)
    features = np.random.default_rng(1).normal(size=(19, 2, 3, 3))
    padded = np.concatenate([np.zeros((2, 2, 3, 3)), features])
    for t, embedding in enumerate(run(encoder, features)):
        maps = padded[t : t + 2].transpose(1, 0, 2, 3)
        for layer in (0, 2):
            kernel = table[f"conv_embedding.{layer}.weight"]
            bias = table[f"conv_embedding.{layer}.bias"]
            convolved = [
                sum(correlate(m, k, mode="constant") for m, k in zip(maps, kernels, strict=True))
                for kernels in kernel
            ]
            maps = relu(np.stack(convolved) + bias[:, None, None, None])
        hidden = relu(linear(maps.max(axis=(1, 2, 3)), table, "linear_embedding.0"))
        expected = relu(linear(hidden, table, "linear_embedding.2"))
        np.testing.assert_allclose(embedding, expected, atol=1e-5)


@pytest.mark.parametrize(("depth", "seen"), [(1, [19]), (2, [18, 19]), (3, [17, 18, 19])])
def test_resnet_sees_only_the_frames_before(depth: int, seen: list[int]) -> None:
    torch.manual_seed(2)
    encoder = ResnetEncoder(channels=4, frame_size=4, temporal_depth=depth, widths=(16, 16))
    assert frames_that_matter(encoder, 40, 20) == seen
    assert encoder.causal


def test_resnet_embedding_of_the_first_frame_is_a_constant() -> None:
    torch.manual_seed(3)
    encoder = ResnetEncoder(channels=2, frame_size=3, widths=(8, 8))
    one, other = np.random.default_rng(3).normal(size=(2, 4, 2, 3, 3))
    np.testing.assert_array_equal(run(encoder, one)[0], run(encoder, other)[0])
    assert not np.array_equal(run(encoder, one)[1], run(encoder, other)[1])


def test_naive_treats_frames_by_themselves() -> None:
    torch.manual_seed(4)
    encoder = NaiveEncoder(input_size=5, widths=(7, 3))
    features = np.random.default_rng(4).normal(size=(6, 5))
    table = weights(encoder)
    expected = linear(relu(linear(features, table, "layers.0")), table, "layers.2")
    np.testing.assert_allclose(run(encoder, features), expected, atol=1e-6)
    assert encoder.causal
    assert encoder.output_size == 3


@pytest.mark.parametrize(("frames", "heads"), [(1, 3), (5, 3), (7, 2), (4, 6)])
def test_multiprong_attention_reads_the_view(frames: int, heads: int) -> None:
    torch.manual_seed(frames)
    base = NaiveEncoder(input_size=5, widths=(4,))
    encoder = MultiprongEncoder(base=base, heads=heads, hidden=(6,), attention=(8, 5))
    features = np.random.default_rng(frames).normal(size=(frames, 5))
    table = weights(encoder)
    shared = linear(features, table, "base_model.layers.0")
    outputs = []
    for head in range(heads):
        name = f"head_models.{head}.fc_layers"
        outputs.append(linear(relu(linear(shared, table, f"{name}.0")), table, f"{name}.2"))
    expected = np.zeros((frames, 4))
    for t in range(frames):
        places = [t * heads + k for k in range(heads)]
        row = np.concatenate([outputs[p // frames][p % frames] for p in places])
        for layer in (0, 2):
            row = np.tanh(linear(row, table, f"attention_layer.{layer}"))
        logits = linear(row, table, "attention_layer.4")
        share = np.exp(logits) / np.exp(logits).sum()
        expected[t] = sum(share[head] * outputs[head][t] for head in range(heads))
    np.testing.assert_allclose(run(encoder, features), expected, atol=1e-6)


def test_multiprong_is_never_causal() -> None:
    base = NaiveEncoder(input_size=5, widths=(4,))
    encoder = MultiprongEncoder(base=base, heads=2, attention=(8,))
    assert base.causal
    assert not encoder.causal
    assert max(frames_that_matter(encoder, 12, 4)) > 4


def test_embeddings_are_those_of_the_original(gtcc_name: str, gtcc_encoder: Encoder) -> None:
    expected = np.load(FIXTURES / f"{gtcc_name}_expected.npz")
    for video in range(3):
        embeddings = run(gtcc_encoder, expected[f"features_{video}"])
        np.testing.assert_allclose(embeddings, expected[f"embeddings_{video}"], atol=1e-5)
        scale = np.abs(expected[f"embeddings_{video}"]).max()
        np.testing.assert_allclose(embeddings, expected[f"embeddings_{video}"], atol=1e-4 * scale)


def test_cutting_a_video_changes_what_came_before(gtcc_encoder: Encoder) -> None:
    # The viewed attention depends on the length of the video.
    features = np.random.default_rng(0).normal(size=(57, 64))
    whole = run(gtcc_encoder, features)
    cut = run(gtcc_encoder, features[:50])
    far_from_the_cut = slice(0, 50 - 7)
    change = np.abs(whole[:50] - cut)[far_from_the_cut].max() / np.abs(whole).max()
    assert change > 0.001
