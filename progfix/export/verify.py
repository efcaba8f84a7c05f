"""Whether what was written answers what the model answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from progfix.errors import InputError, Problem
from progfix.export import alone
from progfix.export.text import answer_names, input_shape
from progfix.model import ProgressModel

__all__ = ["TOLERANCE", "Checked", "cases", "check", "expected", "in_another_process"]

TOLERANCE = 1e-5
"""Largest difference of progress that is let through."""

_MAP_FRAMES = (1, 5)
"""Lengths for encoders of feature maps, of which a frame costs a second."""


@dataclass(frozen=True)
class Checked:
    """What a verification found.

    Attributes:
        difference: Largest difference of any answer, as progress in [0, 1].
        lengths: Frames of the inputs that were answered.
    """

    difference: float
    lengths: tuple[int, ...]


def cases(model: ProgressModel) -> list[Tensor]:
    """Return inputs of one action each, `(T, ...)`: usual ones, and ones that provoke.

    One frame; frames independent of each other; a long random walk, as videos are; long and
    now and then ten times as large; all zero.
    """
    head, shape = model.head, input_shape(model)
    generator = torch.Generator().manual_seed(0)
    centre, scale = torch.zeros(shape), torch.ones(shape)
    if model.encoder is None and head.spec.normalise:
        centre, scale = head.mean, head.scale

    def noise(frames: int) -> Tensor:
        return torch.randn(frames, *shape, generator=generator)

    if len(shape) > 1:
        return [noise(frames) for frames in _MAP_FRAMES]
    outlier = torch.where(torch.arange(500) % 7 == 3, 10.0, 1.0)[:, None]
    standard = [noise(1), noise(60), noise(500).cumsum(dim=0) / 10.0, noise(500) * outlier]
    return [*(centre + scale * values for values in standard), torch.zeros(40, *shape)]


@torch.inference_mode()
def expected(model: ProgressModel, values: Tensor) -> Tensor:
    """Return what the model answers at every frame of an input, as `standalone.answer_names`.

    Returns:
        float64 `(answers, T)`.
    """
    embeddings = model.embed(values)
    frames = len(embeddings)
    read = model.head.read(embeddings[None], torch.tensor([frames]))
    *quantiles, last = answer_names(model.head.spec)
    if last == "progress":
        return alone.stacked(read.progress[0])
    elapsed = torch.arange(1, frames + 1)
    remaining = elapsed / read.progress[0].double() - (elapsed - 1)
    return alone.stacked((*(getattr(read, name)[0] for name in quantiles), remaining))


def in_another_process(module: Path, inputs: Sequence[Tensor]) -> list[dict[str, Tensor]]:
    """Return what an exported module answers in a Python process that cannot see progfix.

    Args:
        module: The .py file, its weights beside it.
        inputs: As from `cases`.

    Raises:
        RuntimeError: If the module fails there.
    """
    given, found = (module.with_name(f"{name}.pt") for name in ("inputs", "answers"))
    torch.save([values.clone() for values in inputs], given)
    command = [sys.executable, "-I", alone.__file__, str(module), str(given), str(found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own program, no shell
    if done.returncode != 0:
        raise RuntimeError(f"the exported module failed by itself:\n{done.stderr}")
    answers: list[dict[str, Tensor]] = torch.load(found, weights_only=True)
    return answers


def check(wanted: Sequence[Tensor], found: Sequence[dict[str, Tensor]], what: str) -> Checked:
    """Compare answers.

    Args:
        wanted: From `expected`, one per input.
        found: What was answered instead, by way of asking; one per input.
        what: What was written, to name in an error.

    Raises:
        InputError: If a difference is above `TOLERANCE`.
    """
    differences = [
        (_difference(wanted_one, answer), wanted_one.shape[1], way)
        for wanted_one, ways in zip(wanted, found, strict=True)
        for way, answer in ways.items()
    ]
    worst, frames, way = max(differences)
    if not worst <= TOLERANCE:
        raise InputError(
            Problem(
                what,
                f"the answers of the checkpoint within {TOLERANCE:g}",
                f"a difference of {worst:.1e} ({way}, {frames} frames)",
                "nothing was written; use the checkpoint with progfix itself, and report this",
            )
        )
    return Checked(worst, tuple(answer.shape[1] for answer in wanted))


def _difference(wanted: Tensor, found: Tensor) -> float:
    """Return the largest difference; infinity where an answer is not finite."""
    if wanted.shape != found.shape:
        return float("inf")
    worst = (_as_progress(wanted) - _as_progress(found)).abs().max().item()
    return worst if worst == worst else float("inf")


def _as_progress(answers: Tensor) -> Tensor:
    """Return the answers with `remaining`, the last of several, as the progress it means."""
    if len(answers) == 1:
        return answers
    elapsed = torch.arange(1, answers.shape[1] + 1)
    return torch.cat([answers[:-1], elapsed / (elapsed - 1 + answers[-1:])])
