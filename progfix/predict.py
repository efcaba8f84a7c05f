"""Model and data to predictions: every frame of every segment, one pass per segment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from progfix.baselines import action_frames
from progfix.batching import FRAMES_PER_BATCH, batches, chunks
from progfix.data.dataset import Dataset, Video
from progfix.errors import InputError, Problem
from progfix.features import finite_features, require_features
from progfix.heads.base import ProgressHead
from progfix.heads.threads import threads_for
from progfix.model import ProgressModel
from progfix.predictions import Predictions
from progfix.read_ahead import ReadAhead, computed_ahead

__all__ = [
    "SegmentAnswers",
    "SegmentPredictor",
    "answer_videos",
    "check_fit",
    "cut_segments",
    "embed_video",
    "frames_table",
    "join_answers",
    "predict",
    "predict_segments",
    "read_video",
    "require_fit",
]

_AHEAD_BYTES = 1 << 26
"""Of features that are read while the ones before are computed with."""


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

FeatureReader = Callable[[Video], NDArray[np.float32]]
"""Returns a video's features, `(T, ...)`, which are finite."""


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
    answers: dict[int, SegmentAnswers] = {}
    frames = [segment.shape[0] for segment in segments]
    for rows in batches(frames, frames_per_batch):
        lengths = torch.tensor([frames[row] for row in rows], device=segments[0].device)
        with threads_for(len(rows)):
            padded = pad_sequence([segments[row] for row in rows], batch_first=True)
            read = head.read(padded, lengths)
        columns = {
            column.name: value.double().cpu().numpy()
            for column in fields(SegmentAnswers)
            if (value := getattr(read, column.name)) is not None
        }
        for place, row in enumerate(rows):
            answers[row] = SegmentAnswers(
                **{name: values[place, : frames[row]].copy() for name, values in columns.items()}
            )
    return [answers[row] for row in range(len(segments))]


def predict(
    model: ProgressModel,
    data: Dataset,
    *,
    videos_per_chunk: int = 64,
    predictor: SegmentPredictor | None = None,
) -> Generator[Predictions]:
    """Yield the model's predictions in chunks of whole videos, in the data's order.

    A thread computes the next chunk while the caller looks at one.

    Args:
        model: The model; it is put into evaluation mode while a chunk is computed. It must
            not be trained before the last one is yielded.
        data: Videos with features. Censored segments are left out: their targets are
            unknown.
        videos_per_chunk: Videos whose segments are batched together, fewer where they would
            take more than 128 MB.
        predictor: What answers the segments instead of the model's own head, for probes.

    Yields:
        Tables of the frames of all segments; videos without segments add no rows.

    Raises:
        InputError: If a video has no features, or they do not fit the model.
    """
    answer = predictor or (lambda segments: predict_segments(model.head, segments))
    for videos, answers in computed_ahead(_answers(model, data, videos_per_chunk, answer)):
        yield frames_table(videos, answers)


def _answers(
    model: ProgressModel, data: Dataset, most: int, answer: SegmentPredictor
) -> Generator[tuple[Sequence[Video], list[SegmentAnswers]]]:
    """Yield chunks of videos, and what is answered at their segments."""
    ahead = ReadAhead(1, _AHEAD_BYTES)
    try:
        ahead.announce(video for video in data if _judged(video))
        for videos in chunks(data.videos, most, model.head.width):
            was_training = model.training
            model.eval()
            answers = answer_videos(model, videos, answer, ahead.take)
            model.train(was_training)
            yield videos, answers
    finally:
        ahead.close()


@torch.inference_mode()
def answer_videos(
    model: ProgressModel,
    videos: Iterable[Video],
    answer: SegmentPredictor,
    read: FeatureReader = finite_features,
) -> list[SegmentAnswers]:
    """Return what is answered at every frame of videos' uncensored segments.

    Args:
        model: The model, in evaluation mode.
        videos: Those without such a segment are not read.
        answer: What answers the segments.
        read: Returns a video's features.

    Raises:
        InputError: See `read_video`.
    """
    return answer(
        [
            segment
            for video in videos
            if _judged(video)
            for segment in cut_segments(video, embed_video(model, video, read))
        ]
    )


def _judged(video: Video) -> bool:
    """Whether a video has a segment whose end is known."""
    return any(not segment.censored for segment in video.segments)


def cut_segments(video: Video, embeddings: Tensor) -> list[Tensor]:
    """Return the embeddings of a video's uncensored segments, `(T, D)` to `(L, D)` each."""
    return [embeddings[s.start : s.end + 1] for s in video.segments if not s.censored]


def embed_video(
    model: ProgressModel, video: Video, read: FeatureReader = finite_features
) -> Tensor:
    """Return what the head reads of a whole video, `(T, D)` on the model's device.

    Args:
        model: The model.
        video: The video.
        read: Returns its features.

    Raises:
        InputError: See `read_video`.
    """
    return model.embed(read_video(model, video, read))


def read_video(model: ProgressModel, video: Video, read: FeatureReader = finite_features) -> Tensor:
    """Return a whole video's features, `(T, ...)` on the model's device.

    Args:
        model: The model.
        video: The video.
        read: Returns its features.

    Raises:
        InputError: If the video has no features, they do not fit the model, or they are
            NaN or infinite.
    """
    check_fit(model, video)
    return torch.from_numpy(read(video)).to(model.device)


def check_fit(model: ProgressModel, video: Video) -> None:
    """Check that a video has features of the size that the model takes.

    Raises:
        InputError: If not.
    """
    expected, found = _input_shape(model), tuple(require_features(video).shape[1:])
    if found != expected:
        raise _misfit(video.where, expected, _size(found))


def require_fit(model: ProgressModel, data: Dataset) -> None:
    """Check all videos as `check_fit` does; where none fits, the data is to blame as a whole.

    Raises:
        InputError: If one does not.
    """
    expected, shape = _input_shape(model), data.feature_shape
    sizes = {None if v.features is None else tuple(v.features.shape[1:]) for v in data}
    if sizes == {shape} and shape not in (None, expected):
        raise _misfit(data.origin, expected, f"{_size(shape or ())} in all of its videos")
    for video in data:
        check_fit(model, video)


def _misfit(where: str, expected: tuple[int, ...], found: str) -> InputError:
    return InputError(
        Problem(
            where,
            f"features of size {_size(expected)} per frame, as the checkpoint was trained on",
            found,
            "give the data that belongs to this checkpoint with --data",
        )
    )


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
    joined = join_answers(answers)
    optional = {f.name: getattr(joined, f.name) for f in fields(joined) if f.name != "progress"}
    return replace(action_frames(*videos), prediction=joined.progress, **optional)


def join_answers(answers: Sequence[SegmentAnswers]) -> SegmentAnswers:
    """Return the answers of several segments as if they were one."""
    columns = {}
    for column in fields(SegmentAnswers):
        values = [getattr(answer, column.name) for answer in answers]
        if column.name == "progress" or (values and values[0] is not None):
            columns[column.name] = np.concatenate([*values, np.empty(0)])
    return SegmentAnswers(**columns)
