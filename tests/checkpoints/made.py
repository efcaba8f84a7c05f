"""Checkpoints in the users' layout, made for a test."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from progfix.encoders import Encoder, MultiprongEncoder, StackingEncoder
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
