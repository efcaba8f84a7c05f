"""Everything that a training run is, as data.

A `Recipe` is a frozen dataclass of small frozen dataclasses; a solution (see
`progfix.solutions`) maps one recipe to another. `SEED_RECIPE` is the run that fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from progfix.heads.spec import HeadSpec
from progfix.ranges import Range

__all__ = [
    "SEED_RECIPE",
    "Augmentation",
    "EncoderName",
    "InitialWeights",
    "Losses",
    "Method",
    "MethodName",
    "Objective",
    "Optimisation",
    "Precision",
    "Recipe",
    "Sampling",
    "changes",
    "published_method",
    "with_values",
]

# The same names as `alignment.METHODS`, its modes and `encoders.EncoderKind` have, written
# here again because the command line reads this module before torch is there.
MethodName = Literal["none", "tcc", "gtcc", "lav", "vava"]
Losses = Literal["paper", "gtcc"]
EncoderName = Literal["stacking", "resnet", "naive"]
InitialWeights = Literal["he", "torch"]

Precision = Literal["float32", "bf16", "float64"]

_Count = Annotated[int, Range(1)]


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
    samples_per_video: _Count = 5
    frames_per_segment: _Count = 3
    min_segment_len: _Count = 3


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
    progress_lambda: Annotated[float, Range(0, above=True)] = 1e6


@dataclass(frozen=True)
class Optimisation:
    """How the parameters move.

    Attributes:
        epochs: Passes over the training videos.
        batch_videos: Videos of a group, all of one task. A group is the unit of work: losses
            compare its videos, and are means over it.
        groups_per_step: Groups that a step takes together, in all processes: its gradient is
            the mean of theirs.
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
        precision: "bf16" computes an encoder in training in bfloat16 where that loses little
            (torch.autocast); its losses, the head and all weights stay float32. "float64" is
            for comparing runs: everything is.
        skip_above: A group whose total loss is larger is skipped, with a count in the
            history.
    """

    epochs: _Count = 50
    batch_videos: _Count = 2
    groups_per_step: _Count = 1
    lr: Annotated[float, Range(0, above=True)] = 1e-4
    clip: Annotated[float, Range(0, above=True)] = 1e-5
    own_gradients: bool = False
    head_lr: Annotated[float, Range(0, above=True)] = 1e-3
    head_clip: Annotated[float, Range(0, above=True)] = 1.0
    weight_decay: Annotated[float, Range(0)] = 0.0
    average: Annotated[float, Range(0, 0.9999)] = 0.0
    precision: Precision = "float32"
    skip_above: Annotated[float, Range(0, math.inf, above=True)] = 1e7


@dataclass(frozen=True)
class Augmentation:
    """How a batch's segments are changed before the head sees them; targets follow.

    Attributes:
        time_warp: Each segment is played faster or slower by a factor exp(u), u uniform in
            +-time_warp.
        feature_noise: Independent Gaussian noise on every embedding value, as a share of
            its column's standard deviation over the training frames.
    """

    time_warp: Annotated[float, Range(0, 2)] = 0.0
    feature_noise: Annotated[float, Range(0, 100)] = 0.0


@dataclass(frozen=True)
class Method:
    """The alignment method that trains an encoder beside the head, and that encoder.

    The total is alignment + lambda * progress, over a group of videos of one task. The
    widths of the encoders are the GTCC code base's (`progfix.encoders.new_encoder`).

    Attributes:
        name: "none" trains no encoder: the features, or a frozen encoder's embeddings, go
            to the head.
        losses: "paper" is the published definition of the method's loss, "gtcc" what the
            GTCC code base computes under its name (`progfix.alignment.compat`).
        frames: Frames of each video that the alignment loss compares, drawn anew for each
            step, one from each of as many equal stretches; 0 compares all, as the GTCC
            code base does. The encoder always sees whole videos.
        encoder: "stacking" and "naive" take feature vectors, "resnet" feature maps.
        mcn: Make it the multi-task network: the encoder shared, a head for each task of
            the data, attention over the heads.
        causal: No embedding depends on a later frame. The GTCC code base's do: "stacking"
            looks 7 frames ahead, the network's attention mixes all of time.
        initial: Weights that the encoder begins with (`progfix.encoders.new_encoder`).
        size: Size of an embedding.
        features: What the progress head reads: the encoder's "embedding", or the "raw"
            features that the encoder reads.
    """

    name: MethodName = "none"
    losses: Losses = "paper"
    frames: Annotated[int, Range(0)] = 256
    encoder: EncoderName = "stacking"
    mcn: bool = False
    causal: bool = True
    initial: InitialWeights = "he"
    size: _Count = 128
    features: Literal["embedding", "raw"] = "embedding"

    @property
    def trains_encoder(self) -> bool:
        """Whether there is an encoder in training."""
        return self.name != "none"


def published_method(name: MethodName) -> Method:
    """Return a method exactly as the failing recipe runs it, the multi-task network included.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce at 3030255 with --mcn and --temporal_stacking.
    """
    return Method(name, losses="gtcc", frames=0, mcn=True, causal=False, initial="torch")


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

    @property
    def name(self) -> str:
        """What a run of it is called: its letters, after its method where it has one."""
        letters = self.solution or "baseline"
        return f"{self.method.name}-{letters}" if self.method.trains_encoder else letters


def changes(before: Recipe, after: Recipe) -> dict[str, Any]:
    """Return the values of `after` that differ, by dotted name such as "head.dropout".

    The letters are not a value: they say which ones were applied.
    """
    return {
        f"{part.name}.{entry.name}": value
        for part in fields(Recipe)
        if part.name != "solution"
        for entry in fields(getattr(after, part.name))
        if (value := getattr(getattr(after, part.name), entry.name))
        != getattr(getattr(before, part.name), entry.name)
    }


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Return the recipe with these values, by dotted name."""
    for name, value in values.items():
        part, _, entry = name.partition(".")
        recipe = replace(recipe, **{part: replace(getattr(recipe, part), **{entry: value})})
    return recipe


SEED_RECIPE = Recipe()
"""The failing recipe, as the fork trains at 3030255 with a learnable head and lambda 1e6.

Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/alignment_training_loop.py,
utils/tensorops.py and configs/generic_config.py.
"""
