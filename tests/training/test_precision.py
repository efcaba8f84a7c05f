"""bfloat16 and float64, and an encoder that torch translates."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix import runs
from progfix.alignment import METHODS
from progfix.checkpoints import open_checkpoint
from progfix.data.options import DataOptions
from progfix.encoders import new_encoder
from progfix.errors import InputError
from progfix.training.execution import Execution, check_precision
from progfix.training.joint import aligned_group
from progfix.training.method_checks import check_method
from progfix.training.recipe import Method, MethodName, Precision
from progfix.training.run import resume_run, start_run
from progfix.training.run_options import RunOptions
from progfix.training.state import read_training
from tests.training.test_run import assert_same_run, ignore, options, stop_at
from tests.training.tiny import write_tiny

NAMES: list[MethodName] = ["tcc", "gtcc", "lav", "vava"]


def run_of(folder: Path, precision: Precision, name: MethodName = "tcc") -> RunOptions:
    data = folder.parent / "tiny.h5"
    if not data.exists():
        write_tiny(data)
    plain = options(folder, "fghsv", epochs=2, precision=precision)
    method = plain.recipe.method if name == "none" else Method(name, size=8, frames=12)
    recipe = replace(plain.recipe, method=method)
    return replace(plain, data=DataOptions(path=str(data)), recipe=recipe)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_is_the_encoders_alone(name: MethodName) -> None:
    torch.manual_seed(0)
    encoder = new_encoder("stacking", (6,), size=8, drop=METHODS[name].uses_drop)
    features = [torch.randn(frames, 6) for frames in (30, 24)]
    seen: list[torch.dtype] = []
    encoder.register_forward_hook(lambda _module, _given, made: seen.append(made.dtype))

    def loss(*, bf16: bool) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng(3)
        method = Method(name, frames=0)
        made, value = aligned_group(encoder, features, method, rng, step=0, epoch=0, bf16=bf16)
        encoder.zero_grad()
        value.backward()
        weight = encoder.convolutional_layers[0].weight.grad  # type: ignore[index, union-attr]
        assert made[0].dtype == value.dtype == weight.dtype == torch.float32
        return value.detach(), weight.clone()

    exact, gradient = loss(bf16=False)
    near, rough = loss(bf16=True)
    assert seen == [torch.float32] * 2 + [torch.bfloat16] * 2
    # bfloat16 has 8 bits: 0.4 % a rounding, over seven layers.
    assert float(near) == pytest.approx(float(exact), rel=0.1)
    assert not torch.equal(near, exact)
    cosine = torch.cosine_similarity(gradient.flatten(), rough.flatten(), dim=0)
    assert float(cosine) > 0.9


def test_a_run_in_bfloat16_keeps_float32_weights_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    start_run(run_of(tmp_path / "whole", "bf16"), ignore)
    start_run(run_of(tmp_path / "stopped", "bf16"), stop_at(1, 2))
    resume_run(tmp_path / "stopped", ignore, device="cpu")
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")
    encoder = read_training(tmp_path / "whole" / runs.LAST).encoder
    assert encoder is not None
    assert {value.dtype for value in encoder.values()} == {torch.float32}


@pytest.mark.parametrize("name", ["none", "vava"])
def test_a_run_in_float64_is_so_throughout(tmp_path: Path, name: MethodName) -> None:
    result = start_run(run_of(tmp_path / "run", "float64", name), ignore)
    saved = read_training(tmp_path / "run" / runs.LAST)
    assert {v.dtype for v in saved.head.values() if v.is_floating_point()} == {torch.float64}
    assert np.isfinite(result.history[-1].train_loss)
    assert open_checkpoint(tmp_path / "run").model.head.width == (6 if name == "none" else 8)
    assert (tmp_path / "run" / runs.PREDICTIONS).exists()


def test_precision_that_would_do_nothing_or_is_not_there_is_refused() -> None:
    said = {"optimisation.precision": "bf16"}
    with pytest.raises(InputError, match="--precision bf16: expected a method that trains"):
        check_method(options(Path("run")).recipe, said, init=False)
    for precision in ("bf16", "float64"):
        check_precision(precision, torch.device("cpu"))
        with pytest.raises(InputError, match="expected the CPU or CUDA, found mps"):
            check_precision(precision, torch.device("mps"))


def test_there_is_nothing_to_translate_without_an_encoder(tmp_path: Path) -> None:
    run = replace(run_of(tmp_path / "run", "float32", "none"), execution=Execution(compiled=True))
    with pytest.raises(InputError, match="--compile: expected an encoder in training"):
        start_run(run, ignore)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler for torch.compile")
def test_a_translated_encoder_trains_to_the_same(tmp_path: Path) -> None:
    for name in ("plain", "compiled"):
        run = run_of(tmp_path / name, "float32")
        # Without convolutions, which are translated anew for each length of video.
        method = replace(run.recipe.method, encoder="naive")
        run = replace(run, recipe=replace(run.recipe, method=method))
        start_run(replace(run, execution=Execution(compiled=name == "compiled")), ignore)
    first, second = (read_training(tmp_path / n / runs.LAST) for n in ("plain", "compiled"))
    assert first.encoder is not None
    assert second.encoder is not None
    assert first.encoder.keys() == second.encoder.keys()
    for name, value in first.encoder.items():
        torch.testing.assert_close(second.encoder[name], value, rtol=1e-3, atol=1e-4)


def test_torch_that_cannot_translate_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("InvalidCxxCompiler: no working C++ compiler\nmore")

    monkeypatch.setattr("progfix.encoders.stacking.StackingEncoder.forward", refuse)
    monkeypatch.setattr("torch.nn.Module.compile", lambda *_, **__: None)
    run = replace(run_of(tmp_path / "run", "float32"), execution=Execution(compiled=True))
    with pytest.raises(InputError, match="found InvalidCxxCompiler: no working C\\+\\+ compiler;"):
        start_run(run, ignore)
