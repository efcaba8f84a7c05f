"""The users' transformer and dilated-convolution heads: their answers, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.errors import InputError
from progfix.heads.spec import Attention, Convolution, HeadSpec
from progfix.predict import predict_segments
from tests.checkpoints.made import BASELINE, head_of, payload_of, save, small_encoder
from tests.checkpoints.their_layers import Dilated, Head, Transformer

H = TypeVar("H", bound=Head)
WIDTH = 8
DILATIONS = (1, 2, 4, 8, 16, 32)


def transformer(count_max: float | None) -> Transformer:
    return away(Transformer(WIDTH, count_max, hidden=64, layers=2, feedforward=128))


def dilated(count_max: float | None, dilations: tuple[int, ...] = DILATIONS) -> Dilated:
    return away(Dilated(WIDTH, count_max, hidden=64, kernel=3, dilations=dilations))


def away(head: H) -> H:
    """The head in evaluation mode, weights and stored statistics off their initial values."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, tensor in head.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.2, 3.0)
            elif not name.endswith(("alibi_slopes", "num_batches_tracked")):
                tensor.add_(0.1 * torch.randn_like(tensor))
    return head.eval()


def config(architecture: str, count_max: float | None, **more: object) -> dict[str, object]:
    counted = {"use_frame_count": count_max is not None, "frame_count_max": count_max or 300.0}
    return {"architecture": architecture, "features": "aligned", **counted, **more}


def written(head: Head, learnable: dict[str, object] | None, path: Path) -> Path:
    payload = payload_of(small_encoder(), None, learnable)
    for name, tensor in head.state_dict().items():
        payload["model_state_dict"][f"progress_head.{name}"] = tensor
    return save(payload, path / "best_model.pt")


SMALL = {"d_model": 64, "num_heads": 4, "num_layers": 2, "ffn_dim": 128, "dropout": 0.1}
CASES: list[tuple[Head, dict[str, object]]] = [
    (transformer(None), config("transformer", None, transformer_config=SMALL)),
    (transformer(500.0), config("transformer", 500.0)),
    (transformer(300.0), {"architecture": "transformer"}),
    (transformer(None), {"architecture": "transformer", "use_position_encoding": True}),
    (transformer(300.0), {}),
    (dilated(None), config("dilated_conv", None)),
    (dilated(500.0), config("dilated_conv", 500.0, dilated_conv_config={"kernel_size": 3})),
    (
        dilated(300.0, (3, 1)),
        {"architecture": "dilated_conv", "dilated_conv_config": {"dilations": [3, 1]}},
    ),
]


@pytest.mark.parametrize(("head", "learnable"), CASES)
@torch.no_grad()
def test_their_answers_at_every_prefix(
    head: Head, learnable: dict[str, object], tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(written(head, learnable, tmp_path))
    # Beyond the 64 frames between the outer taps of the last block.
    longest = 70 if isinstance(head, Dilated) else 20
    segments = [torch.randn(frames, WIDTH) for frames in (1, 2, longest)]
    answers = predict_segments(checkpoint.model.head, segments)
    for segment, answer in zip(segments, answers, strict=True):
        theirs = [float(head(segment[:frames])) for frames in range(1, len(segment) + 1)]
        np.testing.assert_allclose(answer.progress, theirs, rtol=0, atol=1e-6)
        assert np.ptp(theirs) > 0 or len(theirs) == 1
    spec = checkpoint.model.head.spec
    assert spec.extra == (() if head.count_max is None else ("prefix-length",))
    assert spec.streams == (head.count_max is None)
    assert spec.skip_first


def test_what_the_weights_show(tmp_path: Path) -> None:
    theirs = away(Transformer(WIDTH, None, hidden=20, layers=3, feedforward=7))
    spec = open_checkpoint(written(theirs, config("transformer", None), tmp_path)).model.head.spec
    shape = Attention(layers=3, heads=4, feedforward=7, window=None)
    assert spec == HeadSpec(
        kind="transformer", hidden=20, last_bias=-2.0, attention=shape, skip_first=True
    )
    assert "whole prefix" in str(spec.why_no_step)
    other = config("dilated_conv", None, dilated_conv_config={"dilations": [2, 5]})
    spec = open_checkpoint(written(dilated(None, (2, 5)), other, tmp_path)).model.head.spec
    assert spec.convolution == Convolution((2, 5), kernel=3, norm="batch")
    assert spec.why_no_step is None


@torch.no_grad()
def test_a_dilated_head_of_theirs_goes_frame_by_frame(tmp_path: Path) -> None:
    theirs, segment = dilated(None), torch.randn(1, 70, WIDTH)
    head = open_checkpoint(written(theirs, config("dilated_conv", None), tmp_path)).model.head
    state = head.initial_state()
    for frame in range(70):
        answer, state = head.step(segment[:, frame], state)
        expected = float(theirs(segment[0, : frame + 1]))
        assert answer.progress.item() == pytest.approx(expected, abs=1e-6)


def refusal(head: Head, learnable: dict[str, object] | None, path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        open_checkpoint(written(head, learnable, path), **options)
    return str(caught.value)


def test_dilations_that_nothing_tells_are_not_guessed(tmp_path: Path) -> None:
    text = refusal(dilated(None), None, tmp_path)
    assert "dilated_conv_config.dilations: expected the dilation of every block" in text
    assert "found no configuration, and 6 blocks" in text
    text = refusal(dilated(None, (1, 2)), config("dilated_conv", None), tmp_path)
    assert "found (1, 2, 4, 8, 16, 32) for 2 blocks" in text
    for bad in ([1, "2"], [1, 0], [True, 2], "12", [1, 10**9]):
        named = config("dilated_conv", None, dilated_conv_config={"dilations": bad})
        assert f"found {bad!r} for 2 blocks" in refusal(dilated(None, (1, 2)), named, tmp_path)


@pytest.mark.parametrize(
    ("head", "learnable", "words"),
    [
        (transformer(None), config("transformer", 300.0), "a transformer input of 9 columns"),
        (transformer(300.0), config("transformer", None), "a transformer input of 8 columns"),
        (transformer(None), config("gru", None), "a head as configured (gru)"),
        (transformer(None), config("dilated_conv", None), "a head as configured (dilated_conv)"),
        (dilated(None), config("transformer", None), "a head as configured (transformer)"),
        (
            away(Transformer(WIDTH + 2, None, hidden=8, layers=1, feedforward=4)),
            {"architecture": "transformer"},
            "expected a transformer input of 8 or 9 columns, found 10",
        ),
    ],
)
def test_weights_and_configuration_that_contradict_each_other(
    head: Head, learnable: dict[str, object], words: str, tmp_path: Path
) -> None:
    assert words in refusal(head, learnable, tmp_path)


def test_the_user_settles_a_doubt(tmp_path: Path) -> None:
    path = written(transformer(300.0), config("transformer", None), tmp_path)
    spec = open_checkpoint(path, head_spec="prefix-length").model.head.spec
    assert (spec.kind, spec.extra, spec.skip_first) == ("transformer", ("prefix-length",), True)
    assert "found transformer, asked gru" in refusal(
        transformer(None), config("transformer", 300.0), tmp_path, head_spec="gru"
    )


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("alibi_slopes", "progress_head.alibi_slopes and"),
        ("input_proj.0.weight", "expected progress_head.input_proj.0.weight"),
        ("layers.1.k_proj.bias", "progress_head.layers.1.k_proj.bias"),
    ],
)
def test_weights_that_are_missing(missing: str, words: str, tmp_path: Path) -> None:
    head = transformer(None)
    payload = payload_of(small_encoder(), None, config("transformer", None))
    for name, tensor in head.state_dict().items():
        if name != missing:
            payload["model_state_dict"][f"progress_head.{name}"] = tensor
    with pytest.raises(InputError) as caught:
        open_checkpoint(save(payload, tmp_path / "x.pt"))
    assert words in str(caught.value)


def test_slopes_that_do_not_fit_the_units(tmp_path: Path) -> None:
    head = away(Transformer(WIDTH, None, hidden=8, layers=1, feedforward=4))
    head.register_buffer("alibi_slopes", torch.tensor([1.0, 0.5, 0.25]))
    text = refusal(head, config("transformer", None), tmp_path)
    assert "one slope per attention head, found 3 slopes for 8 units" in text


@pytest.mark.parametrize("head", [transformer(None), dilated(None)])
def test_moments_belong_to_parameters_not_to_stored_statistics(head: Head, tmp_path: Path) -> None:
    encoder = small_encoder()
    optimiser = torch.optim.Adam([*encoder.parameters(), *head.parameters()])
    for parameter in [*encoder.parameters(), *head.parameters()]:
        parameter.grad = torch.full_like(parameter, 0.5)
    last = head.output_mlp[2].bias
    assert isinstance(last, nn.Parameter)
    last.grad = torch.full_like(last, 0.125)
    weights: dict[str, Tensor] = {name: t.clone() for name, t in head.state_dict().items()}
    optimiser.step()
    head.load_state_dict(weights)
    kind = "transformer" if isinstance(head, Transformer) else "dilated_conv"
    payload = payload_of(encoder, None, config(kind, None))
    for name, tensor in weights.items():
        payload["model_state_dict"][f"progress_head.{name}"] = tensor
    payload["optimizer_state_dict"] = optimiser.state_dict()
    checkpoint = open_checkpoint(save(payload, tmp_path / "x.pt"))
    assert checkpoint.moments is not None
    assert set(checkpoint.moments) == {
        f"{part}.{name}"
        for part in ("encoder", "head")
        for name, _ in getattr(checkpoint.model, part).named_parameters()
    }
    assert checkpoint.moments["head.fc.2.bias"].max == pytest.approx(0.125)
    assert checkpoint.moments["head.fc.2.weight"].max == pytest.approx(0.5)


def test_a_gru_is_written_in_the_place_of_their_transformer(tmp_path: Path) -> None:
    path = written(transformer(300.0), config("transformer", 300.0), tmp_path)
    head = head_of(BASELINE, WIDTH)
    write_gtcc(open_checkpoint(path), head.state_dict(), BASELINE, tmp_path / "y.pt")
    again = open_checkpoint(tmp_path / "y.pt").model.head
    assert (again.spec.kind, again.spec.extra) == ("gru", ())
    torch.testing.assert_close(again.state_dict()["fc.0.weight"], head.state_dict()["fc.0.weight"])
