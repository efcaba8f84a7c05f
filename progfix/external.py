"""Any PyTorch module as a progress model: `--model package.module:callable`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from progfix.data.dataset import Dataset, Video
from progfix.errors import InputError, Problem
from progfix.predict import SegmentAnswers, cut_segments, frames_table
from progfix.predictions import Predictions

__all__ = ["answer_segment", "load_module", "predict_with_module"]


def load_module(name: str, argument: str | None = None) -> nn.Module:
    """Import and call what makes a user's model. This runs the user's code.

    Args:
        name: "package.module:callable", found on the Python path or in the working folder.
        argument: Passed to the callable where given, such as the path of its weights.

    Raises:
        InputError: If it cannot be imported or called, or makes no `torch.nn.Module`.
    """
    where, colon, attribute = name.partition(":")
    if not (where and colon and attribute):
        raise _problem(name, "package.module:callable", repr(name))
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        made = getattr(importlib.import_module(where), attribute)
        model = made() if argument is None else made(argument)
    except Exception as error:  # the user's code may raise anything
        call = f"{attribute}({'' if argument is None else 'SOURCE'})"
        raise _problem(
            name,
            f"{call} to make a module",
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
        ) from error
    if not isinstance(model, nn.Module):
        raise _problem(name, "a torch.nn.Module", type(model).__name__)
    return model


def predict_with_module(
    module: nn.Module, name: str, data: Dataset, device: torch.device
) -> Iterator[Predictions]:
    """Yield the predictions of a user's model, a chunk per video.

    Args:
        module: Maps the features `(L, D)` of a segment's frames to L numbers, of shape
            `(L,)`, `(L, 1)` or `(1, L)`.
        name: What to call it in errors.
        data: Videos with features.
        device: Where to compute.

    Raises:
        InputError: If its answers have another shape, or are NaN or infinite.
    """
    module.to(device).eval()
    for video in data:
        if any(not segment.censored for segment in video.segments):
            yield frames_table([video], _answers(module, name, video, device))


@torch.inference_mode()
def _answers(
    module: nn.Module, name: str, video: Video, device: torch.device
) -> list[SegmentAnswers]:
    features = torch.from_numpy(video.read()).to(device)
    where = f"{name}, video {video.name}"
    return [answer_segment(module, where, segment) for segment in cut_segments(video, features)]


def answer_segment(module: nn.Module, where: str, segment: Tensor) -> SegmentAnswers:
    """Return what a user's module answers to one segment, `(L, D)`.

    Raises:
        InputError: If its answers have another shape, or are NaN or infinite.
    """
    try:
        answer = module(segment)
    except Exception as error:  # the user's code may raise anything
        first = (str(error) or "no message").splitlines()[0]
        found = f"{type(error).__name__}: {first}"
        expected = f"an answer to features of shape {tuple(segment.shape)}"
        raise _problem(where, expected, found) from error
    if not isinstance(answer, torch.Tensor) or answer.numel() != len(segment):
        shape = tuple(answer.shape) if isinstance(answer, torch.Tensor) else type(answer)
        raise _problem(where, f"{len(segment)} numbers for {len(segment)} frames", str(shape))
    values = answer.reshape(-1).double().cpu().numpy()
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise _problem(where, "finite predictions", f"{bad} NaN or infinite")
    return SegmentAnswers(values)


def _problem(where: str, expected: str, found: str) -> InputError:
    return InputError(Problem(f"--model {where}", expected, found, "mend the model's code"))
