"""From the data that describes a head to the head."""

from __future__ import annotations

from collections.abc import Mapping

from progfix.heads.base import ProgressHead
from progfix.heads.gru import GruHead
from progfix.heads.pooled import PooledHead
from progfix.heads.spec import HeadKind, HeadSpec
from progfix.heads.tcn import TcnHead
from progfix.heads.transformer import TransformerHead

__all__ = ["HEADS", "build_head"]

HEADS: Mapping[HeadKind, type[ProgressHead]] = {
    "gru": GruHead,
    "pooled": PooledHead,
    "transformer": TransformerHead,
    "tcn": TcnHead,
}


def build_head(spec: HeadSpec, width: int) -> ProgressHead:
    """Return a freshly initialised head for embeddings of size `width`.

    Raises:
        ValueError: If the width is below 1 or the specification contradicts itself.
    """
    return HEADS[spec.kind](spec, width)
