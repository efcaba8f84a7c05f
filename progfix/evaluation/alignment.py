"""Alignment metrics of a source's embeddings: the worker behind `progfix eval --alignment`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from progfix.data.dataset import Video
from progfix.embedding import Embedder, encode_with, feature_vectors
from progfix.errors import InputError, Problem
from progfix.evaluation.contract import number_json
from progfix.metrics.alignment.classification import require_classifiers
from progfix.metrics.alignment.intervals import mean_interval
from progfix.metrics.alignment.measure import alignment_scores
from progfix.metrics.alignment.variants import DEFINITIONS, Variant
from progfix.metrics.alignment.videos import EmbeddedVideo, Score, mean_score

if TYPE_CHECKING:
    from progfix.sources import Source

__all__ = ["Alignment", "align", "align_sources"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """The alignment metrics of one source.

    Attributes:
        embeddings: What was measured: a model's "encoder", or the data's "features".
        variant: Whose definitions.
        fitted_on: The splits that lines, classifiers and the unit of paths were fitted on.
        train_videos: How many videos they have; 0 leaves what must be fitted undefined.
        videos: How many videos were scored.
        tasks: Scores by task and metric.
        scores: Scores by metric: the mean of the tasks where it is defined, counts summed.
        intervals: 95 % bootstrap intervals of these over the scored videos, by metric; what
            is no mean over videos or pairs of videos has none.
    """

    embeddings: Literal["encoder", "features"]
    variant: Variant
    fitted_on: str
    train_videos: int
    videos: int
    tasks: Mapping[str, Mapping[str, Score]]
    scores: Mapping[str, Score]
    intervals: Mapping[str, tuple[float, float]]

    def to_json(self) -> dict[str, object]:
        """Return JSON values; docs/metrics.md describes the keys."""
        return {
            "embeddings": self.embeddings,
            "variant": self.variant,
            "fitted_on": self.fitted_on,
            "train_videos": self.train_videos,
            "videos": self.videos,
            "metrics": {
                name: values | dict(zip(("low", "high"), map(number_json, ends), strict=True))
                for (name, values), ends in zip(
                    _scores_json(self.scores).items(), self.intervals.values(), strict=True
                )
            },
            "tasks": {task: _scores_json(scores) for task, scores in self.tasks.items()},
        }


def align(
    source: Source,
    *,
    split: str = "test",
    fit_on: str = "train",
    variant: Variant = "default",
    metrics: Collection[str] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    observe: Callable[[str, int], None] | None = None,
) -> Alignment:
    """Measure how well the embeddings of a source align the videos of each task.

    Embeddings of one task are in memory at a time.

    Args:
        source: A checkpoint or run, whose encoder embeds its data, or any other source that
            knows its data, whose features are taken as they are.
        split: Videos to score, without those of `fit_on`. Where none are left, all are
            scored and nothing is fitted.
        fit_on: Splits for what is fitted, joined by "+".
        variant: As in `progfix.metrics.alignment.measure.alignment_scores`.
        metrics: Likewise.
        bootstrap: Resamples of the scored videos for intervals; 0 for none.
        seed: Of the draws.
        observe: Called with a label and a task's frames after each task.

    Raises:
        InputError: If the source has no data or features, or scikit-learn is missing.
    """
    if source.data is None:
        raise InputError(
            Problem(
                f"--alignment of {source.label}",
                "data whose videos can be embedded",
                "predictions alone",
                "add --data, or name a checkpoint",
            )
        )
    require_classifiers()
    fitted, chosen = set(fit_on.split("+")), source.data.split(split)
    scored = [video for video in chosen if video.split not in fitted]
    train = [video for video in source.data if video.split in fitted] if scored else []
    scored = scored or list(chosen)
    kind, embed = _embedder(source)
    tasks = {}
    for task in dict.fromkeys(video.task for video in scored):
        sets = _embedded(embed, _of(train, task), _of(scored, task))
        tasks[task] = alignment_scores(*sets, variant=variant, seed=seed, metrics=metrics)
        if observe is not None:
            observe(f"alignment of {source.label}", sum(len(v) for part in sets for v in part))
    names = [n for n in DEFINITIONS[variant] if metrics is None or n in metrics]
    scores = {name: _over_tasks(s[name] for s in tasks.values()) for name in names}
    sizes = [len(_of(scored, task)) for task in tasks]
    intervals = {
        name: mean_interval([s[name] for s in tasks.values()], sizes, bootstrap, seed)
        for name in scores
    }
    return Alignment(kind, variant, fit_on, len(train), len(scored), tasks, scores, intervals)


def _embedder(source: Source) -> tuple[Literal["encoder", "features"], Embedder]:
    model = None if source.checkpoint is None else source.checkpoint.model
    if model is None or model.encoder is None:
        return "features", feature_vectors
    return "encoder", encode_with(model)


def _of(videos: Sequence[Video], task: str) -> list[Video]:
    return [video for video in videos if video.task == task]


def _embedded(
    embed: Embedder, train: Sequence[Video], scored: Sequence[Video]
) -> tuple[list[EmbeddedVideo], list[EmbeddedVideo]]:
    """Embed the videos of a task, actions numbered alike in all of them."""
    names = sorted({s.action for video in (*train, *scored) for s in video.segments})
    code = {name: index for index, name in enumerate(names)}

    def one(video: Video) -> EmbeddedVideo:
        rows = [(s.start, s.end, code[s.action]) for s in video.segments]
        start, end, action = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        complete = not any(segment.censored for segment in video.segments)
        return EmbeddedVideo(embed(video), start, end, action, complete)

    return [one(video) for video in train], [one(video) for video in scored]


def _over_tasks(scores: Iterable[Score]) -> Score:
    parts = list(scores)
    return replace(
        mean_score(part.value for part in parts),
        count=sum(part.count for part in parts),
        undefined=sum(part.undefined for part in parts),
    )


def align_sources(
    sources: Sequence[Source],
    *,
    split: str,
    fit_on: str,
    variant: Variant,
    bootstrap: int = 0,
    seed: int = 0,
    observe: Callable[[str, int], None] | None = None,
) -> list[Alignment | None]:
    """Align every source that knows its data; features of the same data once.

    Args:
        sources: In any order.
        split: As in `align`.
        fit_on: As in `align`.
        variant: As in `align`.
        bootstrap: As in `align`.
        seed: As in `align`.
        observe: As in `align`.

    Returns:
        One entry per source, None for predictions alone.

    Raises:
        InputError: If no source knows its data, or one cannot be embedded.
    """
    known = [source for source in sources if source.data is not None]
    found: dict[int, Alignment] = {}
    of_features: dict[int, Alignment] = {}
    for source in known or sources[:1]:
        data, raw = id(source.data), _embedder(source)[0] == "features"
        done = of_features.get(data) if raw else None
        found[id(source)] = done or align(
            source, split=split, fit_on=fit_on, variant=variant, bootstrap=bootstrap, seed=seed,
            observe=observe,
        )  # fmt: skip
        if raw:
            of_features[data] = found[id(source)]
    return [found.get(id(source)) for source in sources]


def _scores_json(scores: Mapping[str, Score]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "value": number_json(score.value),
            "count": score.count,
            "undefined": score.undefined,
        }
        for name, score in scores.items()
    }
