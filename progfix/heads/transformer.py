"""The transformer head: causal attention with linear biases over a window of frames."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from progfix.heads.causal import CausalHead
from progfix.heads.online import State
from progfix.heads.spec import Attention, HeadSpec

__all__ = ["TransformerHead"]


class TransformerHead(CausalHead):
    """Linear -> hidden, LayerNorm, pre-norm attention layers with ALiBi, -> 32 -> K.

    Attention to a frame d frames back is lowered by slope x d, with slopes 2^(-8 i / heads)
    for heads i = 1, 2, ..., and by everything at the window and beyond. There are no
    positions: how much was seen is known only to the column "elapsed".

    Source: Press et al., Train Short, Test Long, ICLR 2022 (the biases);
    Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py at 8a6f44d (the layers and
    their names; slopes there are 1, 1/2, 1/4, ...).
    """

    alibi_slopes: Tensor

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        shape = spec.attention or Attention()
        self.window = shape.window
        self.input_proj = nn.Sequential(
            nn.Linear(width + len(spec.extra), spec.hidden), nn.LayerNorm(spec.hidden)
        )
        self.layers = nn.ModuleList(
            _Layer(spec.hidden, shape.heads, shape.feedforward) for _ in range(shape.layers)
        )
        exponents = torch.arange(1, shape.heads + 1) * (8 / shape.heads)
        self.register_buffer("alibi_slopes", 2.0**-exponents)

    def _layers(self, hidden: Tensor) -> Tensor:
        frames = hidden.shape[1]
        place = torch.arange(frames, device=hidden.device)
        window = self.window or frames
        blocks = []
        for first in range(0, frames, window):
            # Queries of one window see at most one window before them.
            queries = slice(first, min(first + window, frames))
            keys = slice(max(0, first - window + 1), queries.stop)
            bias = self._bias(place[queries, None] - place[keys], window)
            blocks.append((queries, keys, bias[None]))
        for layer in self._each():
            query, key, value = layer.project(hidden)
            seen = [
                scaled_dot_product_attention(
                    query[:, :, queries], key[:, :, keys], value[:, :, keys], attn_mask=bias
                )
                for queries, keys, bias in blocks
            ]
            hidden = layer.finish(hidden, torch.cat(seen, dim=2))
        return hidden

    def _begin(self, batch: int) -> State:
        if self.window is None:
            return ()
        size = (
            batch,
            len(self.alibi_slopes),
            self.window,
            self.spec.hidden // len(self.alibi_slopes),
        )
        return tuple(self._zeros(*size) for _ in range(2 * len(self.layers)))

    def _layers_newest(
        self, hidden: Tensor, elapsed: Tensor, carried: State
    ) -> tuple[Tensor, State]:
        window = carried[0].shape[2]
        back = torch.arange(window - 1, -1, -1, device=hidden.device)
        # What lies before the first frame is as far away as what lies before the window.
        distance = torch.where(back < elapsed[:, None], back, window)
        bias = self._bias(distance[:, None], window).transpose(0, 1)
        hidden = hidden[:, None]
        kept: list[tuple[Tensor, Tensor]] = []
        for layer, keys, values in zip(self._each(), carried[::2], carried[1::2], strict=True):
            query, key, value = layer.project(hidden)
            keys = torch.cat([keys[:, :, 1:], key], dim=2)
            values = torch.cat([values[:, :, 1:], value], dim=2)
            kept.append((keys, values))
            seen = scaled_dot_product_attention(query, keys, values, attn_mask=bias)
            hidden = layer.finish(hidden, seen)
        return hidden[:, 0], tuple(chain.from_iterable(kept))

    def _bias(self, distance: Tensor, window: int) -> Tensor:
        """Return what is added to the scores, `(..., K)` to `(heads, ..., K)`."""
        slopes = self.alibi_slopes.reshape(-1, *[1] * distance.dim())
        outside = (distance < 0) | (distance >= window)
        return (-slopes * distance).masked_fill(outside, -torch.inf)

    def _each(self) -> list[_Layer]:
        return [layer for layer in self.layers if isinstance(layer, _Layer)]


class _Layer(nn.Module):
    """One pre-norm layer: attention, then two linear layers with GELU, each added on."""

    def __init__(self, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        # The third place is a dropout in the fork, whose names these are.
        self.ffn = nn.Sequential(
            nn.Linear(width, feedforward), nn.GELU(), nn.Identity(), nn.Linear(feedforward, width)
        )
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, `(B, T, H)` to `(B, heads, T, H / heads)` each."""
        normed = self.norm1(hidden)
        query, key, value = (
            layer(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        return query, key, value

    def finish(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """Add what attention has `seen`, `(B, heads, T, H / heads)`, and the linear layers."""
        hidden = hidden + self.out_proj(seen.transpose(1, 2).flatten(2))
        result: Tensor = hidden + self.ffn(self.norm2(hidden))
        return result
