"""The input columns that a head gets beside the embedding.

Times are frames. A prefix of T frames has the column `position` i/T for i = 0..T-1,
`prefix-length` log1p(T)/log1p(max) on every frame, and `elapsed`
log1p(i + 1)/log1p(max), which alone does not depend on T.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from progfix.heads.spec import Extra, HeadSpec

__all__ = ["column", "extra_columns", "newest_columns"]


def column(extra: Extra, index: Tensor, length: Tensor, frame_count_max: float) -> Tensor:
    """Return one input column.

    Args:
        extra: Which column.
        index: 0-based frame index, any shape.
        length: Frames of the prefix that the frame is seen in, broadcastable to `index`.
        frame_count_max: Frames at which the logarithmic columns reach 1.

    Returns:
        Values, broadcast shape of `index` and `length`, float64.
    """
    index = index.double() + torch.zeros_like(length, dtype=torch.float64)
    length = length.double() + torch.zeros_like(index)
    match extra:
        case "position":
            return index / length
        case "prefix-length":
            return torch.log1p(length) / math.log1p(frame_count_max)
        case "elapsed":
            return torch.log1p(index + 1) / math.log1p(frame_count_max)


def extra_columns(spec: HeadSpec, frames: int, lengths: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the extra input columns of padded prefixes.

    Args:
        spec: The head.
        frames: Padded length T.
        lengths: int64 `(B,)`, frames of each prefix, 1 to T.
        dtype: Of the result.

    Returns:
        `(B, T, len(spec.extra))`; columns in the order of `spec.extra`.
    """
    index = torch.arange(frames, device=lengths.device)[None, :]
    columns = [
        column(extra, index, lengths[:, None], spec.frame_count_max).to(dtype)
        for extra in spec.extra
    ]
    if not columns:
        return torch.empty(len(lengths), frames, 0, device=lengths.device, dtype=dtype)
    return torch.stack(columns, dim=-1)


def newest_columns(spec: HeadSpec, elapsed: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the extra input columns of the last frame of prefixes.

    Args:
        spec: The head.
        elapsed: int64 `(B,)`, frames of each prefix, at least 1.
        dtype: Of the result.

    Returns:
        `(B, len(spec.extra))`; columns in the order of `spec.extra`.
    """
    columns = [
        column(extra, elapsed - 1, elapsed, spec.frame_count_max).to(dtype) for extra in spec.extra
    ]
    return torch.stack(columns, dim=-1) if columns else elapsed.new_empty(len(elapsed), 0).to(dtype)
