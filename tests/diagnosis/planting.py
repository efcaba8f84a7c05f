"""Diseases of models, and what counts as finding them: fixed before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.heads.gru import GruHead
from progfix.heads.spec import HeadSpec
from progfix.solutions import apply
from progfix.training.recipe import SEED_RECIPE
from tests.diagnosis.world import DIM, VISIBLE, WHIM, Case, World, counts, sees

HEALTHY: Mapping[str, Callable[[int], Case]] = {
    "sees": lambda seed: Case(World(seed), sees),
    "sees little": lambda seed: Case(World(seed, noise=0.2), partial(sees, frames=8)),
    "sees and counts": lambda seed: Case(
        World(seed), lambda e, t: 0.8 * sees(e, t) + 0.2 * counts(e, t)
    ),
    "is shy": lambda seed: Case(World(seed), lambda e, t: 0.06 + 0.88 * sees(e, t)),
    "gives intervals": lambda seed: Case(World(seed), sees, interval=0.11),
    "has a position input": lambda seed: Case(
        World(seed), sees, spec=HeadSpec(extra=("position",)), recipe=apply("ags")
    ),
}


def healthy(seed: int) -> Case:
    """What diseases are planted in: sound heads of several kinds, by seed."""
    kinds = ("sees", "sees little", "sees and counts", "is shy")
    return HEALTHY[kinds[seed % len(kinds)]](seed)


@dataclass(frozen=True)
class Disease:
    """Something wrong.

    Attributes:
        plant: What it does to a sound case.
        accepted: Ids of findings that name it.
        part: What it changes; two diseases of one part cannot both be planted.
        hides: It leaves nothing for another disease of the answers to show in.
    """

    plant: Callable[[Case], Case]
    accepted: frozenset[str]
    part: str
    hides: bool = False


class Peek(nn.Module):
    """What a frame shows of progress is mixed with something shown three frames later."""

    def forward(self, features: Tensor) -> Tensor:
        later = torch.cat([features[3:], features[-1:].expand(3, -1)])
        mixed = features.clone()
        mixed[:, VISIBLE] += 0.1 * later[:, DIM - 1]
        return mixed


def _fresh() -> GruHead:
    return GruHead(HeadSpec(), DIM)


def _frozen(case: Case) -> Case:
    return replace(case, head=_fresh, head_rms=1e-13, recipe=SEED_RECIPE)


def _starved(case: Case) -> Case:
    encoder = nn.Linear(DIM, DIM)
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(DIM))
    return replace(
        case,
        encoder=encoder,
        head=_fresh,
        head_rms=None,
        theirs=True,
        recipe=SEED_RECIPE,
    )


def _order_blind(e: Tensor, t: Tensor) -> Tensor:
    return (2 * e[..., VISIBLE].cumsum(dim=1) / t).clamp(0.01, 0.99)


def _unseen(progress: Tensor, _: Tensor, t: Tensor) -> Tensor:
    return torch.where(t[None] < 10, 0.56, progress)


def _early(progress: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return torch.where(progress < 0.17, 0.54, progress)


def _whim(progress: Tensor, e: Tensor, _: Tensor) -> Tensor:
    return progress ** torch.exp(0.6 * e[..., WHIM])


def _saw(progress: Tensor, e: Tensor, t: Tensor) -> Tensor:
    return progress + 0.33 * torch.sin(2 * math.pi * t / 5 + 3 * e[..., WHIM])


def _random(_: Tensor, e: Tensor, __: Tensor) -> Tensor:
    share: Tensor = torch.special.ndtr(e[..., DIM - 1])
    return share


def _leak(videos: tuple[Video, ...]) -> tuple[Video, ...]:
    test = [v for v in videos if v.split == "test"]
    copies = [replace(v, name=f"{v.name} again", split="train") for v in test[:3]]
    return (*videos, *copies)


def _background(videos: tuple[Video, ...]) -> tuple[Video, ...]:
    """Gaps of all videos become segments of an action called idle."""
    named = []
    for video in videos:
        gaps, frame = [], 0
        for segment in video.segments:
            if segment.start > frame:
                gaps.append(Segment(frame, segment.start - 1, "idle"))
            frame = segment.end + 1
        every = sorted([*video.segments, *gaps], key=lambda s: s.start)
        named.append(replace(video, segments=tuple(every)))
    return tuple(named)


def _still(videos: tuple[Video, ...]) -> tuple[Video, ...]:
    first, *others = videos
    features = first.read()
    still = ArrayFeatures(np.repeat(features[:1], len(features), axis=0))
    return (replace(first, features=still), *others)


def _one_frame(videos: tuple[Video, ...]) -> tuple[Video, ...]:
    return tuple(
        replace(
            video,
            segments=(
                *video.segments,
                Segment(video.num_frames - 3, video.num_frames - 3, "action 0"),
                Segment(video.num_frames - 1, video.num_frames - 1, "action 1"),
            ),
        )
        for video in videos
    )


def _rates(videos: tuple[Video, ...]) -> tuple[Video, ...]:
    return tuple(replace(v, fps=4.0 if i % 2 else 25.0) for i, v in enumerate(videos))


def _data(damage: Callable[[tuple[Video, ...]], tuple[Video, ...]], *accepted: str) -> Disease:
    return Disease(lambda case: replace(case, damage=damage), frozenset(accepted), "data")


def _answers(
    change: Callable[[Tensor, Tensor, Tensor], Tensor], *accepted: str, part: str = "answers"
) -> Disease:
    return Disease(lambda case: case.then(change), frozenset(accepted), part, part == "answers")


DISEASES: Mapping[str, Disease] = {
    "frozen head": Disease(_frozen, frozenset({"untrained-head"}), "answers", hides=True),
    "starved gradients": Disease(
        _starved, frozenset({"starved-head", "untrained-head"}), "answers", hides=True
    ),
    "constant": _answers(lambda p, e, t: 0.5 + 0.01 * (p - 0.5), "collapsed-range"),
    "narrow": _answers(lambda p, e, t: 0.5 + 0.3 * (p - 0.5), "collapsed-range"),
    "random": _answers(_random, "no-skill"),
    "backwards": _answers(lambda p, e, t: 1 - p, "backwards"),
    "frame counter": Disease(
        lambda case: replace(case, read=counts),
        frozenset({"ignores-embeddings", "same-curve"}),
        "answers",
        hides=True,
    ),
    "prefix position": Disease(
        lambda case: replace(
            case, read=counts, spec=HeadSpec(extra=("position",)), recipe=apply("abg")
        ),
        frozenset({"position-contradiction"}),
        "answers",
        hides=True,
    ),
    "blind embeddings": Disease(
        lambda case: replace(case, world=replace(case.world, blind=True), read=counts),
        frozenset({"duration-blind-embeddings"}),
        "answers",
        hides=True,
    ),
    "order-blind": Disease(
        lambda case: replace(case, read=_order_blind), frozenset({"order-blind"}), "reading"
    ),
    "loses progress": _answers(_whim, "head-loses-progress"),
    "falls back": _answers(_saw, "non-monotone"),
    "early": _answers(_early, "early-bias", part="early"),
    "unseen starts": Disease(
        lambda case: replace(case.then(_unseen), recipe=apply("cg")),
        frozenset({"unseen-start"}),
        "early",
    ),
    "saturates": _answers(lambda p, e, t: p.clamp_max(0.72), "late-saturation", part="late"),
    "peeking encoder": Disease(
        lambda case: replace(case, encoder=Peek()), frozenset({"future-leak"}), "encoder"
    ),
    "narrow intervals": Disease(
        lambda case: replace(case, interval=0.015), frozenset({"miscalibrated"}), "intervals"
    ),
    "copies in two splits": _data(_leak, "split-leak", "duplicate-videos"),
    "background as action": _data(_background, "background-as-action"),
    "still video": _data(_still, "constant-features"),
    "one-frame actions": _data(_one_frame, "one-frame-actions"),
    "mixed frame rates": _data(_rates, "fps-mismatch"),
}

_UNTOUCHED = frozenset({"data", "encoder"})
"""Parts that a disease hiding all others of the answers leaves visible."""


def compatible(one: str, other: str) -> bool:
    """Whether both can be seen in one model: neither changes or hides what shows the other."""
    a, b = DISEASES[one], DISEASES[other]
    if a.part == b.part:
        return False
    # A head that does not learn shows it in everything else, future-leak included.
    if {one, other} & {"frozen head", "starved gradients"}:
        return "data" in {a.part, b.part}
    # Nothing in noise is to be seen early, and a leak of noise is none of progress.
    if {one, other} & {"blind embeddings"}:
        return "data" in {a.part, b.part}
    return not (a.hides and b.part not in _UNTOUCHED) and not (b.hides and a.part not in _UNTOUCHED)
