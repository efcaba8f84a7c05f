"""Everything that a training run is, as data.

A `Recipe` is a frozen dataclass of small frozen dataclasses; a solution (see
`progfix.solutions`) maps one recipe to another. `SEED_RECIPE` is the run that fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from progfix.heads.spec import HeadSpec

__all__ = [
    "SEED_RECIPE",
    "Augmentation",
    "Method",
    "Objective",
    "Optimisation",
    "Recipe",
    "Sampling",
]


@dataclass(frozen=True)
class Sampling:
    """Which prefixes of a batch's segments the head is trained on.

    Attributes:
        frames: "sampled" draws prefixes as the failing recipe does; "every" takes every
            frame of every segment, the first included (solution s).
        samples_per_video: Segments drawn per video, with replacement ("sampled").
        frames_per_segment: Distinct target frames per drawn segment, at most ("sampled").
        min_segment_len: Shortest segment to draw from, and fewest frames of a prefix where
            the segment allows (solution c raises it) ("sampled").
    """

    frames: Literal["sampled", "every"] = "sampled"
    samples_per_video: int = 5
    frames_per_segment: int = 3
    min_segment_len: int = 3


@dataclass(frozen=True)
class Objective:
    """What the head's error costs.

    Attributes:
        loss: "l1", the mean absolute error over the frames of the batch.
        early_weight: Multiply a frame's loss by min(1 / max(target, 0.05), 20) (solution e).
        progress_lambda: Factor of the progress loss in the total; the head's gradients are
            divided by it again before clipping.
    """

    loss: Literal["l1"] = "l1"
    early_weight: bool = False
    progress_lambda: float = 1e6


@dataclass(frozen=True)
class Optimisation:
    """How the parameters move.

    Attributes:
        epochs: Passes over the training videos.
        batch_videos: Videos per step, all of one task.
        lr: Adam's step size for all that is not the head, and for the head too unless
            `own_gradients`.
        clip: Global gradient norm over all parameters, the head's included unless
            `own_gradients`.
        own_gradients: The head has its own optimiser, rate and clip, and sends no gradient
            to the encoder (solution g).
        head_lr: The head's step size with `own_gradients`.
        head_clip: The head's gradient norm with `own_gradients`.
        weight_decay: Decoupled weight decay (AdamW); 0 is plain Adam.
        average: Decay of the exponential moving average of the head's weights, which is
            what is validated and stored; 0 stores the weights themselves.
        skip_above: A batch whose total loss is larger is skipped, with a count in the
            history.
    """

    epochs: int = 50
    batch_videos: int = 2
    lr: float = 1e-4
    clip: float = 1e-5
    own_gradients: bool = False
    head_lr: float = 1e-3
    head_clip: float = 1.0
    weight_decay: float = 0.0
    average: float = 0.0
    skip_above: float = 1e7


@dataclass(frozen=True)
class Augmentation:
    """How a batch's segments are changed before the head sees them; targets follow.

    Attributes:
        time_warp: Each segment is played faster or slower by a factor exp(u), u uniform in
            +-time_warp.
        feature_noise: Independent Gaussian noise on every embedding value, as a share of
            its column's standard deviation over the training frames.
    """

    time_warp: float = 0.0
    feature_noise: float = 0.0


@dataclass(frozen=True)
class Method:
    """The alignment method that trains the encoder beside the head.

    Attributes:
        name: "none" feeds the features, or a frozen encoder's embeddings, to the head.
    """

    name: Literal["none"] = "none"


@dataclass(frozen=True)
class Recipe:
    """A training run, apart from its data and seed.

    Attributes:
        solution: The letters applied to `SEED_RECIPE`, in alphabetical order; empty for
            the baseline.
        head: The progress head.
        sampling: Which prefixes it sees.
        objective: What its error costs.
        augmentation: How its input is varied.
        optimisation: How it moves.
        method: What trains the encoder.
    """

    solution: str = ""
    head: HeadSpec = field(default_factory=HeadSpec)
    sampling: Sampling = field(default_factory=Sampling)
    objective: Objective = field(default_factory=Objective)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimisation: Optimisation = field(default_factory=Optimisation)
    method: Method = field(default_factory=Method)


SEED_RECIPE = Recipe()
"""The failing recipe, as the fork trains at 3030255 with a learnable head and lambda 1e6.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/alignment_training_loop.py,
utils/tensorops.py and configs/generic_config.py.
"""
