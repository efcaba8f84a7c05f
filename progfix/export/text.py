"""What an export says about itself: at the top of a module, and on the screen."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

import progfix
from progfix.checkpoints.checkpoint import Checkpoint
from progfix.encoders import Encoder
from progfix.export.layers import class_name
from progfix.export.target import Format
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel

__all__ = ["about", "answer_names", "describe", "head_summary", "input_shape", "takes", "usage"]

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
        made = _inputs(head.spec)
    return f"{head.spec.kind} head, {made}, of {head.width} numbers per frame"


def about(checkpoint: Checkpoint, name: str) -> list[str]:
    """Return the lines at the top of a module.

    Args:
        checkpoint: What is exported.
        name: The module's name.
    """
    digest = hashlib.sha256(checkpoint.path.read_bytes()).hexdigest()
    source = f"{str(checkpoint.path)!r}{_epoch(checkpoint)}"
    made = (
        f"Written by progfix {progfix.__version__} from {source} "
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


def takes(model: ProgressModel, kind: Format) -> str:
    """Return what an export reads, and whether the encoder is in it.

    Args:
        model: What was exported.
        kind: As what.
    """
    embeddings = f"takes embeddings ({model.head.width} numbers per frame)"
    if model.encoder is None:
        return f"{embeddings}; the checkpoint has no encoder, and none is in it"
    encoder = f"the encoder, {class_name(model.encoder)},"
    if kind == "module":
        size = " x ".join(map(str, input_shape(model)))
        return f"takes features of whole videos ({size} numbers per frame); {encoder} is in it"
    return f"{embeddings}, not features: {encoder} is not in it (--format module has it)"


def _inputs(spec: HeadSpec) -> str:
    """Return "input columns position, elapsed, learned initial state"."""
    columns = ", ".join(spec.extra)
    said = [f"input columns {columns}" if columns else "no input columns beside the embedding"]
    if {"prefix-length", "elapsed"} & set(spec.extra):
        said.append(f"frame counts relative to {spec.frame_count_max:g}")
    if spec.initial_state == "learned":
        said.append("learned initial state")
    return ", ".join(said)


def _epoch(checkpoint: Checkpoint) -> str:
    """Return ", epoch 2" as the training run said it: progfix counts from 1, GTCC from 0."""
    epoch, recipe = checkpoint.epoch, checkpoint.recipe
    if epoch is None:
        return ""
    ours = checkpoint.kind == "progfix"
    if not ours and checkpoint.durations is not None and recipe is not None:
        if not recipe.method.trains_encoder:  # the file keeps the epoch of its encoder
            return f", encoder of epoch {epoch} counted from 0"
        ours = True
    return f", epoch {epoch + 1}" if ours else f", epoch {epoch} counted from 0"


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
    """Return lines of Python that use an export, run in its folder as they are.

    Args:
        model: What was exported.
        kind: As what.
        name: The file's name without its ending.
        zeros: The state that a program begins with.
    """
    names = answer_names(model.head.spec)
    if kind == "module":
        return _module_usage(model, name, several=len(names) > 1)
    take = f"progress, state = answers[0], answers[{len(names)}:]"
    width = model.head.width
    if kind == "torch-export":
        return (
            "import torch",
            f'step = torch.export.load("{name}.pt2").module()',
            _state(zeros, "torch"),
            f"embeddings = torch.zeros(60, {width})  # put in yours, of one action: (T, {width})",
            "with torch.inference_mode():",
            f"    for frame in embeddings[:, None]:  # (1, {width}), then the next",
            "        answers = step(frame, *state)",
            f"        {take}",
        )
    return (
        "import numpy as np",
        "import onnxruntime",
        f'session = onnxruntime.InferenceSession("{name}.onnx")',
        "names = [entry.name for entry in session.get_inputs()]",
        _state(zeros, "np"),
        f"embeddings = np.zeros((60, {width}), dtype=np.float32)  # put in yours, of one action",
        f"for frame in embeddings[:, None]:  # (1, {width}), then the next",
        "    answers = session.run(None, dict(zip(names, [frame, *state])))",
        f"    {take}",
    )


def _module_usage(model: ProgressModel, name: str, *, several: bool) -> Sequence[str]:
    """Return how a module is used: at once, and frame by frame where it can."""
    answer = "answer" if several else "progress"
    parts = "  # answer.progress, .lower, .upper, ...: (T,)" if several else "  # (T,)"
    size = ", ".join(map(str, input_shape(model)))
    begin = ("import torch", f"from {name} import load")
    if model.encoder is not None:
        return (
            *begin,
            "model = load()",
            f"features = torch.zeros(60, {size})  # put in yours, of a video: (T, {size})",
            "with torch.inference_mode():",
            "    # of the action in frames 10 to 29: (20,)",
            f"    {answer} = model(features, 10, 29)",
        )
    steps = (
        "    state = head.initial_state()",
        "    for frame in embeddings:  # or one after the other, as they come",
        "        answer, state = head.step(frame[None], state)",
    )
    return (
        *begin,
        "head = load()",
        f"embeddings = torch.zeros(60, {size})  # put in yours, of one action: (T, {size})",
        "with torch.inference_mode():",
        f"    {answer} = head(embeddings){parts}",
        *(steps if model.head.spec.why_no_step is None else ()),
    )


def _state(zeros: Sequence[Tensor], library: str) -> str:
    arrays = ", ".join(
        f"{library}.zeros({list(entry.shape)}, dtype={library}.{_type_name(entry)})"
        for entry in zeros
    )
    return f"state = [{arrays}]"


def answer_names(spec: HeadSpec) -> tuple[str, ...]:
    """Return what the head answers at a frame, progress first."""
    if spec.output == "remaining":
        ends = ("lower", "upper", "lower_50", "upper_50", "lower_95", "upper_95")
        return ("progress", *ends, "remaining")
    return ("progress",)


def _type_name(entry: Tensor) -> str:
    return str(entry.dtype).removeprefix("torch.")


def input_shape(model: ProgressModel) -> tuple[int, ...]:
    """Return the shape of one frame of what a model takes: features, or embeddings."""
    encoder = model.encoder
    return encoder.input_shape if isinstance(encoder, Encoder) else (model.head.width,)


def _causal(encoder: object) -> bool:
    return isinstance(encoder, Encoder) and encoder.causal
