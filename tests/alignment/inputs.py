"""Inputs that the tests of the losses share."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from progfix.alignment import pad_videos

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "gtcc_losses.npz"


def walks(*lengths: int, dims: int = 4, seed: int = 0, scale: float = 0.6) -> list[Tensor]:
    """Random walks in float64, as frames of a video drift."""
    generator = torch.Generator().manual_seed(seed)
    return [
        (scale * torch.randn(n, dims, generator=generator, dtype=torch.float64)).cumsum(0)
        for n in lengths
    ]


def batch(*lengths: int, seed: int = 0, dims: int = 4) -> tuple[Tensor, Tensor]:
    return pad_videos(walks(*lengths, seed=seed, dims=dims))


def backward(loss: Tensor) -> None:
    loss.backward()
