"""From a video to one vector per frame: a model's encoder, or the features as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Video
from progfix.errors import InputError, Problem

if TYPE_CHECKING:
    from progfix.model import ProgressModel

__all__ = ["Embedder", "check_vectors", "encode_with", "feature_vectors"]

Embedder = Callable[[Video], NDArray[np.floating]]
"""Maps a video to one finite vector per frame, `(T, D)`."""


def feature_vectors(video: Video) -> NDArray[np.floating]:
    """Return a video's features as they are, float32 `(T, D)`.

    Raises:
        InputError: If it has none, they are not one vector per frame, or one is not finite.
    """
    check_vectors(video)
    features = video.read()
    if not np.isfinite(features).all():
        raise _problem(video, "finite features", "NaN or infinity")
    return features


def check_vectors(video: Video) -> None:
    """Check that a video has one vector per frame, without reading them.

    Raises:
        InputError: If not.
    """
    shape = None if video.features is None else video.features.shape
    if shape is None or len(shape) != 2:
        found = "annotations only" if shape is None else " x ".join(map(str, shape))
        raise _problem(video, "features (T, D), one vector per frame", found)


def encode_with(model: ProgressModel) -> Embedder:
    """Return what embeds videos with the encoder of a model, on the model's device."""

    def embed(video: Video) -> NDArray[np.floating]:
        import torch

        from progfix.predict import read_video

        was_training = model.training
        model.eval()
        try:
            with torch.inference_mode():
                encoded = model.encode(read_video(model, video))
                embeddings: NDArray[np.floating] = encoded.cpu().numpy()
        finally:
            model.train(was_training)
        if not np.isfinite(embeddings).all():
            raise _problem(video, "finite embeddings", "NaN or infinity from the encoder")
        return embeddings

    return embed


def _problem(video: Video, expected: str, found: str) -> InputError:
    fix = "name the features with --feature-dir, or name a checkpoint whose encoder takes them"
    if "finite" in expected:
        fix = "check the features with `progfix data check`"
    return InputError(Problem(video.where, expected, found, fix))
