"""Checkpoints in the users' layout, made for a test."""

from __future__ import annotations

import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.checkpoints.reading import safe_load
from progfix.encoders import Encoder, MultiprongEncoder, StackingEncoder
from progfix.errors import InputError
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("gtcc_*.pt"))

BASELINE = HeadSpec()
POSITION = HeadSpec(extra=("position",))
H0 = HeadSpec(initial_state="learned")
AB = HeadSpec(extra=("position",), initial_state="learned")
EXPRESSIBLE = (BASELINE, POSITION, H0, AB)


def small_encoder(*, drop: tuple[int, ...] | None = None) -> MultiprongEncoder:
    base = StackingEncoder(input_size=5, widths=(16, 8, 8))
    return MultiprongEncoder(base=base, heads=3, hidden=(6, 6), attention=(6, 4), drop=drop)


def head_of(spec: HeadSpec, width: int = 8) -> ProgressHead:
    head = build_head(spec, width).eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return head


def state_of(
    encoder: Encoder, head: ProgressHead | None, prefix: str = ""
) -> OrderedDict[str, Tensor]:
    state = OrderedDict((prefix + name, t) for name, t in encoder.state_dict().items())
    if head is not None:
        for name, tensor in head.state_dict().items():
            state[f"{prefix}progress_head.{name}"] = tensor
    return state


def payload_of(
    encoder: Encoder,
    head: ProgressHead | None,
    learnable: dict[str, object] | None = None,
    *,
    prefix: str = "",
) -> dict[str, Any]:
    config: dict[str, object] = {"OUTPUT_DIMENSIONALITY": encoder.output_size}
    if learnable is not None:
        config["PROGRESS_LOSS"] = {"enabled": True, "lambda_fixed": 10.0, "learnable": learnable}
    return {
        "config": config,
        "epoch": 7,
        "loss": 0.5,
        "model_state_dict": state_of(encoder, head, prefix),
        "optimizer_state_dict": {"state": {}, "param_groups": []},
    }


def save(payload: object, path: Path) -> Path:
    torch.save(payload, path)
    return path


def refusal(path: Path) -> str:
    """The single problem of a file that is refused, after less than five seconds of work."""
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        safe_load(path)
    assert time.process_time() - started < 5
    assert len(caught.value.problems) == 1
    problem = caught.value.problems[0]
    assert str(path) in problem.where
    assert all((problem.expected, problem.found, problem.fix))
    return problem.found


def same(one: Any, other: Any) -> bool:
    """Equal values, types and order; of a dictionary also its attributes."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return (
            list(one) == list(other)
            and all(same(one[key], other[key]) for key in one)
            and same(getattr(one, "__dict__", None), getattr(other, "__dict__", None))
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def written(source: Path, spec: HeadSpec, target: Path, **options: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    head = head_of(spec, 128)
    write_gtcc(open_checkpoint(source), head.state_dict(), spec, target, **options)
    return safe_load(target)
