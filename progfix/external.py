"""Any PyTorch module as a progress model: `--model package.module:name`."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from progfix.data.dataset import Dataset, Video
from progfix.errors import InputError, Problem
from progfix.features import finite_features
from progfix.predict import SegmentAnswers, cut_segments, frames_table
from progfix.predictions import LARGEST_PREDICTION, Predictions

__all__ = ["answer_segment", "load_module", "predict_with_module"]

_FIX = "mend the model's code"
_IMPORT_FIX = f"check the name (it is looked for here and on the Python path), or {_FIX}"
_NOT_THEIRS = (
    __file__,
    str(Path(torch.__file__).parent),
    str(Path(importlib.__file__).parent),
    "<frozen ",
)


def load_module(name: str, argument: str | None = None) -> nn.Module:
    """Import a user's model, or import and call what makes it. This runs the user's code.

    Args:
        name: "package.module:name", found on the Python path or in the working folder: a
            class, or a function, to call, or a module that is there already.
        argument: Passed to the callable where given, such as the path of its weights.

    Raises:
        InputError: If it cannot be imported or called, or makes no `torch.nn.Module`.
    """
    where, colon, attribute = name.partition(":")
    if not (where and colon and attribute):
        fix = "name the module, a colon, and what in it makes the model"
        raise _problem(name, "package.module:name", repr(name), fix)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with _their_code(name, f"a module {where} that can be imported", _IMPORT_FIX):
        imported = importlib.import_module(where)
        there = hasattr(imported, attribute)
        model: Any = getattr(imported, attribute, None)
    if not there:
        found = f"none of this name in {imported.__file__}"
        raise _problem(name, f"{where}.{attribute}", found, "check the name")
    if not isinstance(model, nn.Module):
        if argument is None and (needed := _needs(model)):
            raise _problem(
                name,
                "a module, its class, or a function that makes one when it is called with nothing",
                f"{attribute}({', '.join(needed)})",
                "name its weights as SOURCE if it takes them; a plain function of the features "
                "goes into the forward of a torch.nn.Module",
            )
        call = f"{attribute}({'' if argument is None else 'SOURCE'})"
        with _their_code(name, f"{call} to make a module"):
            model = model() if argument is None else model(argument)
    elif argument is not None:
        fix = "name its class, or a function that loads the weights"
        raise _problem(name, "what makes a module of SOURCE", "a module as it is", fix)
    if not isinstance(model, nn.Module):
        raise _problem(name, "a torch.nn.Module", type(model).__name__)
    return model


def _needs(made_by: object) -> list[str]:
    """Return the parameters without which something cannot be called, where Python knows them."""
    try:
        parameters = inspect.signature(made_by).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in variable]


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
    with _their_code(name, f"a module that can be moved to {device}"):
        module.to(device).eval()
    for video in data:
        if any(not segment.censored for segment in video.segments):
            yield frames_table([video], _answers(module, name, video, device))


@torch.inference_mode()
def _answers(
    module: nn.Module, name: str, video: Video, device: torch.device
) -> list[SegmentAnswers]:
    features = torch.from_numpy(finite_features(video)).to(device)
    where = f"{name}, video {video.name}"
    return [answer_segment(module, where, segment) for segment in cut_segments(video, features)]


def answer_segment(module: nn.Module, where: str, segment: Tensor) -> SegmentAnswers:
    """Return what a user's module answers to one segment, `(L, D)`.

    Raises:
        InputError: If its answers have another shape, or are NaN or infinite.
    """
    with _their_code(where, f"an answer to features of shape {tuple(segment.shape)}"):
        answer = module(segment)
    if not isinstance(answer, torch.Tensor) or answer.numel() != len(segment):
        shape = tuple(answer.shape) if isinstance(answer, torch.Tensor) else type(answer)
        raise _problem(where, f"{len(segment)} numbers for {len(segment)} frames", str(shape))
    values = answer.reshape(-1).double().cpu().numpy()
    bad = int((~(np.abs(values) <= LARGEST_PREDICTION)).sum())
    if bad:
        found = f"{bad} NaN, infinite or beyond {LARGEST_PREDICTION:g}"
        raise _problem(where, "finite predictions", found)
    return SegmentAnswers(values)


@contextmanager
def _their_code(where: str, expected: str, fix: str = _FIX) -> Iterator[None]:
    """Run the user's code: what it prints goes to stderr, whatever it raises is an error."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:  # it may raise anything
        first = (str(error) or "no message").splitlines()[0]
        calls = traceback.extract_tb(error.__traceback__)
        theirs = [call for call in calls if not call.filename.startswith(_NOT_THEIRS)]
        place = f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""
        raise _problem(where, expected, f"{type(error).__name__}: {first}{place}", fix) from error


def _problem(where: str, expected: str, found: str, fix: str = _FIX) -> InputError:
    return InputError(Problem(f"--model {where}", expected, found, fix))
