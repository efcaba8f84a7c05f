"""One training step: from the losses to new parameters, and what the gradients were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from progfix.checkpoints.moments import Moments, parameter_moments
from progfix.model import ProgressModel
from progfix.training.processes import ALONE, Processes
from progfix.training.recipe import Recipe
from progfix.training.sums import StepSums

__all__ = ["Optimisers", "StepReport", "build_optimisers"]


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    Attributes:
        loss: Mean progress loss of its groups, not multiplied by lambda.
        alignment: Their mean alignment loss; None without a method.
        head_gradient: Norm of the head's gradient, as it leaves the loss.
        head_share: What that is of the norm of all gradients before clipping, in [0, 1].
        head_applied: Norm of what clipping left of it for the optimiser.
        skipped: Groups whose total loss was too large, or that had none: they changed nothing,
            or with own gradients nothing but the head.
        moved: The head took a step.
        finite: The losses and their gradients were finite; if not, nothing was changed.
    """

    loss: float = math.nan
    alignment: float | None = None
    head_gradient: float = math.nan
    head_share: float = math.nan
    head_applied: float = math.nan
    skipped: int = 0
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
        """Move the parameters along the gradient of one group's losses.

        Args:
            progress: Scalar progress loss.
            alignment: Scalar alignment loss, or None.

        Returns:
            The report; with a loss that is not finite nothing was changed.
        """
        sums = self.begin()
        self.add(sums, progress, alignment)
        return self.finish(sums)

    def begin(self) -> StepSums:
        """Begin a step, which has no gradient yet."""
        for parameter in (*self.head, *self.rest):
            parameter.grad = None
        return StepSums()

    def add(self, sums: StepSums, progress: Tensor, alignment: Tensor | None = None) -> None:
        """Add the gradient of a group's alignment + lambda * progress.

        A loss that is not finite adds none, nor does one that is too large; a head with its
        own gradients does not wait for what the encoder is spared.

        Args:
            sums: Of the step; the group is added.
            progress: Scalar progress loss.
            alignment: Scalar alignment loss, or None.
        """
        settings, scale = self.recipe.optimisation, self.recipe.objective.progress_lambda
        parts = [loss for loss in (alignment, progress * scale) if loss is not None]
        value = sum(float(part.detach()) for part in parts)
        sums.groups += 1
        sums.progress += float(progress.detach())
        if alignment is not None:
            sums.aligned += 1
            sums.alignment += float(alignment.detach())
        if not math.isfinite(value):
            sums.broken += 1
            return
        if value > settings.skip_above:
            sums.skipped += 1
            if not (settings.own_gradients and alignment is not None):
                return
            parts = parts[1:]
        else:
            sums.rest += 1
        sums.head += 1
        sum(parts[1:], start=parts[0]).backward()

    def finish(self, sums: StepSums, processes: Processes = ALONE) -> StepReport:
        """Move the parameters along the mean of the gradients that were added.

        Args:
            sums: Of all processes (`StepSums.of_all`).
            processes: Whose gradients to add to one another.

        Returns:
            The report; with a loss that is not finite nothing was changed.

        Raises:
            LostProcessError: If a process has gone; nothing was changed.
        """
        report = StepReport(
            loss=sums.loss, alignment=sums.mean_alignment, skipped=int(sums.skipped)
        )
        if sums.broken:
            return replace(report, finite=False)
        if not sums.head:
            return report
        gradients = [p.grad for p in (*self.head, *self.rest) if p.grad is not None]
        processes.add_up(gradients)
        scale = self.recipe.objective.progress_lambda
        _divide(self.head, scale * sums.head)
        if sums.rest:
            _divide(self.rest, sums.rest)
        before, others = _norm(self.head), _norm(self.rest)
        total = math.hypot(before, others)
        if not math.isfinite(total):
            return replace(report, head_gradient=before, finite=False)
        self._clip()
        for name, stepper in self.steppers.items():
            if name != "rest" or sums.rest:
                stepper.step()
        return replace(
            report,
            head_gradient=before,
            head_share=before / total if total else 0.0,
            head_applied=_norm(self.head),
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


def build_optimisers(model: ProgressModel, recipe: Recipe, *, still: bool = False) -> Optimisers:
    """Return the optimisers of a recipe for the parameters that require gradients.

    Args:
        model: The model.
        recipe: The recipe.
        still: A step computes and clips the gradients, and leaves the parameters where they
            are. PyTorch's optimisers load its compiler, which takes longer than a diagnosis.
    """
    head = [p for p in model.head.parameters() if p.requires_grad]
    owned = {id(p) for p in head}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
    settings = recipe.optimisation
    steppers: dict[str, torch.optim.Optimizer]
    if still:
        steppers = {}
    elif settings.own_gradients:
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


def _divide(parameters: Sequence[nn.Parameter], by: float) -> None:
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad /= by


def _norm(parameters: Sequence[nn.Parameter]) -> float:
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    return float(torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients])))
