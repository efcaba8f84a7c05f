"""The users' checkpoints against what their own code answered."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix.checkpoints import Checkpoint, open_checkpoint
from progfix.encoders import Encoder, MultiprongEncoder, NaiveEncoder, ResnetEncoder
from progfix.encoders import StackingEncoder as Stacking
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from progfix.training.recipe import SEED_RECIPE
from tests.checkpoints.made import (
    AB,
    BASELINE,
    FIXTURES,
    H0,
    NAMES,
    head_of,
    payload_of,
    save,
    small_encoder,
)

SPECS = {
    "gtcc_ab": AB,
    "gtcc_ab_ddp": AB,
    "gtcc_ab_wide": AB,
    "gtcc_baseline": BASELINE,
    "gtcc_baseline_wide": BASELINE,
    "gtcc_frame_count": HeadSpec(extra=("prefix-length",), last_bias=-2.0),
    "gtcc_frozen_head": BASELINE,
    "gtcc_trained_head": BASELINE,
}


def outputs(checkpoint: Checkpoint, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings of a video, and the progress of the whole of it as one segment."""
    with torch.no_grad():
        embeddings = checkpoint.model.embed(features)
        progress = checkpoint.model.head(embeddings[None], torch.tensor([len(features)]))[0]
    return embeddings, progress


def test_embeddings_and_predictions_are_those_of_their_code(gtcc_path: Path) -> None:
    checkpoint = open_checkpoint(gtcc_path)
    expected = np.load(FIXTURES / f"{gtcc_path.stem}_expected.npz")
    predictions = []
    with torch.no_grad():
        embeddings = [
            checkpoint.model.embed(torch.from_numpy(expected[f"features_{i}"])) for i in range(3)
        ]
        for video, start, end in expected["segments"]:
            segment = embeddings[video][start : end + 1]
            answer = checkpoint.model.head(segment[None], torch.tensor([len(segment)]))
            predictions.append(answer[0].numpy())
    for video in range(3):
        wanted = expected[f"embeddings_{video}"]
        np.testing.assert_allclose(embeddings[video].numpy(), wanted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        np.concatenate(predictions), expected["predictions"], rtol=0, atol=1e-5
    )


def test_what_the_file_says_of_itself(gtcc_path: Path) -> None:
    checkpoint = open_checkpoint(gtcc_path)
    spec = SPECS[gtcc_path.stem]
    assert checkpoint.kind == "gtcc"
    assert checkpoint.path == gtcc_path
    assert checkpoint.epoch == 49
    assert checkpoint.model.head.spec == spec
    assert not checkpoint.model.training
    assert {p.dtype for p in checkpoint.model.parameters()} == {torch.float32}
    assert checkpoint.durations is None
    assert checkpoint.data is None
    assert checkpoint.recipe is not None
    assert checkpoint.recipe.head == spec
    assert checkpoint.recipe.solution == ("ab" if spec is AB else "")
    sampling = checkpoint.recipe.sampling
    drawn = (sampling.samples_per_video, sampling.frames_per_segment)
    if spec is AB:
        assert drawn == (10, 5)
    elif spec is BASELINE:
        assert sampling == SEED_RECIPE.sampling
    else:
        assert drawn == (20, 5)
    prefixed = ("names carried the prefix 'module.'",)
    assert checkpoint.notes == (prefixed if gtcc_path.stem == "gtcc_ab_ddp" else ())


@pytest.mark.skipif(not NAMES, reason="no checkpoints of the GTCC code base")
def test_the_second_moments_tell_a_frozen_head_from_a_trained_one() -> None:
    frozen = open_checkpoint(FIXTURES / "gtcc_frozen_head.pt").moments
    trained = open_checkpoint(FIXTURES / "gtcc_trained_head.pt").moments
    assert frozen is not None
    assert trained is not None
    names = {name for name in frozen if name.startswith("head.")}
    assert names == {f"head.{name}" for name in head_of(BASELINE).state_dict()}
    assert len(frozen) == len(trained) == 45
    assert max(frozen[name].rms for name in names) < 2.4e-12
    assert min(frozen[name].max for name in set(frozen) - names) >= 5e-9
    assert min(trained[name].rms for name in names) >= 3e-5
    assert {moments.step for moments in frozen.values()} == {60}
    assert open_checkpoint(FIXTURES / "gtcc_baseline.pt").moments is None


@pytest.mark.parametrize("whole", [True, False])
def test_moments_of_an_optimiser_of_the_head_alone(tmp_path: Path, whole: bool) -> None:
    encoder, head = small_encoder(), head_of(AB)
    trained = [*encoder.parameters(), *head.parameters()] if whole else [*head.parameters()]
    optimiser = torch.optim.Adam(trained)
    head(encoder(torch.randn(9, 5))[None], torch.tensor([9])).sum().backward()
    optimiser.step()
    payload = payload_of(encoder, head, {})
    payload["optimizer_state_dict"] = optimiser.state_dict()
    moments = open_checkpoint(save(payload, tmp_path / "x.pt")).moments
    assert moments is not None
    named = {f"head.{name}": p for name, p in head.named_parameters()}
    if whole:
        named = {f"encoder.{name}": p for name, p in encoder.named_parameters()} | named
    assert list(moments) == list(named)
    for name, parameter in named.items():
        assert parameter.grad is not None
        # After one step the bias-corrected second moment is the squared gradient itself.
        assert moments[name].max == pytest.approx(float(parameter.grad.abs().max()), rel=1e-5)


ENCODERS: dict[str, tuple[Encoder, tuple[int, ...]]] = {
    "stacking": (small_encoder(), (5,)),
    "gtcc": (small_encoder(drop=(5, 4)), (5,)),
    "resnet": (
        MultiprongEncoder(
            base=ResnetEncoder(channels=2, widths=(6, 6, 8)), heads=2, attention=(4,)
        ),
        (2, 14, 14),
    ),
    "naive": (
        MultiprongEncoder(base=NaiveEncoder(input_size=5, widths=(7, 8)), heads=2, attention=(4,)),
        (5,),
    ),
    "bare-stacking": (Stacking(input_size=5, widths=(16, 8), drop=(9,)), (5,)),
    "bare-resnet": (ResnetEncoder(channels=2, widths=(6, 8), drop=(5, 4)), (2, 14, 14)),
    "bare-naive": (NaiveEncoder(input_size=5, widths=(7, 8), drop=(3,)), (5,)),
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_every_encoder_comes_back(tmp_path: Path, name: str, prefix: str) -> None:
    encoder, shape = ENCODERS[name]
    head = head_of(AB)
    path = save(payload_of(encoder, head, {}, prefix=prefix), tmp_path / "x.pt")
    checkpoint = open_checkpoint(path)
    rebuilt = checkpoint.model.encoder
    assert type(rebuilt) is type(encoder)
    assert isinstance(rebuilt, Encoder)
    assert rebuilt.input_shape == shape
    assert (rebuilt.output_size, rebuilt.causal) == (8, encoder.causal)
    assert list(rebuilt.state_dict()) == list(encoder.state_dict())
    features = torch.randn(9, *shape)
    with torch.no_grad():
        wanted = encoder.eval()(features)
        torch.testing.assert_close(rebuilt(features), wanted, rtol=0, atol=0)
        answer = head(wanted[None], torch.tensor([9]))[0]
    torch.testing.assert_close(outputs(checkpoint, features)[1], answer, rtol=0, atol=0)


def test_drop_networks_keep_their_activations() -> None:
    bare = ENCODERS["bare-resnet"][0].dropout
    multi = ENCODERS["gtcc"][0].dropout
    assert bare is not None
    assert multi is not None
    assert [type(layer).__name__ for layer in bare] == ["Linear", "Tanh"] * 2 + ["Linear"]
    assert [type(layer).__name__ for layer in multi] == ["Linear", "ReLU"] * 2 + ["Linear"]
    assert bare[-1].out_features == 9


def test_the_depth_of_a_resnet_comes_from_the_configuration(tmp_path: Path) -> None:
    payload = payload_of(ENCODERS["bare-resnet"][0], head_of(BASELINE), {})
    checkpoint = open_checkpoint(save(payload, tmp_path / "x.pt"))
    assert checkpoint.notes == ("temporal_depth is not stored; taken as 2",)
    payload["config"]["BASEARCH"] = {"Resnet50_ARCH": {"temporal_depth": 3}}
    checkpoint = open_checkpoint(save(payload, tmp_path / "x.pt"))
    assert checkpoint.notes == ()
    assert isinstance(checkpoint.model.encoder, ResnetEncoder)
    assert checkpoint.model.encoder.temporal_depth == 3
    payload["config"]["BASEARCH"] = {"Resnet50_ARCH": {"temporal_depth": "two"}}
    with pytest.raises(InputError, match="temporal_depth: expected a number of frames"):
        open_checkpoint(save(payload, tmp_path / "x.pt"))


def test_a_head_on_raw_features_leaves_the_encoder_out(tmp_path: Path) -> None:
    encoder, head = small_encoder(), head_of(AB, width=2048)
    for learnable in ({"features": "raw"}, {}):
        path = save(payload_of(encoder, head, dict(learnable)), tmp_path / "x.pt")
        checkpoint = open_checkpoint(path)
        assert checkpoint.model.encoder is None
        assert checkpoint.model.head.width == 2048
        assert "reads the features themselves" in checkpoint.notes[-1]


def test_other_number_formats_are_read_as_float32(tmp_path: Path) -> None:
    payload = payload_of(small_encoder(), head_of(BASELINE), {})
    state = payload["model_state_dict"]
    payload["model_state_dict"] = OrderedDict((n, t.bfloat16()) for n, t in state.items())
    checkpoint = open_checkpoint(save(payload, tmp_path / "x.pt"))
    assert checkpoint.notes == ("bfloat16 weights were taken as float32",)
    assert {p.dtype for p in checkpoint.model.parameters()} == {torch.float32}


def test_no_progress_head(tmp_path: Path) -> None:
    path = save(payload_of(small_encoder(), None), tmp_path / "epoch-0.pt")
    with pytest.raises(InputError, match=r"no weights named progress_head\.\*"):
        open_checkpoint(path)
    checkpoint = open_checkpoint(path, new_head=H0)
    assert checkpoint.model.head.spec == H0
    assert checkpoint.model.head.width == 8
    assert "a new one was put on its encoder" in checkpoint.notes[-1]
    assert "untrained model" in checkpoint.notes[0]
    assert checkpoint.recipe is None
