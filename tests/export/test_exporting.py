"""Exports from end to end: what is written, that it is proved, and what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.encoders import NaiveEncoder
from progfix.errors import InputError
from progfix.export import exporting, standalone, verify
from progfix.export.alone import stacked
from progfix.export.exporting import export
from progfix.export.target import Format
from progfix.export.text import about, answer_names, describe, takes
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.training.recipe import SEED_RECIPE
from tests.export.made import WIDTH, head_of

HAZARD = HeadSpec(extra=("elapsed",), output="remaining", initial_state="learned", hidden=8)


@pytest.fixture(autouse=True)
def few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short inputs: their lengths are tested by themselves."""
    cases = verify.cases
    monkeypatch.setattr(verify, "cases", lambda model: [values[:12] for values in cases(model)])


def checkpoint_of(spec: HeadSpec, folder: Path) -> Checkpoint:
    path = folder / "checkpoint.pt"
    path.write_bytes(b"weights")
    return Checkpoint(
        path=path,
        kind="progfix",
        model=ProgressModel(None, head_of(spec)),
        recipe=None,
        epoch=4,
        durations=None,
        data=None,
        moments=None,
        payload={},
    )


def state_of(usage: Sequence[str]) -> str:
    (line,) = (line for line in usage if line.startswith("state = "))
    return line.removeprefix("state = ")


def test_a_module_is_proved_in_another_process(tmp_path: Path) -> None:
    done = export(checkpoint_of(HAZARD, tmp_path), tmp_path / "out")
    assert [file.name for file in done.files] == ["progress_head.py", "progress_head.pt"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "progress_head.pt",
        "progress_head.py",
    ]
    assert 0 < done.checked.difference <= 1e-6
    head = done.files[0].read_text()
    assert f"from '{tmp_path / 'checkpoint.pt'}', epoch 5 " in " ".join(head.split("\n# "))
    assert "from progress_head import load" in head


@pytest.mark.parametrize("kind", ["module", "torch-export"])
def test_what_differs_is_refused_and_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Format
) -> None:
    def damaged(model: ProgressModel) -> dict[str, torch.Tensor]:
        weights = standalone.standalone_weights(model)
        return {**weights, "fc.2.bias": weights["fc.2.bias"] + 1e-3}

    monkeypatch.setattr(exporting, "standalone_weights", damaged)
    with pytest.raises(InputError) as caught:
        export(checkpoint_of(HeadSpec(hidden=8), tmp_path), tmp_path / "out", kind=kind)
    (problem,) = caught.value.problems
    assert problem.expected == "the answers of the checkpoint within 1e-05"
    assert "a difference of 2." in problem.found  # sigmoid' <= 1/4 of 1e-3
    assert not (tmp_path / "out").exists()


def test_nan_and_another_shape_are_differences() -> None:
    wanted = torch.rand(1, 5, dtype=torch.float64)
    for found in (wanted + torch.nan, wanted[:, :4]):
        with pytest.raises(InputError, match="a difference of inf"):
            verify.check([wanted], [{"every": found}], "x")
    assert verify.check([wanted], [{"every": wanted}], "x").difference == 0


@pytest.mark.parametrize(
    "spec",
    [
        HAZARD,
        pytest.param(
            HeadSpec(output="increment", normalise=True, hidden=8), marks=pytest.mark.slow
        ),
        HeadSpec(kind="pooled", extra=("position",), hidden=8),
        HeadSpec(kind="transformer", hidden=8, skip_first=True),
        pytest.param(HeadSpec(kind="tcn", hidden=8), marks=pytest.mark.slow),
    ],
    ids=lambda spec: f"{spec.kind}-{spec.output}",
)
def test_the_step_as_a_program(tmp_path: Path, spec: HeadSpec) -> None:
    checkpoint = checkpoint_of(spec, tmp_path)
    done = export(checkpoint, tmp_path, kind="torch-export")
    assert [file.name for file in done.files] == ["progress_step.pt2"]
    step = torch.export.load(done.files[0]).module()
    names = answer_names(spec)
    # As the printed lines begin, for three actions at once.
    begin = eval(state_of(done.usage), {"torch": torch})  # noqa: S307  # our text
    state = [entry.repeat(3, *[1] * (entry.dim() - 1)) for entry in begin]
    embeddings, found = torch.randn(3, 9, WIDTH), []
    for t in range(9):
        if t == 4:  # the second action begins anew: zeros in its row are the initial state
            for entry in state:
                entry[1] = 0
        values = step(embeddings[:, t], *state)
        found.append(stacked(values[: len(names)]))
        state = [entry.clone() for entry in values[len(names) :]]
    answers = torch.stack(found, dim=-1).detach()
    for row, first in ((0, 0), (1, 4), (2, 0)):
        wanted = verify.expected(checkpoint.model, embeddings[row, first:])
        torch.testing.assert_close(answers[:, row, first:], wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "spec",
    [HAZARD, pytest.param(HeadSpec(kind="transformer", hidden=8), marks=pytest.mark.slow)],
)
def test_the_step_as_onnx(tmp_path: Path, spec: HeadSpec) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    checkpoint = checkpoint_of(spec, tmp_path)
    done = export(checkpoint, tmp_path, kind="onnx")
    assert [path.name for path in tmp_path.glob("*.onnx*")] == ["progress_step.onnx"]
    assert done.checked.difference <= 1e-6
    session = onnxruntime.InferenceSession(done.files[0])
    names = [entry.name for entry in session.get_inputs()]
    answers = answer_names(spec)
    begin = eval(state_of(done.usage), {"np": np})  # noqa: S307  # our text
    state = [np.repeat(entry, 2, axis=0) for entry in begin]
    embeddings, found = torch.randn(2, 6, WIDTH), []
    for t in range(6):
        frame = embeddings[:, t].numpy()
        values = session.run(None, dict(zip(names, [frame, *state], strict=True)))
        found.append(values[0])
        state = values[len(answers) :]
    for row in range(2):
        wanted = verify.expected(checkpoint.model, embeddings[row])[0]
        np.testing.assert_allclose([v[row] for v in found], wanted, atol=1e-5)


def test_onnx_names_the_extra_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name.startswith("onnx") else find(name),
    )
    with pytest.raises(InputError, match=r'found no onnx, .*pip install "progfix\[onnx\]"'):
        export(checkpoint_of(HAZARD, tmp_path), tmp_path, kind="onnx")


@pytest.mark.parametrize(
    "spec",
    [
        HeadSpec(extra=("position",)),
        replace(HeadSpec(kind="transformer"), extra=("prefix-length",)),
    ],
)
def test_a_head_without_step_is_refused_as_a_program(tmp_path: Path, spec: HeadSpec) -> None:
    with pytest.raises(InputError, match=f"{spec.extra[0]}.*use --format module"):
        export(checkpoint_of(spec, tmp_path), tmp_path, kind="torch-export")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("head.pt2", "module", "a folder or a name ending in .py"),
        ("head.py", "torch-export", "a folder or a name ending in .pt2"),
        ("my-head.py", "module", "which Python cannot import; call it for example head_my_head.py"),
        ("checkpoint.py", "module", "checkpoint.pt: expected a name that is free"),
    ],
)
def test_names_that_do_not_go(tmp_path: Path, name: str, kind: Format, message: str) -> None:
    checkpoint = checkpoint_of(HeadSpec(hidden=8), tmp_path)
    with pytest.raises(InputError, match=message):
        export(checkpoint, tmp_path / name, kind=kind)
    assert checkpoint.path.read_bytes() == b"weights"


def test_inputs_are_short_and_long_ordinary_and_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    inputs = verify.cases(ProgressModel(None, head_of(HeadSpec(normalise=True))))
    assert {1, 500} <= {len(values) for values in inputs}
    assert any((values == 0).all() for values in inputs)
    assert max(values.abs().max().item() for values in inputs) > 20


def test_epochs_are_counted_as_the_training_counted_them(tmp_path: Path) -> None:
    """Every file stores 4: progfix's training calls that 5, the users' calls it 4."""
    ours = checkpoint_of(HeadSpec(hidden=8), tmp_path)
    alignment = replace(SEED_RECIPE, method=replace(SEED_RECIPE.method, name="gtcc"))
    assert alignment.method.trains_encoder
    theirs = replace(ours, kind="gtcc", durations={})
    for checkpoint, said in (
        (ours, "', epoch 5 (sha256"),
        (replace(ours, kind="gtcc"), "', epoch 4 counted from 0 (sha256"),
        (replace(theirs, recipe=alignment), "', epoch 5 (sha256"),
        # Put into a users' file, which keeps its own epoch.
        (replace(theirs, recipe=SEED_RECIPE), "', encoder of epoch 4 counted from 0 (sha256"),
        (replace(ours, epoch=None), "checkpoint.pt' (sha256"),
    ):
        assert said in " ".join(about(checkpoint, "progress_head"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (HeadSpec(), "gru head, no input columns beside the embedding, of 7"),
        (
            HeadSpec(extra=("elapsed",), initial_state="learned"),
            "gru head, input columns elapsed, frame counts relative to 300, learned initial "
            "state, of 7",
        ),
    ],
)
def test_a_head_without_a_run_of_ours_in_plain_words(
    tmp_path: Path, spec: HeadSpec, said: str
) -> None:
    assert describe(checkpoint_of(spec, tmp_path)) == f"{said} numbers per frame"


def test_it_says_where_the_encoder_is() -> None:
    head, encoder = head_of(HeadSpec(hidden=8)), NaiveEncoder(input_size=5, widths=(6, WIDTH))
    both, alone = ProgressModel(encoder, head), ProgressModel(None, head)
    assert takes(both, "torch-export") == (
        "takes embeddings (7 numbers per frame), not features: the encoder, NaiveEncoder, is "
        "not in it (--format module has it)"
    )
    assert takes(both, "module") == (
        "takes features of whole videos (5 numbers per frame); the encoder, NaiveEncoder, is in it"
    )
    assert takes(alone, "onnx").startswith("takes embeddings (7 numbers per frame); ")
