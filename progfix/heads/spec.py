"""What a progress head is, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from progfix.ranges import Range

__all__ = ["Extra", "HeadKind", "HeadSpec", "Output"]

HeadKind = Literal["gru", "pooled"]
Extra = Literal["position", "prefix-length", "elapsed"]
Output = Literal["progress", "increment", "remaining"]


@dataclass(frozen=True)
class HeadSpec:
    """The architecture of a progress head, apart from the width of the embeddings.

    Attributes:
        kind: "gru" reads the last hidden state of a GRU over the prefix; "pooled" reads the
            mean over the prefix (the fork's no-GRU variant).
        extra: Further input columns after the embedding, in this order: "position" is i/T
            for i = 0..T-1 of a prefix of T frames (solution a), "prefix-length" is
            log1p(T)/log1p(frame_count_max) on every frame of the prefix (the fork's frame
            count), "elapsed" is log1p(i + 1)/log1p(frame_count_max) (solution f). The first
            two depend on T, so a GRU with them does not stream.
        initial_state: "zero", or "learned" for a trained h0 (solution b; GRU only).
        output: "progress" answers progress itself; "increment" answers what this frame adds
            to it (solution d), progress being the running sum clipped to [0, 1];
            "remaining" answers a distribution over the frames that are left (solution h).
        hidden: Width of the recurrent or first hidden layer.
        frame_count_max: Frames at which "prefix-length" and "elapsed" reach 1.
        last_bias: Bias of the last layer at initialisation; None keeps PyTorch's.
        normalise: Shift and scale each embedding column by what it was over the training
            frames, stored with the head.
        dropout: Probability that an embedding value, and that a value before the last
            layers, is dropped in training.

    Source: Anish-1221/GTCC_CVPR2024_Reproduce, models/model_multiprong.py.
    """

    kind: HeadKind = "gru"
    extra: tuple[Extra, ...] = ()
    initial_state: Literal["zero", "learned"] = "zero"
    output: Output = "progress"
    hidden: Annotated[int, Range(1, 16_384)] = 64
    frame_count_max: Annotated[float, Range(0, above=True)] = 300.0
    last_bias: Annotated[float, Range(-100, 100)] | None = None
    normalise: bool = False
    dropout: Annotated[float, Range(0, 0.95)] = 0.0

    @property
    def streams(self) -> bool:
        """Whether one pass over a segment answers every prefix of it."""
        return self.why_not_streaming is None

    @property
    def why_not_streaming(self) -> str | None:
        """Return why one pass does not answer every prefix; None if it does."""
        late = [name for name in self.extra if name in ("position", "prefix-length")]
        if self.kind == "pooled" or not late:
            return None
        return (
            f"its input column {late[0]!r} changes on every earlier frame as the prefix grows, "
            "so each prefix is a sequence of its own"
        )
