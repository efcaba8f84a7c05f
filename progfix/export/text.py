"""What an export says about itself: at the top of a module, and on the screen."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

import progfix
from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.head_spec import format_head_spec
from progfix.encoders import Encoder
from progfix.export.layers import class_name
from progfix.export.target import Format
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel

__all__ = ["about", "answer_names", "describe", "head_summary", "input_shape", "usage"]

_LINE = 94
_KINDS = {
    "gru": "A GRU over the embeddings",
    "pooled": "The mean of the embeddings so far",
    "transformer": "Causal attention with linear biases over the embeddings",
    "tcn": "Causal dilated convolutions over the embeddings",
}
_COLUMNS = {
    "position": "positions in the prefix",
    "prefix-length": "the length of the prefix",
    "elapsed": "a frame count",
}
_OUTPUTS = {
    "progress": "It answers progress in [0, 1].",
    "increment": "It answers what each frame adds to progress, which is the sum, in [0, 1].",
    "remaining": "It answers how many frames are left, as a distribution.",
}


def head_summary(spec: HeadSpec) -> tuple[str, str]:
    """Return two sentences on a head: what it reads, what it answers."""
    *before, last = (_KINDS[spec.kind], *(_COLUMNS[name] for name in spec.extra))
    reads = f"{', '.join(before)} and {last}" if before else last
    return f"{reads}.", _OUTPUTS[spec.output]


def describe(checkpoint: Checkpoint) -> str:
    """Return "gru head, solution fghs, of 128 numbers per frame"."""
    head, recipe = checkpoint.model.head, checkpoint.recipe
    if recipe is not None and checkpoint.durations is not None:
        made = f"solution {recipe.solution or 'baseline'}"
    else:  # the users', whose recipe says less than the head itself
        made = f"head spec {format_head_spec(head.spec)}"
    return f"{head.spec.kind} head, {made}, of {head.width} numbers per frame"


def about(checkpoint: Checkpoint, name: str) -> list[str]:
    """Return the lines at the top of a module.

    Args:
        checkpoint: What is exported.
        name: The module's name.
    """
    digest = hashlib.sha256(checkpoint.path.read_bytes()).hexdigest()
    epoch = "" if checkpoint.epoch is None else f", epoch {checkpoint.epoch}"
    made = (
        f"Written by progfix {progfix.__version__} from {str(checkpoint.path)!r}{epoch} "
        f"(sha256 {digest[:16]}), and verified to answer the same. It needs torch, "
        f"not progfix (it was made with torch {torch.__version__}); {name}.pt beside it has the "
        "weights."
    )
    return [
        f"Action progress: {describe(checkpoint)}.",
        "",
        *textwrap.wrap(made, _LINE, break_long_words=False, break_on_hyphens=False),
        "",
        *textwrap.wrap(" ".join(_contents(checkpoint.model)), _LINE),
        "",
        *(f"    {line}" for line in usage(checkpoint.model, "module", name)),
    ]


def _contents(model: ProgressModel) -> Iterator[str]:
    """Yield sentences on what is included."""
    head, encoder = model.head, model.encoder
    if encoder is None:
        yield "There is no encoder: the head reads frame features or embeddings as they are."
    else:
        sees = "sees no later frame" if _causal(encoder) else "sees later frames of the video too"
        yield f"The encoder, {class_name(encoder)}, is included; an embedding {sees}."
    if head.spec.normalise:
        yield "The normalisation of the head's input is included."
    if head.spec.dropout > 0:
        yield f"Dropout, {head.spec.dropout:g} in training, is left out."
    if head.spec.why_no_step is None:
        yield "`ProgressHead.step` takes one embedding after the other, in constant memory."
    else:
        yield f"There is no `step`: {head.spec.why_no_step}."


def usage(
    model: ProgressModel, kind: Format, name: str, zeros: Sequence[Tensor] = ()
) -> Sequence[str]:
    """Return three lines of Python that use an export.

    Args:
        model: What was exported.
        kind: As what.
        name: The file's name without its ending.
        zeros: The state that a program begins with.
    """
    head = model.head
    parts = ", ".join(answer_names(head.spec))
    if kind == "module":
        if model.encoder is None:
            return (
                f"from {name} import load",
                "head = load()",
                f"{parts} = head(embeddings)  # (T, {head.width}) of an action -> (T,)",
            )
        size = ", ".join(map(str, input_shape(model)))
        return (
            f"from {name} import load",
            "model = load()",
            f"{parts} = model(features, first, last)  # (T, {size}) of a video, an action in it",
        )
    library = "np" if kind == "onnx" else "torch"
    arrays = ", ".join(
        f"{library}.zeros({list(entry.shape)}, dtype={library}.{_type_name(entry)})"
        for entry in zeros
    )
    if kind == "torch-export":
        return (
            f'step = torch.export.load("{name}.pt2").module()',
            f"state = [{arrays}]",
            f"{parts}, *state = step(frame, *state)  # frame: (1, {head.width}), then the next",
        )
    names = ", ".join(repr(f"state_{place}") for place in range(len(zeros)))
    return (
        f'session = onnxruntime.InferenceSession("{name}.onnx")',
        f"state = [{arrays}]",
        f"{parts}, *state = session.run(None, dict(zip(['frame', {names}], [frame, *state])))",
    )


def answer_names(spec: HeadSpec) -> tuple[str, ...]:
    """Return what the head answers at a frame, progress first."""
    if spec.output == "remaining":
        return ("progress", "lower", "upper", "remaining")
    return ("progress",)


def _type_name(entry: Tensor) -> str:
    return str(entry.dtype).removeprefix("torch.")


def input_shape(model: ProgressModel) -> tuple[int, ...]:
    """Return the shape of one frame of what a model takes: features, or embeddings."""
    encoder = model.encoder
    return encoder.input_shape if isinstance(encoder, Encoder) else (model.head.width,)


def _causal(encoder: object) -> bool:
    return isinstance(encoder, Encoder) and encoder.causal
