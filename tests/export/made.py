"""Small models for tests of exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from progfix.encoders import Encoder
from progfix.export.alone import load_alone
from progfix.export.standalone import standalone_source, standalone_weights
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel

WIDTH = 7


def head_of(spec: HeadSpec, seed: int = 0, width: int = WIDTH) -> ProgressHead:
    """A head whose every weight matters: none zero, none at its initial value."""
    torch.manual_seed(seed)
    head = build_head(spec, width).eval()
    head.fit_prior(np.array([5, 12, 30, 31, 80]))
    head.fit_normalisation(torch.randn(width), torch.rand(width) + 0.5)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head


def exported(head: ProgressHead, folder: Path, encoder: Encoder | None = None) -> Any:
    """The model of a stand-alone module, written to exported.py and imported."""
    model = ProgressModel(encoder, head)
    file = folder / "exported.py"
    file.write_text(standalone_source(model, ["made for a test"]), encoding="utf-8")
    torch.save(standalone_weights(model), file.with_suffix(".pt"))
    return load_alone(file)
