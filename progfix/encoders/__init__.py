"""Encoders: frame features in, embeddings out."""

from __future__ import annotations

from progfix.encoders.base import Encoder
from progfix.encoders.build import (
    ENCODERS,
    EncoderKind,
    load_weights,
    new_encoder,
    rebuild_encoder,
)
from progfix.encoders.multiprong import MultiprongEncoder
from progfix.encoders.naive import NaiveEncoder
from progfix.encoders.resnet import ResnetEncoder
from progfix.encoders.stacking import StackingEncoder

__all__ = [
    "ENCODERS",
    "Encoder",
    "EncoderKind",
    "MultiprongEncoder",
    "NaiveEncoder",
    "ResnetEncoder",
    "StackingEncoder",
    "load_weights",
    "new_encoder",
    "rebuild_encoder",
]
