"""What a run works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from progfix.data.dataset import Video
from progfix.frame_counting import FrameCounting
from progfix.heads.base import ProgressHead
from progfix.model import ProgressModel
from progfix.training.embeddings import EmbeddingCache
from progfix.training.optimisers import Optimisers
from progfix.training.processes import ALONE, Processes
from progfix.training.recipe import Recipe

__all__ = ["Setup"]


@dataclass(frozen=True, eq=False)
class Setup:
    """What a run works on; nothing in it changes but the parameters.

    Attributes:
        model: The model in training.
        recipe: What to do.
        train: Training videos with features.
        val: Validation videos with features.
        embeddings: Their embeddings.
        counting: Frame counting fitted on the training durations.
        optimisers: What moves the parameters.
        seed: Of every draw in the run.
        deviation: Standard deviation of each column that the head reads, `(D,)`, for feature
            noise; of embeddings in training each group has its own.
        average: Moving average of the head's weights, or None where the recipe has none.
        processes: Those that work on the run together.
    """

    model: ProgressModel
    recipe: Recipe
    train: Sequence[Video]
    val: Sequence[Video]
    embeddings: EmbeddingCache
    counting: FrameCounting
    optimisers: Optimisers
    seed: int
    deviation: Tensor
    average: AveragedModel | None = None
    processes: Processes = ALONE

    @property
    def judged(self) -> ProgressHead:
        """The head that is validated and stored: the average, where there is one."""
        if self.average is None:
            return self.model.head
        return cast("ProgressHead", self.average.module)
