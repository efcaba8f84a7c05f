"""One training step: from the loss to new parameters, and what the gradients were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from progfix.checkpoints.moments import Moments, parameter_moments
from progfix.model import ProgressModel
from progfix.training.recipe import Recipe

__all__ = ["Optimisers", "StepReport", "build_optimisers"]


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    Attributes:
        loss: The progress loss, not multiplied by lambda.
        alignment: The alignment loss; None without a method.
        head_gradient: Norm of the head's gradient, as it leaves the loss.
        head_share: What that is of the norm of all gradients before clipping, in [0, 1].
        head_applied: Norm of what clipping left of it for the optimiser.
        skipped: The total loss was too large, or there was none: nothing was changed, or
            with own gradients nothing but the head.
        moved: The head took a step.
        finite: The losses and their gradients were finite; if not, nothing was changed.
    """

    loss: float = math.nan
    alignment: float | None = None
    head_gradient: float = math.nan
    head_share: float = math.nan
    head_applied: float = math.nan
    skipped: bool = False
    moved: bool = False
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
        settings, scale = self.recipe.optimisation, self.recipe.objective.progress_lambda
        parts = [loss for loss in (alignment, progress * scale) if loss is not None]
        value = sum(float(part.detach()) for part in parts)
        report = StepReport(
            loss=float(progress.detach()),
            alignment=None if alignment is None else float(alignment.detach()),
        )
        if not math.isfinite(value):
            return replace(report, finite=False)
        steppers = dict(self.steppers)
        skipped = value > settings.skip_above
        if skipped:
            if not (settings.own_gradients and alignment is not None):
                return replace(report, skipped=True)
            # A head of its own does not wait for what the encoder is spared.
            parts, steppers = [parts[1]], {"head": steppers["head"]}
        for parameter in (*self.head, *self.rest):
            parameter.grad = None
        sum(parts[1:], start=parts[0]).backward()
        for parameter in self.head:
            if parameter.grad is not None:
                parameter.grad /= scale
        before, others = _norm(self.head), _norm(self.rest)
        total = math.hypot(before, others)
        if not math.isfinite(total):
            return replace(report, head_gradient=before, finite=False)
        self._clip()
        for stepper in steppers.values():
            stepper.step()
        return replace(
            report,
            head_gradient=before,
            head_share=before / total if total else 0.0,
            head_applied=_norm(self.head),
            skipped=skipped,
            moved=True,
        )

    def _clip(self) -> None:
        settings = self.recipe.optimisation
        if settings.own_gradients:
            nn.utils.clip_grad_norm_(self.head, settings.head_clip)
            nn.utils.clip_grad_norm_(self.rest, settings.clip)
        else:
            nn.utils.clip_grad_norm_([*self.head, *self.rest], settings.clip)

    def moments(self, model: ProgressModel) -> dict[str, Moments]:
        """Return Adam's second moments by the model's parameter names, for a checkpoint."""
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        found: dict[str, Moments] = {}
        for stepper in self.steppers.values():
            order = [p for group in stepper.param_groups for p in group["params"]]
            shapes = {names[id(p)]: tuple(p.shape) for p in order}
            found |= parameter_moments(shapes, stepper.state_dict()) or {}
        return found

    def state_of(self, part: nn.Module) -> dict[str, dict[str, object]]:
        """Return Adam's state by parameter names of a part of the model."""
        names = {id(parameter): name for name, parameter in part.named_parameters()}
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
