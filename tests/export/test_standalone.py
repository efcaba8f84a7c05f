"""Stand-alone modules: every head and encoder, batch and step, against the product's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

from progfix.encoders import (
    Encoder,
    MultiprongEncoder,
    NaiveEncoder,
    ResnetEncoder,
    StackingEncoder,
)
from progfix.export.alone import stacked
from progfix.export.verify import expected
from progfix.heads.spec import Attention, Convolution, Extra, HeadKind, HeadSpec, Output
from progfix.model import ProgressModel
from tests.export.made import WIDTH, exported, head_of

EXTRAS: tuple[tuple[Extra, ...], ...] = (
    (),
    ("elapsed",),
    ("position",),
    ("prefix-length",),
    ("position", "prefix-length", "elapsed"),
)
FRAMES = 9


def specs() -> Iterator[HeadSpec]:
    """Every kind, every set of columns, every output; the rest in turn."""
    kinds: tuple[HeadKind, ...] = get_args(HeadKind)
    outputs: tuple[Output, ...] = get_args(Output)
    for place, (kind, extra, output) in enumerate(product(kinds, EXTRAS, outputs)):
        if output == "increment" and "position" in extra:
            continue
        yield HeadSpec(
            kind=kind,
            extra=extra,
            output=output,
            initial_state="learned" if kind == "gru" and place % 2 else "zero",
            normalise=place % 3 == 0,
            hidden=16,
            frame_count_max=120.0,
            skip_first=kind in ("transformer", "tcn") and place % 2 == 0,
        )
    for window in (1, 5, None):
        yield HeadSpec(kind="transformer", attention=Attention(1, 2, 8, window), hidden=16)
    yield HeadSpec(kind="tcn", convolution=Convolution((1, 3), 2, "batch"), hidden=16)
    yield HeadSpec(kind="tcn", convolution=Convolution((4,), 1, "layer"), hidden=16, normalise=True)


def by_steps(head: object, embeddings: Tensor) -> Tensor:
    state, columns = head.initial_state(len(embeddings)), []  # type: ignore[attr-defined]
    for t in range(embeddings.shape[1]):
        answer, state = head.step(embeddings[:, t], state)  # type: ignore[attr-defined]
        columns.append(stacked(answer))
    return torch.stack(columns, dim=-1)


@pytest.mark.parametrize(
    "spec", list(specs()), ids=lambda s: f"{s.kind}-{'-'.join(s.extra)}-{s.output}"
)
def test_it_answers_as_the_head_does(tmp_path: Path, spec: HeadSpec) -> None:
    head = head_of(spec)
    alone = exported(head, tmp_path)
    embeddings = 2.0 * torch.randn(2, FRAMES, WIDTH)
    model = ProgressModel(None, head)
    wanted = torch.stack([expected(model, one) for one in embeddings], dim=1)
    assert wanted[0].std() > 0.01
    with torch.no_grad():
        every = stacked(alone(embeddings))
        torch.testing.assert_close(every, wanted, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            stacked(alone(embeddings[1])), wanted[:, 1], atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(
            stacked(alone(embeddings[0, :1])), wanted[:, 0, :1], atol=1e-5, rtol=1e-4
        )
        assert hasattr(alone, "step") == (spec.why_no_step is None)
        if spec.why_no_step is None:
            torch.testing.assert_close(by_steps(alone, embeddings), wanted, atol=1e-5, rtol=1e-4)


def encoders() -> Iterator[Encoder]:
    torch.manual_seed(1)
    yield NaiveEncoder(input_size=5, widths=(6, WIDTH))
    yield StackingEncoder(input_size=5, widths=(8, WIDTH), drop=(4,))
    yield StackingEncoder(input_size=5, widths=(8, WIDTH), causal=True)
    yield ResnetEncoder(channels=3, frame_size=4, temporal_depth=3, widths=(6, 5, WIDTH))
    for per_frame in (False, True):
        yield MultiprongEncoder(
            base=StackingEncoder(input_size=5, widths=(8, WIDTH)),
            heads=3,
            hidden=(6, 6),
            attention=(6, 4),
            drop=(4,),
            per_frame=per_frame,
        )


@pytest.mark.parametrize("encoder", list(encoders()), ids=lambda e: type(e).__name__)
def test_it_encodes_as_the_encoder_does(tmp_path: Path, encoder: Encoder) -> None:
    encoder.eval()
    head = head_of(HeadSpec(hidden=8))
    alone = exported(head, tmp_path, encoder)
    features = torch.randn(FRAMES, *encoder.input_shape)
    with torch.no_grad():
        embeddings = encoder(features)
        torch.testing.assert_close(alone.encoder(features), embeddings)
        assert not any("dropout" in name for name in alone.state_dict())
        wanted = expected(ProgressModel(None, head), embeddings[2:8])
        torch.testing.assert_close(stacked(alone(features, 2, 7)), wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "spec", [HeadSpec(output="remaining", extra=("elapsed",)), HeadSpec(kind="tcn")]
)
def test_it_imports_torch_and_the_standard_library_alone(tmp_path: Path, spec: HeadSpec) -> None:
    exported(head_of(spec), tmp_path, NaiveEncoder(input_size=5, widths=(6, WIDTH)))
    text = (tmp_path / "exported.py").read_text()
    assert text.startswith("# made for a test\n")
    assert max(map(len, text.splitlines())) <= 100
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    assert found <= {"__future__", "math", "pathlib", "typing", "torch"}
    compile(text, "exported.py", "exec", dont_inherit=True)


def test_it_can_be_trained_on(tmp_path: Path) -> None:
    """Gradients reach every weight: a head for a user's own fine-tuning."""
    for spec in (HeadSpec(extra=("position",), initial_state="learned"), HeadSpec(kind="tcn")):
        alone = exported(head_of(spec), tmp_path)
        alone(torch.randn(2, 6, WIDTH)).sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in alone.parameters())


def test_a_wrong_shape_is_named_in_one_line(tmp_path: Path) -> None:
    head = exported(head_of(HeadSpec(hidden=8)), tmp_path)
    for shape in ((4, 6), (2, 4, 6), (0, 7), (2, 0, 7), (7,), (1, 2, 4, 7)):
        with pytest.raises(ValueError, match=r"^expected embeddings \(T, 7\) or \(B, T, 7\)") as e:
            head(torch.zeros(shape))
        assert str(e.value).endswith(f"with T >= 1, found {shape}")
    for shape in ((1, 6), (7,), (1, 1, 7)):
        with pytest.raises(ValueError, match=r"^expected a frame \(B, 7\)") as e:
            head.step(torch.zeros(shape), head.initial_state())
        assert str(e.value).endswith(f", found {shape}")


def test_wrong_features_are_named_in_one_line(tmp_path: Path) -> None:
    encoder = NaiveEncoder(input_size=5, widths=(6, WIDTH)).eval()
    model = exported(head_of(HeadSpec(hidden=8)), tmp_path, encoder)
    for shape in ((4, 6), (0, 5), (5,), (1, 4, 5), ()):
        with pytest.raises(ValueError, match=r"^expected features \(T, 5\) with T >= 1") as e:
            model(torch.zeros(shape))
        assert str(e.value).endswith(f", found {shape}")
    with pytest.raises(ValueError, match=r"found \(0, 7\)"):  # a segment beyond the video
        model(torch.zeros(4, 5), 4, 6)
