"""What a progress head is, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from progfix.ranges import Range

__all__ = ["Attention", "Convolution", "Extra", "HeadKind", "HeadSpec", "Output"]

HeadKind = Literal["gru", "pooled", "transformer", "tcn"]
Extra = Literal["position", "prefix-length", "elapsed"]
Output = Literal["progress", "increment", "remaining"]


@dataclass(frozen=True)
class Attention:
    """The layers of a transformer head.

    Attributes:
        layers: How many.
        heads: Attention heads of each; they divide `HeadSpec.hidden`.
        feedforward: Width between the two linear layers that follow the attention.
        window: Frames that a layer looks at, the current one included, so that the head
            works in constant memory; None is the whole prefix (the fork's heads).
    """

    layers: Annotated[int, Range(1, 64)] = 2
    heads: Annotated[int, Range(1, 64)] = 4
    feedforward: Annotated[int, Range(1, 16_384)] = 128
    window: Annotated[int, Range(1, 65_536)] | None = 128


@dataclass(frozen=True)
class Convolution:
    """The blocks of a tcn head.

    Attributes:
        dilations: Frames between the taps of each block's convolution.
        kernel: Taps of a convolution.
        norm: What follows it: "layer" normalises each frame on its own; "batch" uses stored
            statistics (the fork's heads).
    """

    dilations: tuple[Annotated[int, Range(1, 65_536)], ...] = (1, 2, 4, 8, 16, 32)
    kernel: Annotated[int, Range(1, 64)] = 3
    norm: Literal["layer", "batch"] = "layer"


@dataclass(frozen=True)
class HeadSpec:
    """The architecture of a progress head, apart from the width of the embeddings.

    Attributes:
        kind: "gru" reads the last hidden state of a GRU over the prefix; "pooled" reads the
            mean over the prefix (the fork's no-GRU variant); "transformer" is causal
            attention that forgets with distance (ALiBi); "tcn" is causal dilated
            convolutions.
        extra: Further input columns after the embedding, in this order: "position" is i/T
            for i = 0..T-1 of a prefix of T frames (solution a), "prefix-length" is
            log1p(T)/log1p(frame_count_max) on every frame of the prefix (the fork's frame
            count), "elapsed" is log1p(i + 1)/log1p(frame_count_max) (solution f). The first
            two depend on T, so only a pooled head streams with them.
        initial_state: "zero", or "learned" for a trained h0 (solution b; GRU only).
        output: "progress" answers progress itself; "increment" answers what this frame adds
            to it (solution d), progress being the running sum clipped to [0, 1];
            "remaining" answers a distribution over the frames that are left (solution h).
        hidden: Width of the recurrent or first hidden layer, and of what goes through
            attention or convolutions.
        frame_count_max: Frames at which "prefix-length" and "elapsed" reach 1.
        last_bias: Bias of the last layer at initialisation; None keeps PyTorch's.
        normalise: Shift and scale each embedding column by what it was over the training
            frames, stored with the head.
        dropout: Probability that an embedding value, and that a value before the last
            layers, is dropped in training.
        attention: Layers of a transformer; None is `Attention()`.
        convolution: Blocks of a tcn; None is `Convolution()`.
        skip_first: A prefix of one frame goes past the layers of a transformer or tcn (the
            fork's heads).

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
    attention: Attention | None = None
    convolution: Convolution | None = None
    skip_first: bool = False

    @property
    def contradiction(self) -> str | None:
        """Return what in this keeps the head from being built, or would do nothing; or None."""
        layered = self.kind in ("transformer", "tcn")
        heads = (self.attention or Attention()).heads
        checks = (
            ("initial state to learn", self.initial_state == "zero" or self.kind == "gru"),
            ("attention", self.attention is None or self.kind == "transformer"),
            ("convolution", self.convolution is None or self.kind == "tcn"),
            ("layers for a first frame to skip", layered or not self.skip_first),
        )
        for name, fits in checks:
            if not fits:
                return f"the {self.kind} head has no {name}"
        if self.kind == "transformer" and self.hidden % heads:
            return f"{heads} attention heads do not divide {self.hidden} units"
        return None

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

    @property
    def why_no_step(self) -> str | None:
        """Return why the head cannot go frame by frame in constant memory; None if it can."""
        if self.why_not_streaming is not None:
            return self.why_not_streaming
        if self.kind == "transformer" and (self.attention or Attention()).window is None:
            return "its attention goes back over the whole prefix, so its state would grow"
        return None
