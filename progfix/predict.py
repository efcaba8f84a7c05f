"""Model and data to predictions: every frame of every segment, one pass per segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from progfix.data.dataset import Dataset, Segment, Video
from progfix.errors import InputError, Problem
from progfix.heads import ProgressHead
from progfix.model import ProgressModel
from progfix.predictions import Category, Predictions

__all__ = ["FRAMES_PER_BATCH", "SegmentPredictor", "embed_video", "frames_table", "predict", "predict_segments", "segment_rows"]

FRAMES_PER_BATCH = 65_536
"""Padded frames of embeddings that go through a head at once (32 MB at 128 columns)."""

SegmentPredictor = Callable[[Sequence[Tensor]], list[NDArray[np.float64]]]
"""Maps segments' embeddings, each `(L, D)`, to the progress at every frame, each `(L,)`."""


@torch.inference_mode()
def predict_segments(
    head: ProgressHead, segments: Sequence[Tensor], *, frames_per_batch: int = FRAMES_PER_BATCH
) -> list[NDArray[np.float64]]:
    """Return the progress at every frame of each segment, each frame seeing its prefix.

    Args:
        head: The head, on the device of the embeddings.
        segments: Embeddings `(L, D)`, L at least 1.
        frames_per_batch: Memory budget in padded frames; at least one segment is taken.

    Returns:
        One float64 array `(L,)` in [0, 1] per segment, in the order given.
    """
    order = sorted(range(len(segments)), key=lambda i: len(segments[i]))
    answers: list[NDArray[np.float64]] = [np.empty(0)] * len(segments)
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
        padded = pad_sequence([segments[row] for row in rows], batch_first=True)
        progress = head(padded, lengths).double().cpu().numpy()
        for row, values in zip(rows, progress, strict=True):
            answers[row] = values[: len(segments[row])].copy()
        position += size
    return answers


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
            embedded = [_segments(model, video) for video in videos]
            predictions = answer([e for segments in embedded for e in segments])
        model.train(was_training)
        yield _table(videos, predictions)


def segment_rows(video: Video) -> list[tuple[int, Segment]]:
    """Return a video's segments that have targets, with their index within the video."""
    return [(i, segment) for i, segment in enumerate(video.segments) if not segment.censored]


def embed_video(model: ProgressModel, video: Video) -> Tensor:
    """Return a whole video's embeddings `(T, D)` on the model's device.

    Raises:
        InputError: If the video has no features, or they do not fit the model.
    """
    expected = _input_shape(model)
    if video.features is None:
        raise InputError(
            Problem(
                f"video {video.name}",
                "features",
                "annotations only",
                "name the folder with the .npy features with --feature-dir",
            )
        )
    found = tuple(video.features.shape[1:])
    if found != expected:
        raise InputError(
            Problem(
                f"video {video.name}",
                f"features of size {_size(expected)} per frame, as the checkpoint was trained on",
                _size(found),
                "give the data that belongs to this checkpoint with --data",
            )
        )
    return model.embed(torch.from_numpy(video.read()).to(model.device))


def _segments(model: ProgressModel, video: Video) -> list[Tensor]:
    rows = segment_rows(video)
    if not rows:
        return []
    embeddings = embed_video(model, video)
    return [embeddings[segment.start : segment.end + 1] for _, segment in rows]


def _input_shape(model: ProgressModel) -> tuple[int, ...]:
    shape = getattr(model.encoder, "input_shape", None)
    return (model.head.width,) if shape is None else tuple(shape)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def _table(videos: Sequence[Video], predictions: Sequence[NDArray[np.float64]]) -> Predictions:
    rows = [(video, i, segment) for video in videos for i, segment in segment_rows(video)]
    return frames_table(rows, predictions)


def frames_table(
    rows: Sequence[tuple[Video, int, Segment]], predictions: Sequence[NDArray[np.float64]]
) -> Predictions:
    """Return one row per frame of the given segments.

    Args:
        rows: Video, index of the segment within it, and the segment.
        predictions: Progress at every frame of each segment, `(L,)`.

    Returns:
        The table, targets (i + 1) / L.
    """
    duration = np.array([segment.duration for _, _, segment in rows], dtype=np.int64)
    repeat = np.repeat(np.arange(len(rows)), duration)
    first = np.cumsum(duration) - duration
    elapsed = np.arange(len(repeat)) - first[repeat] + 1
    columns = [
        Category.of([video.name for video, _, _ in rows]),
        Category.of([video.task for video, _, _ in rows]),
        Category.of([segment.action for _, _, segment in rows]),
    ]
    return Predictions(
        *(column.take(repeat) for column in columns),
        segment=np.array([i for _, i, _ in rows], dtype=np.int64)[repeat],
        elapsed=elapsed.astype(np.int64),
        duration=duration[repeat],
        target=elapsed / duration[repeat],
        prediction=np.concatenate([*predictions, np.empty(0)]),
    )
