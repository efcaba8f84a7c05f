"""The GRU head: the last hidden state over the prefix, through two linear layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pad_packed_sequence,
    pad_sequence,
)

from progfix.heads.base import ProgressHead
from progfix.heads.inputs import column, newest_columns
from progfix.heads.online import State
from progfix.heads.packing import pack
from progfix.heads.prefixes import every_prefix
from progfix.heads.spec import HeadSpec

__all__ = ["GruHead"]


class GruHead(ProgressHead):
    """GRU (D + extra -> hidden), Linear -> 32, ReLU, Linear -> K.

    Parameter names are those of the fork, so that its checkpoints load: `gru.*`, `h0`,
    `fc.0`, `fc.2`.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py.
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        self.gru = nn.GRU(width + len(spec.extra), spec.hidden, batch_first=True)
        self.h0 = (
            nn.Parameter(torch.zeros(1, 1, spec.hidden))
            if spec.initial_state == "learned"
            else None
        )
        self.fc = self._readout(spec.hidden, 32)

    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_last`."""
        _, hidden = self._run(self.inputs(self.prepared(embeddings), lengths), lengths)
        raw: Tensor = self.fc(self.dropout(hidden[0]))
        return raw

    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_every`."""
        if not self.streams:
            if torch.is_grad_enabled():
                return every_prefix(self.raw_last, embeddings, lengths)
            scanned = [
                self._scan(segment[:length])
                for segment, length in zip(self.prepared(embeddings), lengths.tolist(), strict=True)
            ]
            return pad_sequence(scanned, batch_first=True)
        states, _ = self._run(self.inputs(self.prepared(embeddings), lengths), lengths)
        # Read out before padding: a few numbers of a frame are put into place, not its state.
        raw = states._replace(data=self.fc(self.dropout(states.data)))
        return pad_packed_sequence(raw, batch_first=True, total_length=embeddings.shape[1])[0]

    def _begin(self, batch: int) -> State:
        hidden = self._zeros(batch, self.spec.hidden)
        return (hidden if self.h0 is None else hidden + self.h0[0].detach(),)

    def _raw_newest(self, frame: Tensor, elapsed: Tensor, carried: State) -> tuple[Tensor, State]:
        columns = newest_columns(self.spec, elapsed, frame.dtype)
        weights = self.gru.all_weights[0]
        hidden = torch.gru_cell(torch.cat([frame, columns], dim=-1), carried[0], *weights)
        raw: Tensor = self.fc(self.dropout(hidden))
        return raw, (hidden,)

    def _run(self, inputs: Tensor, lengths: Tensor) -> tuple[PackedSequence, Tensor]:
        state = None if self.h0 is None else self.h0.expand(1, len(inputs), -1).contiguous()
        states: PackedSequence
        states, hidden = self.gru(pack(inputs, lengths), state)
        return states, hidden

    def _scan(self, embeddings: Tensor) -> Tensor:
        """Return the raw outputs of all prefixes of one segment, without gradient.

        All prefixes advance together, one frame at a time. A frame's embedding meets the
        input weights once and serves every prefix; what depends on the prefix length is a
        rank-one term per column. Prefixes are ordered by length, so that those still
        running at a frame are a slice.

        Args:
            embeddings: `(T, D)`, prepared.

        Returns:
            `(T, K)`.
        """
        frames, width = embeddings.shape
        weights = dict(self.gru.named_parameters())
        recurrent = weights["weight_hh_l0"].T.contiguous()
        per_frame = torch.addmm(
            weights["bias_ih_l0"], embeddings, weights["weight_ih_l0"][:, :width].T
        )
        per_prefix = torch.zeros_like(per_frame)
        slope = torch.zeros_like(per_frame)
        count = torch.arange(1, frames + 1, device=embeddings.device)
        for name, weight in zip(self.spec.extra, weights["weight_ih_l0"][:, width:].T, strict=True):
            if name == "position":
                slope += weight / count[:, None]
            else:
                values = column(name, count - 1, count, self.spec.frame_count_max)
                term = values[:, None].to(weight.dtype) * weight
                (per_frame if name == "elapsed" else per_prefix).add_(term)
        hidden = torch.zeros(frames, self.spec.hidden, dtype=slope.dtype, device=slope.device)
        if self.h0 is not None:
            hidden += self.h0[0]
        for t in range(frames):
            running = hidden[t:]
            from_input = torch.add(per_prefix[t:], slope[t:], alpha=t).add_(per_frame[t])
            from_state = torch.addmm(weights["bias_hh_l0"], running, recurrent)
            hidden[t:] = _gru_cell(from_input, from_state, running)
        raw: Tensor = self.fc(hidden)
        return raw


def _gru_cell(from_input: Tensor, from_state: Tensor, state: Tensor) -> Tensor:
    """One GRU step from its pre-activations `(n, 3 H)`, gates ordered reset, update, new."""
    size = state.shape[1]
    gates = torch.sigmoid(from_input[:, : 2 * size] + from_state[:, : 2 * size])
    reset, update = gates[:, :size], gates[:, size:]
    new = torch.tanh(from_input[:, 2 * size :] + reset * from_state[:, 2 * size :])
    return torch.lerp(new, state, update)
