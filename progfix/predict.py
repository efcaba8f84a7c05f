"""Model and data to predictions: every frame of every segment, one pass per segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from progfix.baselines import action_frames
from progfix.data.dataset import Dataset, FeatureSource, Video
from progfix.errors import InputError, Problem
from progfix.heads.base import ProgressHead
from progfix.heads.threads import threads_for
from progfix.model import ProgressModel
from progfix.predictions import Predictions

__all__ = [
    "FRAMES_PER_BATCH",
    "SegmentAnswers",
    "SegmentPredictor",
    "check_fit",
    "cut_segments",
    "embed_video",
    "finite_features",
    "frames_table",
    "predict",
    "predict_segments",
    "read_video",
    "require_features",
]

FRAMES_PER_BATCH = 65_536
"""Padded frames of embeddings that go through a head at once (32 MB at 128 columns)."""


@dataclass(frozen=True, eq=False)
class SegmentAnswers:
    """What a head answers at every frame of one segment, `(L,)` each, float64.

    Attributes:
        progress: In [0, 1].
        lower: Lower end of the 80 % interval, or None where the head gives none.
        upper: Its upper end, or None.
        crps: Continuous ranked probability score against the truth, or None.
        pit: Probability integral transform of the truth, or None.
    """

    progress: NDArray[np.float64]
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    crps: NDArray[np.float64] | None = None
    pit: NDArray[np.float64] | None = None


SegmentPredictor = Callable[[Sequence[Tensor]], list[SegmentAnswers]]
"""Maps segments' embeddings, each `(L, D)`, to answers at every frame."""


@torch.inference_mode()
def predict_segments(
    head: ProgressHead, segments: Sequence[Tensor], *, frames_per_batch: int = FRAMES_PER_BATCH
) -> list[SegmentAnswers]:
    """Return the answers at every frame of each segment, each frame seeing its prefix.

    Args:
        head: The head, on the device of the embeddings.
        segments: Embeddings `(L, D)`, L at least 1.
        frames_per_batch: Memory budget in padded frames; at least one segment is taken.

    Returns:
        One entry per segment, in the order given.
    """
    order = sorted(range(len(segments)), key=lambda i: len(segments[i]))
    answers: dict[int, SegmentAnswers] = {}
    position = 0
    while position < len(order):
        size = 1
        while (
            position + size < len(order)
            and len(segments[order[position + size]]) * (size + 1) <= frames_per_batch
        ):
            size += 1
        rows = order[position : position + size]
        lengths = torch.tensor([len(segments[row]) for row in rows], device=segments[0].device)
        with threads_for(size):
            padded = pad_sequence([segments[row] for row in rows], batch_first=True)
            read = head.read(padded, lengths)
        columns = {
            column.name: value.double().cpu().numpy()
            for column in fields(SegmentAnswers)
            if (value := getattr(read, column.name)) is not None
        }
        for place, row in enumerate(rows):
            frames = len(segments[row])
            answers[row] = SegmentAnswers(
                **{name: values[place, :frames].copy() for name, values in columns.items()}
            )
        position += size
    return [answers[row] for row in range(len(segments))]


def predict(
    model: ProgressModel,
    data: Dataset,
    *,
    videos_per_chunk: int = 16,
    predictor: SegmentPredictor | None = None,
) -> Iterator[Predictions]:
    """Yield the model's predictions in chunks of whole videos, in the data's order.

    Args:
        model: The model; it is put into evaluation mode while a chunk is computed.
        data: Videos with features. Censored segments are left out: their targets are
            unknown.
        videos_per_chunk: Videos whose segments are batched together.
        predictor: What answers the segments instead of the model's own head, for probes.

    Yields:
        Tables of the frames of all segments; videos without segments add no rows.

    Raises:
        InputError: If a video has no features, or they do not fit the model.
    """
    answer = predictor or (lambda segments: predict_segments(model.head, segments))
    for first in range(0, len(data), videos_per_chunk):
        videos = data.videos[first : first + videos_per_chunk]
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            predictions = answer(
                [
                    segment
                    for video in videos
                    if any(not s.censored for s in video.segments)
                    for segment in cut_segments(video, embed_video(model, video))
                ]
            )
        model.train(was_training)
        yield frames_table(videos, predictions)


def cut_segments(video: Video, embeddings: Tensor) -> list[Tensor]:
    """Return the embeddings of a video's uncensored segments, `(T, D)` to `(L, D)` each."""
    return [embeddings[s.start : s.end + 1] for s in video.segments if not s.censored]


def embed_video(model: ProgressModel, video: Video) -> Tensor:
    """Return what the head reads of a whole video, `(T, D)` on the model's device.

    Raises:
        InputError: See `read_video`.
    """
    return model.embed(read_video(model, video))


def read_video(model: ProgressModel, video: Video) -> Tensor:
    """Return a whole video's features, `(T, ...)` on the model's device.

    Raises:
        InputError: If the video has no features, they do not fit the model, or they are
            NaN or infinite.
    """
    check_fit(model, video)
    return torch.from_numpy(finite_features(video)).to(model.device)


def finite_features(video: Video) -> NDArray[np.float32]:
    """Return a whole video's features, `(T, ...)`.

    Raises:
        InputError: If they are NaN or infinite, or cannot be read.
    """
    features = video.read()
    bad = ~np.isfinite(features).reshape(len(features), -1).all(axis=1)
    if bad.any():
        raise InputError(
            Problem(
                video.where,
                "finite features",
                f"NaN or infinite values in {bad.sum()} frames, the first is {bad.argmax()}",
                "extract its features again, or leave the video out; `progfix data check` "
                "finds all such videos",
            )
        )
    return features


def check_fit(model: ProgressModel, video: Video) -> None:
    """Check that a video has features of the size that the model takes.

    Raises:
        InputError: If not.
    """
    expected, found = _input_shape(model), tuple(require_features(video).shape[1:])
    if found != expected:
        raise InputError(
            Problem(
                video.where,
                f"features of size {_size(expected)} per frame, as the checkpoint was trained on",
                _size(found),
                "give the data that belongs to this checkpoint with --data",
            )
        )


def require_features(video: Video) -> FeatureSource:
    """Return where a video's features are.

    Raises:
        InputError: If it has none.
    """
    if video.features is None:
        raise InputError(
            Problem(
                video.where,
                "features",
                "annotations only",
                "name the folder with the .npy features with --feature-dir",
            )
        )
    return video.features


def _input_shape(model: ProgressModel) -> tuple[int, ...]:
    shape = getattr(model.encoder, "input_shape", None)
    return (model.head.width,) if shape is None else tuple(shape)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def frames_table(videos: Sequence[Video], answers: Sequence[SegmentAnswers]) -> Predictions:
    """Return one row per frame of the videos' uncensored segments.

    Args:
        videos: At least one.
        answers: Of each segment, in the videos' order.
    """
    frames = Predictions.concat([action_frames(video) for video in videos])
    columns: dict[str, Any] = {}
    for column in fields(SegmentAnswers):
        values = [getattr(answer, column.name) for answer in answers]
        if column.name == "progress" or (values and values[0] is not None):
            name = "prediction" if column.name == "progress" else column.name
            columns[name] = np.concatenate([*values, np.empty(0)])
    return replace(frames, **columns)
