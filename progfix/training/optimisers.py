"""One training step: from the loss to new parameters, and what the gradients were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from progfix.checkpoints.moments import Moments, parameter_moments
from progfix.heads.base import ProgressHead
from progfix.model import ProgressModel
from progfix.training.recipe import Recipe

__all__ = ["Optimisers", "StepReport", "build_optimisers"]


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    Attributes:
        loss: The progress loss, not multiplied by lambda.
        head_gradient: Norm of the head's gradient, as it leaves the loss.
        head_applied: Norm of what clipping left of it for the optimiser.
        skipped: The total loss was too large and nothing was changed.
        finite: The loss and its gradient were finite; if not, nothing was changed.
    """

    loss: float
    head_gradient: float
    head_applied: float
    skipped: bool = False
    finite: bool = True


@dataclass(frozen=True, eq=False)
class Optimisers:
    """The optimisers of a run, and how its gradients are scaled and clipped.

    Attributes:
        recipe: The run.
        head: Parameters of the head.
        rest: All other parameters that are trained.
        steppers: The optimisers, by what they move: "all", or "head" and "rest".
    """

    recipe: Recipe
    head: Sequence[nn.Parameter]
    rest: Sequence[nn.Parameter]
    steppers: dict[str, torch.optim.Optimizer]

    def step(self, progress: Tensor, alignment: Tensor | None = None) -> StepReport:
        """Move the parameters along the gradient of alignment + lambda * progress.

        Args:
            progress: Scalar progress loss.
            alignment: Scalar alignment loss, or None.

        Returns:
            The report; with a loss that is not finite nothing was changed.
        """
        recipe, scale = self.recipe, self.recipe.objective.progress_lambda
        loss = float(progress.detach())
        total = progress * scale if alignment is None else alignment + progress * scale
        value = float(total.detach())
        if not math.isfinite(value):
            return StepReport(loss, math.nan, math.nan, finite=False)
        if value > recipe.optimisation.skip_above:
            return StepReport(loss, math.nan, math.nan, skipped=True)
        for stepper in self.steppers.values():
            stepper.zero_grad(set_to_none=True)
        total.backward()
        for parameter in self.head:
            if parameter.grad is not None:
                parameter.grad /= scale
        before = _norm(self.head)
        if not math.isfinite(before + _norm(self.rest)):
            return StepReport(loss, before, math.nan, finite=False)
        if recipe.optimisation.own_gradients:
            nn.utils.clip_grad_norm_(self.head, recipe.optimisation.head_clip)
            nn.utils.clip_grad_norm_(self.rest, recipe.optimisation.clip)
        else:
            nn.utils.clip_grad_norm_([*self.head, *self.rest], recipe.optimisation.clip)
        after = _norm(self.head)
        for stepper in self.steppers.values():
            stepper.step()
        return StepReport(loss, before, after)

    def moments(self, model: ProgressModel) -> dict[str, Moments]:
        """Return Adam's second moments by the model's parameter names, for a checkpoint."""
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        found: dict[str, Moments] = {}
        for stepper in self.steppers.values():
            order = [p for group in stepper.param_groups for p in group["params"]]
            shapes = {names[id(p)]: tuple(p.shape) for p in order}
            found |= parameter_moments(shapes, stepper.state_dict()) or {}
        return found

    def head_state(self, head: ProgressHead) -> dict[str, dict[str, object]]:
        """Return Adam's state by the head's parameter names."""
        names = {id(parameter): name for name, parameter in head.named_parameters()}
        return {
            names[id(parameter)]: dict(state)
            for stepper in self.steppers.values()
            for parameter, state in stepper.state.items()
            if id(parameter) in names
        }

    def state_dict(self) -> dict[str, object]:
        """Return the state of every optimiser."""
        return {name: stepper.state_dict() for name, stepper in self.steppers.items()}

    def load_state_dict(self, state: dict[str, dict[str, object]]) -> None:
        """Restore what `state_dict` returned."""
        for name, stepper in self.steppers.items():
            stepper.load_state_dict(state[name])


def build_optimisers(model: ProgressModel, recipe: Recipe) -> Optimisers:
    """Return the optimisers of a recipe for the parameters that require gradients."""
    head = [p for p in model.head.parameters() if p.requires_grad]
    owned = {id(p) for p in head}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
    settings = recipe.optimisation
    if settings.own_gradients:
        steppers = {"head": _adam(head, settings.head_lr, settings.weight_decay)}
        if rest:
            steppers["rest"] = _adam(rest, settings.lr, settings.weight_decay)
    else:
        steppers = {"all": _adam([*rest, *head], settings.lr, settings.weight_decay)}
    return Optimisers(recipe, head, rest, steppers)


def _adam(
    parameters: Iterable[nn.Parameter], lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    if weight_decay:
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)
    return torch.optim.Adam(parameters, lr=lr)


def _norm(parameters: Sequence[nn.Parameter]) -> float:
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    return float(torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients])))
