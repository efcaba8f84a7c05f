"""What heads of causal layers share: a projection, layers over the frames, a readout."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from progfix.heads.base import ProgressHead
from progfix.heads.inputs import newest_columns
from progfix.heads.online import State
from progfix.heads.prefixes import every_prefix
from progfix.heads.spec import HeadSpec

__all__ = ["CausalHead"]


class CausalHead(ProgressHead):
    """Inputs -> hidden, layers in which a frame sees itself and earlier ones, -> 32, -> K.

    A subclass gives the projection and the layers, over whole segments and frame by frame.
    """

    input_proj: nn.Sequential

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec, width)
        self.fc = self._readout(spec.hidden, 32)

    @abstractmethod
    def _layers(self, hidden: Tensor) -> Tensor:
        """Return what the layers make of whole segments, `(B, T, H)` to `(B, T, H)`."""

    @abstractmethod
    def _layers_newest(
        self, hidden: Tensor, elapsed: Tensor, carried: State
    ) -> tuple[Tensor, State]:
        """Return what the layers make of the newest frame, `(B, H)` to `(B, H)`.

        Args:
            hidden: The projected frame.
            elapsed: int64 `(B,)`, this frame included.
            carried: What the frame before returned; before the first, `_begin`.
        """

    def raw_last(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_last`."""
        hidden = self._hidden(embeddings, lengths)
        raw: Tensor = self.fc(self.dropout(hidden[torch.arange(len(lengths)), lengths - 1]))
        return raw

    def raw_every(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `ProgressHead.raw_every`."""
        if not self.streams:
            return every_prefix(self.raw_last, embeddings, lengths)
        raw: Tensor = self.fc(self.dropout(self._hidden(embeddings, lengths)))
        return raw

    def _hidden(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        before: Tensor = self.input_proj(self.inputs(self.prepared(embeddings), lengths))
        after = self._layers(before)
        if self.spec.skip_first:
            # The first frame of a longer prefix is read by nobody but as its own prefix.
            after = torch.cat([before[:, :1], after[:, 1:]], dim=1)
        return after

    def _raw_newest(self, frame: Tensor, elapsed: Tensor, carried: State) -> tuple[Tensor, State]:
        columns = newest_columns(self.spec, elapsed, frame.dtype)
        before: Tensor = self.input_proj(torch.cat([frame, columns], dim=-1))
        after, carried = self._layers_newest(before, elapsed, carried)
        if self.spec.skip_first:
            after = torch.where(elapsed[:, None] == 1, before, after)
        raw: Tensor = self.fc(self.dropout(after))
        return raw, carried
