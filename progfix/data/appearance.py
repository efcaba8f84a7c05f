"""What synthetic frames look like: the generative model behind all synthetic features.

A frame's features are the sum of four parts, each with the Euclidean norm given:

- what is done: the action's prototype, norm about 3 (background has one, too);
- who does it: the video's nuisance, norm about 1.5, the same in all its frames;
- how far it is: the phase, norm up to about 3. A visible action moves along a smooth
  curve, a straight drift of length 3 plus a half sine of height 3 at right angles to it; a
  repetitive one circles with radius 3, so that a frame says nothing of progress;
- noise, norm about 2, independent in every frame and column.

Everything is drawn by NumPy's PCG64 from seeds made of names (`stream`), in an order that
does not depend on other videos, so that a video is the same wherever it is generated.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Segment

__all__ = ["Appearance", "Look", "SyntheticFeatures", "looks_of", "stream"]

PROTOTYPE_NORM = 3.0
NUISANCE_NORM = 1.5
PHASE_NORM = 3.0
PERIOD_SECONDS = (2.0, 6.0)
"""Shortest and longest period of a repetitive action, uniform."""

BACKGROUND = ""
"""Name under which background draws its prototype; no action is called so."""


@dataclass(frozen=True)
class Appearance:
    """Parameters of the model.

    Attributes:
        seed: Of everything.
        dim: Columns of the features.
        noise: Norm of a frame's noise, roughly.
        visible: Share of actions that advance visibly; the others are repetitive.
        fps: Frames per second, which periods in seconds are brought to.
    """

    seed: int = 0
    dim: int = 128
    noise: float = 2.0
    visible: float = 0.75
    fps: float = 4.0


@dataclass(frozen=True, eq=False)
class Look:
    """How one action looks.

    Attributes:
        prototype: float64 `(D,)`.
        along: Unit vector `(D,)` of the drift, or of the circle's first axis.
        across: Unit vector `(D,)` at right angles to it.
        period: Frames of a repetition; None for an action that advances visibly.
    """

    prototype: NDArray[np.float64]
    along: NDArray[np.float64]
    across: NDArray[np.float64]
    period: float | None

    def phase(self, duration: int, offset: float) -> NDArray[np.float64]:
        """Return the phase part of an instance's frames, float64 `(duration, D)`.

        Args:
            duration: Frames of the instance.
            offset: Where a repetitive action starts in its cycle, in [0, 1).
        """
        if self.period is None:
            progress = (np.arange(duration) + 1) / duration
            x, y = progress, np.sin(math.pi * progress)
        else:
            angle = 2 * math.pi * (np.arange(duration) / self.period + offset)
            x, y = np.cos(angle), np.sin(angle)
        return PHASE_NORM * (np.outer(x, self.along) + np.outer(y, self.across))


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the random stream that belongs to a seed and names, the same everywhere."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64([seed, int.from_bytes(digest[:8], "big")]))


@lru_cache(maxsize=64)
def looks_of(actions: Sequence[str], appearance: Appearance) -> Mapping[str, Look]:
    """Return the looks of the actions, and of `BACKGROUND`.

    Args:
        actions: Distinct names, as a tuple. The share `visible` of them, rounded to whole
            actions, advance visibly; which ones is drawn.
        appearance: The model's parameters.
    """
    rank = {name: stream(appearance.seed, "visible", name).random() for name in actions}
    visible = sorted(actions, key=rank.__getitem__)[: round(appearance.visible * len(actions))]
    return {
        name: _look(name, appearance, name == BACKGROUND or name in visible)
        for name in (*actions, BACKGROUND)
    }


def _look(name: str, appearance: Appearance, visible: bool) -> Look:
    random = stream(appearance.seed, "look", name)
    prototype, along, across = random.standard_normal((3, appearance.dim))
    along /= np.linalg.norm(along)
    across -= (across @ along) * along
    low, high = PERIOD_SECONDS
    period = (low + (high - low) * random.random()) * appearance.fps
    return Look(
        PROTOTYPE_NORM / math.sqrt(appearance.dim) * prototype,
        along,
        across / np.linalg.norm(across),
        None if visible else period,
    )


@dataclass(frozen=True)
class SyntheticFeatures:
    """Features of one video, generated when they are read.

    Attributes:
        name: Task and name of the video, the seed of its nuisance and noise.
        num_frames: T.
        segments: What happens in it; the rest is background, and a frame in two segments
            shows the later one.
        actions: Names of all actions of the data, which looks are drawn for.
        appearance: The model's parameters.
    """

    name: str
    num_frames: int
    segments: tuple[Segment, ...]
    actions: tuple[str, ...]
    appearance: Appearance

    @property
    def shape(self) -> tuple[int, ...]:
        """`(T, D)`."""
        return (self.num_frames, self.appearance.dim)

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return frames `start` to `stop`, half-open, float32 `(n, D)`."""
        return _generate(self)[start:stop].copy()


@lru_cache(maxsize=64)
def _generate(video: SyntheticFeatures) -> NDArray[np.float32]:
    looks = looks_of(video.actions, video.appearance)
    dim = video.appearance.dim
    random = stream(video.appearance.seed, "video", video.name)
    nuisance = NUISANCE_NORM / math.sqrt(dim) * random.standard_normal(dim)
    frames = np.tile(looks[BACKGROUND].prototype, (video.num_frames, 1))
    for segment in video.segments:
        look = looks[segment.action]
        phase = look.phase(segment.duration, random.random())
        frames[segment.start : segment.end + 1] = look.prototype + phase
    noise = video.appearance.noise / math.sqrt(dim) * random.standard_normal(frames.shape)
    return (frames + nuisance + noise).astype(np.float32)
