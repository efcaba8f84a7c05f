"""Run as a program: what an exported module answers in a Python that knows no progfix.

    python -I alone.py MODULE.py INPUTS.pt ANSWERS.pt

INPUTS is a list of tensors that the module's model takes. ANSWERS becomes a list of
dictionaries: what `forward` answers ("every"), and what `step` answers frame by frame where
the module has it ("step"), float64 `(answers, T)` each.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["load_alone", "stacked"]


def load_alone(path: Path) -> Any:
    """Import an exported module from its file and return its model.

    Raises:
        ImportError: If the file is no Python module.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def stacked(answer: Tensor | Iterable[Tensor]) -> Tensor:
    """Return an answer's parts, `(T,)` each, as float64 `(parts, T)`."""
    parts = (answer,) if isinstance(answer, Tensor) else answer
    return torch.stack([part.double() for part in parts])


def _answers(model: Any, values: Tensor) -> dict[str, Tensor]:
    found = {"every": stacked(model(values))}
    head = getattr(model, "head", model)
    if hasattr(head, "step"):
        embeddings = model.encoder(values) if hasattr(model, "encoder") else values
        state, steps = head.initial_state(), []
        for frame in embeddings:
            answer, state = head.step(frame[None], state)
            steps.append(stacked(answer))
        found["step"] = torch.cat(steps, dim=1)
    return found


@torch.no_grad()
def _main(module: Path, inputs: Path, answers: Path) -> None:
    torch.set_num_threads(1)
    model = load_alone(module)
    found = [_answers(model, values) for values in torch.load(inputs, weights_only=True)]
    if any(name.partition(".")[0] == "progfix" for name in sys.modules):
        raise ImportError(f"{module} imported progfix")
    torch.save(found, answers)


if __name__ == "__main__":
    _main(*map(Path, sys.argv[1:]))
