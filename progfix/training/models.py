"""The model that a run begins with."""

from __future__ import annotations

from progfix.alignment import METHODS
from progfix.checkpoints import Checkpoint
from progfix.data.dataset import Dataset
from progfix.encoders import Encoder, new_encoder
from progfix.errors import InputError, Problem
from progfix.features import GET_FEATURES
from progfix.heads.build import build_head
from progfix.model import ProgressModel
from progfix.training.recipe import Method, Recipe

__all__ = ["new_model"]


def new_model(recipe: Recipe, data: Dataset, init: Checkpoint | None) -> ProgressModel:
    """Return a new head: on a frozen encoder, on a new one to be trained, or on features.

    Args:
        recipe: The run.
        data: All splits.
        init: A checkpoint whose encoder is kept, frozen; None without.

    Raises:
        InputError: If the data's features are not what encoder or head can take.
    """
    raw = recipe.method.features == "raw"
    encoder = None
    if init is not None:
        encoder = init.model.encoder
        if not isinstance(encoder, Encoder):
            return ProgressModel(None, build_head(recipe.head, init.model.head.width))
        encoder.requires_grad_(requires_grad=False)
    elif recipe.method.trains_encoder:
        encoder = _new_encoder(recipe.method, data)
    else:
        return ProgressModel(None, build_head(recipe.head, _vector(data, "to train a head on")))
    width = _vector(data, "for a head on raw features") if raw else encoder.output_size
    return ProgressModel(encoder, build_head(recipe.head, width), raw=raw)


def _new_encoder(method: Method, data: Dataset) -> Encoder:
    shape = data.feature_shape or ()
    try:
        return new_encoder(
            method.encoder,
            shape,
            size=method.size,
            causal=method.causal,
            heads=len(data.tasks) if method.mcn else None,
            drop=METHODS[method.name].uses_drop,
            initial=method.initial,
        )
    except ValueError as error:
        maps = method.encoder == "resnet"
        raise InputError(
            Problem(
                data.origin,
                f"{'a square feature map' if maps else 'one feature vector'} per frame for the "
                f"{method.encoder} encoder",
                _found(shape),
                "choose another --encoder: resnet for maps, stacking or naive for vectors"
                if shape
                else GET_FEATURES,
            )
        ) from error


def _vector(data: Dataset, purpose: str) -> int:
    shape = data.feature_shape or ()
    if len(shape) == 1:
        return shape[0]
    raise InputError(
        Problem(
            data.origin,
            f"one feature vector per frame {purpose}",
            _found(shape),
            "train an encoder with --method and --encoder resnet, or pass --init with one"
            if shape
            else GET_FEATURES,
        )
    )


def _found(shape: tuple[int, ...]) -> str:
    if not shape:
        return "annotations without features"
    return f"features of shape {' x '.join(map(str, shape))}"
