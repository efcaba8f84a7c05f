"""A few real steps of the failing recipe, and of the same with a solution."""

from __future__ import annotations

from functools import cache
from typing import cast

from progfix.data.options import DataOptions
from progfix.diagnosis.measured import StepAudit
from progfix.diagnosis.step_audit import audit_setup
from progfix.training.assemble import Request, assemble
from progfix.training.interrupts import StopRequest
from progfix.training.loop import run_epochs
from progfix.training.loop_state import LoopState
from progfix.training.prepare import prepare
from progfix.training.settings import Settings
from tests.diagnosis.drawing import Training

STEPS_FIT = "procedures/1:dim=16,videos=6,tasks=2"
"""Built-in data on which five epochs are a matter of seconds."""


@cache
def short_training(solution: str) -> Training:
    """Train an encoder and a head together for five epochs."""
    settings: Settings = {
        "method.name": "tcc",
        "method.size": 16,
        "method.frames": 32,
        "optimisation.epochs": 5,
    }
    options, _ = assemble(
        Request(solution=solution, data=DataOptions(STEPS_FIT), settings=settings)
    )
    setup = prepare(options).setup
    step = audit_setup(setup)
    run_epochs(
        setup,
        LoopState(),
        save=lambda _best: None,
        observe=lambda _event: None,
        stop=StopRequest(),
    )
    moments = setup.optimisers.moments(setup.model)
    return Training(
        solution,
        [m.rms for name, m in moments.items() if name.startswith("head.")],
        [m.rms for name, m in moments.items() if not name.startswith("head.")],
        cast("StepAudit", step),
    )
