"""The features of a video as those need them who compute with them: present and finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from progfix.data.dataset import Dataset, FeatureSource, Video
from progfix.errors import InputError, Problem

__all__ = ["GET_FEATURES", "finite_features", "require_features", "require_some_features"]

GET_FEATURES = (
    "name the folder with the .npy features with --feature-dir, or make features with "
    "`progfix data make --annotations`"
)
"""What to do where there are annotations alone."""


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


def require_some_features(data: Dataset) -> None:
    """Check that data is not annotations alone, which no single video is to blame for.

    Raises:
        InputError: If no video has features.
    """
    if data.feature_shape is None:
        found = "annotations without features"
        raise InputError(Problem(data.origin, "features", found, GET_FEATURES))
