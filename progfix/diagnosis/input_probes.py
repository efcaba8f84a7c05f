"""Input probes: what the answers do when the input is changed in one way.

A head that does not care about a change does not use what the change destroys. Source of
the idea: de Boer et al. (ICCVW 2023), whose networks did no better with video than with
noise or frame indices as input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from progfix.data.dataset import ArrayFeatures, Video
from progfix.diagnosis.asking import Asked, Question, Sample
from progfix.diagnosis.measured import Probe, ratios

__all__ = ["INPUT_PROBES", "future_probe", "input_probes"]

Rng = np.random.Generator

FUTURE_FRAMES = 8
"""Frames before the cut whose answers and embeddings are compared."""

FUTURE_CUTS = 2
"""Segments of each video that are cut, ..."""

FUTURE_VIDEOS = 16
"""... and videos, since every cut runs the encoder anew over a whole video."""


def _same_frames(asked: Asked, embeddings: Tensor) -> Question:
    frames = np.arange(len(asked.target))
    return Question(asked, embeddings, frames, frames)


def _noise(sample: Sample, rng: Rng) -> list[Question]:
    mean, deviation = sample.columns()
    return [
        _same_frames(
            asked,
            mean
            + deviation * torch.from_numpy(rng.standard_normal(asked.embeddings.shape)).to(mean),
        )
        for asked in sample.segments
    ]


def _zeros(sample: Sample, rng: Rng) -> list[Question]:  # noqa: ARG001
    return [_same_frames(a, torch.zeros_like(a.embeddings)) for a in sample.segments]


def _frozen(sample: Sample, rng: Rng) -> list[Question]:  # noqa: ARG001
    return [_same_frames(a, a.embeddings[:1].expand_as(a.embeddings)) for a in sample.segments]


def _shuffled(sample: Sample, rng: Rng) -> list[Question]:
    """Prefixes of a quarter, a half, three quarters and the whole, each in another order."""
    questions = []
    for asked in sample.segments:
        length = len(asked.target)
        for end in sorted({math.ceil(length * part / 4) for part in (1, 2, 3, 4)}):
            if end >= 2:
                order = torch.from_numpy(rng.permutation(end))
                last = np.array([end - 1])
                questions.append(Question(asked, asked.embeddings[:end][order], last, last))
    return questions


def _swapped(sample: Sample, rng: Rng) -> list[Question]:
    """The frames of another action's segment, stretched to the same length."""
    questions = []
    for asked in sample.segments:
        others = [o for o in sample.segments if o.segment.action != asked.segment.action] or [
            o for o in sample.segments if o is not asked
        ]
        if others:
            other = others[rng.integers(len(others))].embeddings
            rows = np.linspace(0, len(other) - 1, len(asked.target)).round().astype(np.int64)
            questions.append(_same_frames(asked, other[torch.from_numpy(rows)]))
    return questions


def _half_rate(sample: Sample, rng: Rng) -> list[Question]:  # noqa: ARG001
    """Every second frame: the action seems to go twice as fast."""
    questions = []
    for asked in sample.segments:
        frames = np.arange(1, len(asked.target), 2)
        if len(frames):
            kept = asked.embeddings[torch.from_numpy(frames)]
            questions.append(Question(asked, kept, np.arange(len(frames)), frames))
    return questions


def _double_rate(sample: Sample, rng: Rng) -> list[Question]:  # noqa: ARG001
    """Every frame twice: the action seems to go half as fast."""
    return [
        Question(
            asked,
            asked.embeddings.repeat_interleave(2, dim=0),
            np.arange(1, 2 * len(asked.target), 2),
            np.arange(len(asked.target)),
        )
        for asked in sample.segments
    ]


INPUT_PROBES: Mapping[str, tuple[str, Callable[[Sample, Rng], list[Question]]]] = {
    "noise": ("noise in place of the embeddings", _noise),
    "zeros": ("zeros in place of the embeddings", _zeros),
    "frozen": ("the first frame, held", _frozen),
    "shuffled": ("the frames so far in another order", _shuffled),
    "swapped": ("another action's frames", _swapped),
    "half-rate": ("every second frame", _half_rate),
    "double-rate": ("every frame twice", _double_rate),
}
"""Probes by name: what they do in a few words, and the questions they ask."""


def input_probes(sample: Sample, *, seed: int = 0) -> list[Probe]:
    """Run all input probes on a sample, `future` last.

    Args:
        sample: Segments with the model's answers, at least one.
        seed: Of noise, orders and partners.
    """
    probes = []
    for place, (name, (what, ask)) in enumerate(INPUT_PROBES.items()):
        questions = ask(sample, np.random.default_rng([seed, place]))
        if questions:
            probes.append(_probe(name, what, sample.ask(questions)))
    future = future_probe(sample)
    return probes if future is None else [*probes, future]


def _probe(name: str, what: str, sums: np.ndarray, *, embedding_change: float = math.nan) -> Probe:
    seen = sums[sums[:, 0] > 0]
    frames, moved, after, before = seen.T
    change, mae, mae_change = ratios(np.stack([moved, after, after - before], axis=1), frames)
    number = int(frames.sum())
    return Probe(name, what, change, mae, mae_change, number, len(seen), embedding_change)


def future_probe(sample: Sample) -> Probe | None:
    """Replace what comes after a frame and compare what was said up to it.

    The video's later features are those of another video (of its own in reverse order where
    there is none), its length stays. Embeddings are made anew, and the head sees the
    segment up to the cut only. A causal encoder and head answer the same.

    Returns:
        The probe; None where no segment has a frame after its middle.
    """
    questions = []
    moved = spread = 0.0
    _, deviation = sample.columns()
    cuts = [0] * len(sample.videos)
    for asked in sample.segments:
        place = asked.place
        last = asked.segment.start + (len(asked.target) - 1) // 2
        video = sample.videos[place]
        if place >= FUTURE_VIDEOS or cuts[place] >= FUTURE_CUTS or last + 1 >= video.num_frames:
            continue
        cuts[place] += 1
        donor = sample.videos[(place + 1) % len(sample.videos)]
        changed = sample.probing.embed(_other_future(video, donor, last + 1))
        kept = changed[asked.segment.start : last + 1]
        frames = np.arange(max(0, len(kept) - FUTURE_FRAMES), len(kept))
        questions.append(Question(asked, kept, frames, frames))
        rows = torch.from_numpy(frames)
        moved += float(((kept - asked.embeddings[: len(kept)])[rows] ** 2).sum())
        spread += float((deviation**2).sum()) * len(frames)
    if not questions:
        return None
    change = math.sqrt(moved / spread) if spread > 0 else math.nan
    what = "another future after the same past"
    return _probe("future", what, sample.ask(questions), embedding_change=change)


def _other_future(video: Video, donor: Video, first: int) -> Video:
    features = video.read().copy()
    after = (donor.read() if donor is not video else features[::-1])[: len(features)]
    # Repeated where the donor is shorter than what it has to fill.
    rows = np.resize(np.arange(len(after)), len(features) - first)
    features[first:] = after[rows]
    return replace(video, features=ArrayFeatures(features))
