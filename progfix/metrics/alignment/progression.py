"""Phase progression: can a line through the embeddings tell the time to each boundary?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from progfix.metrics.alignment.variants import Variant, require_variant
from progfix.metrics.alignment.video_progress import video_targets
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_score, stack

__all__ = ["phase_progression"]

_Boundary = Callable[[NDArray[np.int64], int], "int | None"]
"""Maps the place of each frame's action in the usual order, and a place, to a frame."""
_Line = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def phase_progression(
    train: Sequence[EmbeddedVideo],
    scored: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
    seed: int = 0,
) -> Score:
    """Return the mean R2 of linear regressions from embeddings to the time to a boundary.

    One regression for every action that the training videos show: the target of frame t
    is (t - b) / T, b the action's last frame in the video, T the video's frames. Ordinary
    least squares with an intercept on all frames of the training videos that show the
    action; R2 over all frames of the scored videos that do.

    Args:
        train: Videos to fit on.
        scored: Other videos of the same task.
        variant: Three leave out the usually last action: "tcc", where b is the frame before
            a later action first begins; "carl", which cannot do with a video that lacks an
            action; "lav", which fits on the scored videos and takes b = -1 where an action
            is missing. "gtcc": one regression to the progress of the whole video, fitted on
            a random 80 % of the scored frames; all of them are scored.
        seed: Of the draw in "gtcc".

    Returns:
        At most 1; 0 is as good as the mean target. Counted over regressions; one is
        undefined where no scored video shows the action, or its target is constant.

    Raises:
        ValueError: If the variant is unknown.

    Source: Dwibedi et al., TCC, CVPR 2019 (google-research/tcc,
    evaluation/event_completion.py); Chen et al., CARL, CVPR 2022; Haresh et al., LAV, CVPR
    2021; Donahue and Elhamifar, GTCC, CVPR 2024.
    """
    require_variant("phase_progression", variant)
    if variant == "gtcc":
        return mean_score([_video_progression(scored, seed)])
    order = _usual_order(train)
    if variant != "default":
        order = _usual_order([*train, *scored])[:-1]
    fitted = scored if variant == "lav" else train
    boundary = {"tcc": _before_later, "lav": _last_or_before_all}.get(variant, _last)
    places = [_places(videos, order) for videos in (fitted, scored)]
    scores = np.full(len(order), np.nan)
    groups: dict[tuple[bool, ...], list[int]] = {}
    known = []
    for place in range(len(order)):
        known.append([[boundary(labels, place) for labels in part] for part in places])
        if variant != "carl" or None not in (*known[place][0], *known[place][1]):
            shown = tuple(frame is not None for frame in known[place][0])
            groups.setdefault(shown, []).append(place)
    # Boundaries that the same videos show share one decomposition of the frames.
    for shown, members in groups.items():
        videos = [video for video, there in zip(fitted, shown, strict=True) if there]
        targets = [_targets(fitted, known[place][0]) for place in members]
        if videos:
            line = _line(stack(videos), np.stack(targets, axis=1))
            for column, place in enumerate(members):
                scores[place] = _score(scored, known[place][1], line, column)
    return mean_score(scores)


def _usual_order(videos: Sequence[EmbeddedVideo]) -> list[int]:
    """Return the actions by their mean start, as a share of the video."""
    starts: dict[int, list[float]] = {}
    for video in videos:
        for start, action in zip(video.start, video.action, strict=True):
            starts.setdefault(int(action), []).append(start / len(video))
    return sorted(starts, key=lambda action: (float(np.mean(starts[action])), action))


def _places(videos: Sequence[EmbeddedVideo], order: Sequence[int]) -> list[NDArray[np.int64]]:
    """Return each frame's place in the order; len(order) for other actions, -1 for none."""
    place = {action: index for index, action in enumerate(order)} | {-1: -1}
    return [
        np.array([place.get(int(phase), len(order)) for phase in video.phases]) for video in videos
    ]


def _last(labels: NDArray[np.int64], place: int) -> int | None:
    found = np.flatnonzero(labels == place)
    return int(found[-1]) if len(found) else None


def _last_or_before_all(labels: NDArray[np.int64], place: int) -> int | None:
    found = _last(labels, place)
    return -1 if found is None else found


def _before_later(labels: NDArray[np.int64], place: int) -> int | None:
    later = np.flatnonzero(labels[1:] > place)
    if len(later) == 0:
        return len(labels) - 1
    return int(later[0]) if labels[later[0]] == place else int(later[0]) + 1


def _targets(
    videos: Sequence[EmbeddedVideo], boundary: Sequence[int | None]
) -> NDArray[np.float64]:
    pairs = zip(videos, boundary, strict=True)
    parts = [(np.arange(len(v)) - frame) / len(v) for v, frame in pairs if frame is not None]
    return np.concatenate([*parts, np.empty(0)])


def _score(
    videos: Sequence[EmbeddedVideo], boundary: Sequence[int | None], line: _Line, column: int
) -> float:
    shown = [v for v, frame in zip(videos, boundary, strict=True) if frame is not None]
    if not shown:
        return float("nan")
    return _r2(_targets(videos, boundary), line(stack(shown))[:, column])


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> _Line:
    centre, level = x.mean(axis=0), y.mean(axis=0)
    slope = np.linalg.lstsq(x - centre, y - level, rcond=None)[0]
    return lambda other: (other - centre) @ slope + level


def _r2(truth: NDArray[np.float64], answer: NDArray[np.float64]) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - answer) ** 2).sum()) / spread if spread > 0 else float("nan")


def _video_progression(videos: Sequence[EmbeddedVideo], seed: int) -> float:
    videos = [video for video in videos if len(video.start)]
    if not videos:
        return float("nan")
    x, y = stack(videos), np.concatenate([video_targets(v, variant="gtcc") for v in videos])
    # scikit-learn's train_test_split rounds the tested fifth up.
    chosen = np.random.default_rng(seed).permutation(len(y))[: len(y) - -(-len(y) // 5)]
    return _r2(y, _line(x[chosen], y[chosen])(x)) if len(chosen) else float("nan")
