"""The built-in data, `procedures/1`, and synthetic features for real annotations.

Every number here is part of the version: a change makes `procedures/2`, so that figures
measured on it keep their meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from progfix.data.appearance import Appearance, SyntheticFeatures, stream
from progfix.data.dataset import Dataset, Segment, Video
from progfix.data.options import BUILT_IN
from progfix.errors import InputError, Problem

__all__ = ["Procedures", "parse_procedures", "procedures", "with_synthetic_features"]

ACTIONS_PER_TASK = 8
MEDIAN_SECONDS = (5.0, 40.0)
"""Shortest and longest median duration of an action, log-uniform: 20 to 160 frames at 4 fps."""
DURATION_SIGMA = 0.35
"""Standard deviation of the logarithm of an action's duration between its instances."""
SWAP = 0.15
"""Probability that a step changes places with the next one."""
OMISSION = 0.1
"""Probability that a step is left out."""
GAP_SECONDS = (1.0, 6.0)
"""Shortest and longest background before each action and after the last, uniform."""


@dataclass(frozen=True)
class Procedures:
    """Sizes and difficulty of the built-in data; the defaults are `procedures/1` as such.

    Attributes:
        seed: Of everything; an integer from 0.
        tasks: Procedures, each with 8 actions of its own.
        videos: Videos per procedure: a sixth each for validation and test, the rest for
            training.
        fps: Frames per second; durations in seconds do not depend on it.
        dim: Columns of the features.
        noise: Norm of a frame's noise, roughly; an action's prototype has norm 3.
        visible: Share of actions whose progress can be seen, in [0, 1].
    """

    seed: int = 0
    tasks: int = 4
    videos: int = 24
    fps: float = 4.0
    dim: int = 128
    noise: float = 2.0
    visible: float = 0.75

    @property
    def name(self) -> str:
        """The built-in name that gives the same data, such as "procedures/1:seed=3"."""
        changed = ",".join(
            f"{option.name}={getattr(self, option.name):g}"
            for option in fields(self)
            if getattr(self, option.name) != option.default
        )
        return f"{BUILT_IN}:{changed}" if changed else BUILT_IN

    @property
    def appearance(self) -> Appearance:
        """How its frames look."""
        return Appearance(self.seed, self.dim, self.noise, self.visible, self.fps)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "tasks": (1, 1000),
    "videos": (3, 100_000),
    "fps": (0.1, 1000),
    "dim": (2, 65_536),
    "noise": (0, 1e6),
    "visible": (0, 1),
}
"""Smallest and largest value of each option."""


def parse_procedures(text: str) -> Procedures:
    """Read a built-in name such as "procedures/1" or "procedures/1:seed=3,visible=0.5".

    Raises:
        InputError: If an option is unknown, or its value is out of range.
    """
    _, _, options = text.partition(":")
    problems = []
    values: dict[str, float] = {}
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        if name not in _LIMITS:
            expected = f"options out of {', '.join(_LIMITS)}"
            problems.append(Problem(text, expected, repr(name), "write name=value"))
            continue
        low, high = _LIMITS[name]
        whole = isinstance(getattr(Procedures, name), int)
        try:
            values[name] = int(value) if whole else float(value)
        except ValueError:
            values[name] = math.nan
        if not low <= values[name] <= high:
            expected = f"{name} {'a whole number ' if whole else ''}from {low:g} to {high:g}"
            problems.append(Problem(text, expected, repr(value), "choose another value"))
    if problems:
        raise InputError(problems)
    return Procedures(**values)  # type: ignore[arg-type]  # whole numbers are int here


def procedures(spec: Procedures) -> Dataset:
    """Return the built-in data; features are generated when they are read.

    Tasks are called "procedure-1", ..., their actions "p1-a" to "p1-h" in the order of the
    recipe, their videos "p1-01", .... An action's median duration is log-uniform in 5 to 40
    seconds and its instances log-normal around it with sigma 0.35. In each video each step
    changes places with the next with probability 0.15, is left out with probability 0.1
    (at least one stays), and is preceded by 1 to 6 seconds of background, as is the end.

    Args:
        spec: Sizes and difficulty.

    Source: ours; the sizes are those of progfix's design.
    """
    videos = []
    held_out = max(1, round(spec.videos / 6))
    last_train = spec.videos - 2 * held_out
    for task in range(1, spec.tasks + 1):
        actions = tuple(f"p{task}-{letter}" for letter in "abcdefgh"[:ACTIONS_PER_TASK])
        medians = {action: _median(spec, action) for action in actions}
        for number in range(1, spec.videos + 1):
            name = f"p{task}-{number:02d}"
            segments, frames = _timeline(spec, name, medians)
            features = SyntheticFeatures(name, frames, segments, actions, spec.appearance)
            split = (
                "train"
                if number <= last_train
                else "val"
                if number <= last_train + held_out
                else "test"
            )
            videos.append(
                Video(name, f"procedure-{task}", frames, segments, features, split, spec.fps)
            )
    return Dataset(tuple(videos), spec.name, spec.name)


def _median(spec: Procedures, action: str) -> float:
    """Return the median duration of an action in seconds."""
    low, high = MEDIAN_SECONDS
    return float(low * (high / low) ** stream(spec.seed, "median", action).random())


def _timeline(
    spec: Procedures, video: str, medians: Mapping[str, float]
) -> tuple[tuple[Segment, ...], int]:
    """Return the segments of a video in order, and its frames."""
    random = stream(spec.seed, "timeline", video)
    order = list(medians)
    for step in range(len(order) - 1):
        if random.random() < SWAP:
            order[step], order[step + 1] = order[step + 1], order[step]
    kept = [action for action in order if random.random() >= OMISSION] or order[:1]
    low, high = GAP_SECONDS
    frame = 0
    segments = []
    for action in kept:
        frame += round(spec.fps * (low + (high - low) * random.random()))
        seconds = medians[action] * math.exp(DURATION_SIGMA * random.standard_normal())
        duration = max(1, round(spec.fps * seconds))
        segments.append(Segment(frame, frame + duration - 1, action))
        frame += duration
    frame += round(spec.fps * (low + (high - low) * random.random()))
    return tuple(segments), frame


def with_synthetic_features(videos: Sequence[Video], appearance: Appearance) -> tuple[Video, ...]:
    """Give real annotations features of the same generative model as the built-in data's.

    Args:
        videos: Annotated videos; features that they have are replaced.
        appearance: Parameters; `fps` is taken from each video where it is known. An action
            looks the same in all tasks.
    """
    actions = tuple(dict.fromkeys(s.action for video in videos for s in video.segments))
    made = []
    for video in videos:
        own = replace(appearance, fps=video.fps or appearance.fps)
        name = f"{video.task}/{video.name}"
        features = SyntheticFeatures(name, video.num_frames, video.segments, actions, own)
        source = f"{video.source or video.name}, synthetic features"
        made.append(replace(video, features=features, source=source))
    return tuple(made)
