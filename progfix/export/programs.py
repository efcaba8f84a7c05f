"""The streaming step of an exported module as a program: torch.export, ONNX."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from progfix.errors import InputError, Problem
from progfix.export.alone import stacked
from progfix.export.log_ndtr import log_ndtr

__all__ = ["State", "answers_of", "initial_zeros", "require_onnx", "write_onnx", "write_program"]

State = tuple[Tensor, ...]
Step = Callable[[Tensor, State], Sequence[Tensor]]
"""Maps a frame `(1, D)` and a state to the answers, then the next state."""

_ONNX = ("onnx", "onnxscript", "onnxruntime")


class _Program(nn.Module):
    """A head's step as tensors in, tensors out; a state of zeros is the initial one."""

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.head = head
        for place, first in enumerate(head.initial_state()):
            self.register_buffer(f"first_{place}", first)

    def forward(self, frame: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        begins = state[0] == 0
        begun = tuple(
            torch.where(begins.reshape(-1, *[1] * (entry.dim() - 1)), first, entry)
            for entry, first in zip(state, self.buffers(recurse=False), strict=True)
        )
        answer, following = self.head.step(frame, begun)
        parts = (answer,) if isinstance(answer, Tensor) else answer
        return (*(part.float() for part in parts), *following)


def initial_zeros(head: Any) -> State:
    """Return the state before the first frame of one action, as the programs take it."""
    return tuple(torch.zeros_like(first) for first in head.initial_state())


def write_program(head: Any, width: int, path: Path) -> Step:
    """Write the step with `torch.export` and return it, loaded from the file.

    Args:
        head: The head of an exported module.
        width: Size D of an embedding.
        path: A .pt2 file.
    """
    with _quietly():
        torch.export.save(_exported(head, width), path)
        loaded = torch.export.load(path).module()

    def step(frame: Tensor, state: State) -> Sequence[Tensor]:
        result: tuple[Tensor, ...] = loaded(frame, *state)
        return result

    return step


def require_onnx() -> None:
    """Check that the extra "onnx" is installed.

    Raises:
        InputError: If not.
    """
    missing = [name for name in _ONNX if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            Problem(
                "--format onnx",
                f"the packages {', '.join(_ONNX)}",
                f"no {', '.join(missing)}",
                'install them with pip install "progfix[onnx]", or use --format torch-export',
            )
        )


def write_onnx(head: Any, width: int, path: Path, answers: Sequence[str]) -> Step:
    """Write the step as ONNX and return it as ONNX Runtime runs the file.

    Args:
        head: The head of an exported module.
        width: Size D of an embedding.
        path: An .onnx file.
        answers: Names of what the head answers.

    Raises:
        InputError: If the extra "onnx" is not installed.
    """
    require_onnx()
    import onnxruntime

    names = [f"state_{place}" for place in range(len(head.initial_state()))]
    with _quietly():
        exported = _exported(head, width)
        # Only where it is called: a table of decompositions replaces torch's own.
        exported = exported.run_decompositions({torch.ops.aten.special_log_ndtr.default: log_ndtr})
        torch.onnx.export(
            exported,
            (),
            path,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=["frame", *names],
            output_names=[*answers, *(f"next_{name}" for name in names)],
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def step(frame: Tensor, state: State) -> Sequence[Tensor]:
        given = zip(["frame", *names], (frame, *state), strict=True)
        found = session.run(None, {name: value.numpy() for name, value in given})
        return [torch.from_numpy(np.asarray(value)) for value in found]

    return step


@torch.no_grad()
def answers_of(step: Step, embeddings: Tensor, zeros: State) -> Tensor:
    """Return what a program answers at every frame, float64 `(answers, T)`."""
    state, columns = zeros, []
    for frame in embeddings:
        found = step(frame[None], state)
        answers, state = found[: -len(zeros)], tuple(found[-len(zeros) :])
        columns.append(stacked(answers))
    return torch.cat(columns, dim=1)


def _exported(head: Any, width: int) -> ExportedProgram:
    """Return the step for any number of actions at once."""
    state = tuple(entry.repeat(2, *[1] * (entry.dim() - 1)) for entry in initial_zeros(head))
    actions = Dim("actions", min=1)
    shapes = {"frame": {0: actions}, "state": tuple({0: actions} for _ in state)}
    with torch.no_grad():
        return torch.export.export(
            _Program(head).eval(), (torch.zeros(2, width), *state), dynamic_shapes=shapes
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what torch's exporters say to their own developers off the screen."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
