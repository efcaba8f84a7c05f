"""From a progress model to the text of a module that computes the same on its own."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from torch import Tensor, nn

from progfix.export.layers import (
    attributes,
    class_name,
    class_source,
    encoder_source,
    unused_weights,
)
from progfix.export.template import render
from progfix.export.text import head_summary, input_shape
from progfix.heads.base import ProgressHead
from progfix.heads.remaining import EDGES
from progfix.heads.spec import Attention, Convolution, Extra, HeadSpec
from progfix.model import ProgressModel

__all__ = ["standalone_source", "standalone_weights"]

_CHILDREN = ("gru", "input_proj", "fc")
_TEMPLATES = {"gru": "gru", "pooled": "pooled", "transformer": "causal", "tcn": "causal"}
_FUNCTIONS = ("batch_norm", "pad", "scaled_dot_product_attention")
_LINE = 96


def standalone_weights(model: ProgressModel) -> dict[str, Tensor]:
    """Return the weights of the stand-alone module by name, on the CPU."""
    parts = {"head.": model.head} if model.encoder is not None else {"": model.head}
    weights = {
        prefix + name: tensor
        for prefix, part in parts.items()
        for name, tensor in part.state_dict().items()
    }
    if model.encoder is not None:
        left_out = unused_weights(model.encoder)
        weights |= {
            f"encoder.{name}": tensor
            for name, tensor in model.encoder.state_dict().items()
            if not name.startswith(left_out)
        }
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}


def standalone_source(model: ProgressModel, about: Sequence[str]) -> str:
    """Return a Python module that needs torch alone.

    It has a class `ProgressHead`, with an encoder also its class and `ProgressModel`, and
    `load`, which reads the weights from `standalone_weights`.

    Args:
        model: Encoder and head.
        about: Lines for its beginning: what it is, how it was made, how to use it.
    """
    spec = model.head.spec
    features = _features(model)
    values = _values(model)
    parts = []
    if model.encoder is not None:
        size = " x ".join(map(str, input_shape(model)))
        shapes = f"Return the embeddings of a whole video, (T, {size}) to (T, {values['width']})."
        parts.append(encoder_source(model.encoder, shapes))
    stack = _stack(model.head)
    if stack is not None:
        parts.append(class_source(type(stack[0])))
    if "remaining" in features:
        parts.append(render("remaining", features, values))
    parts.append(render("head", features, values))
    parts.append(render(_TEMPLATES[spec.kind], features, values))
    if spec.kind != "pooled" and features & {"columns", "normalise"}:
        parts.append(render("inputs", features, values))
    if "columns" in features:
        parts.append(render("columns", features, values))
    parts.append(render("end", features, values))
    body = "".join(parts)
    return _beginning(about, body) + body


def _features(model: ProgressModel) -> set[str]:
    spec = model.head.spec
    flags = {
        "columns": bool(spec.extra),
        "learned": spec.initial_state == "learned",
        "normalise": spec.normalise,
        "streams": spec.streams,
        "step": spec.why_no_step is None,
        "encoder": model.encoder is not None,
        "skip-first": spec.skip_first,
        "window": _attention(spec).window is not None,
    }
    return {spec.kind, spec.output, *spec.extra, *(name for name, there in flags.items() if there)}


def _values(model: ProgressModel) -> dict[str, str]:
    head, spec = model.head, model.head.spec
    changed = bool(spec.extra) or spec.normalise
    edges = [*EDGES.tolist(), round(EDGES[-1] * 1.12)]
    listed = textwrap.wrap(", ".join(map(str, edges)) + ",", _LINE)
    return {
        "reads": head_summary(spec)[0],
        "answers": head_summary(spec)[1],
        "layers": attributes(head, _CHILDREN) + _stacked(head),
        "width": str(head.width),
        "size": ", ".join(map(str, input_shape(model))),
        "hidden": str(spec.hidden),
        "heads": str(_attention(spec).heads),
        "window": str(_attention(spec).window),
        "maximum": repr(float(spec.frame_count_max)),
        "columns": textwrap.indent("\n".join(f"{c}," for c in _columns(spec)), 12 * " "),
        "edges": textwrap.indent("\n".join(listed), 4 * " "),
        "inputs": "self.inputs(embeddings, elapsed)" if changed else "embeddings",
        "newest": "self.inputs(frame, elapsed)" if changed else "frame",
        "answer": "Answer" if spec.output == "remaining" else "Tensor",
        "encoder": "" if model.encoder is None else class_name(model.encoder),
        "model": "ProgressHead" if model.encoder is None else "ProgressModel",
    }


def _attention(spec: HeadSpec) -> Attention:
    return spec.attention or Attention()


def _stack(head: ProgressHead) -> nn.ModuleList | None:
    """Return the layers of a head that are a class of ours."""
    found = getattr(head, "layers", None) or getattr(head, "blocks", None)
    return found if isinstance(found, nn.ModuleList) else None


def _stacked(head: ProgressHead) -> str:
    """Return the line of `__init__` that makes them."""
    spec = head.spec
    if spec.kind == "transformer":
        shape = _attention(spec)
        made = f"Layer({spec.hidden}, {shape.heads}, {shape.feedforward})"
        return f"\n{8 * ' '}self.layers = nn.ModuleList({made} for _ in range({shape.layers}))"
    if spec.kind == "tcn":
        blocks = spec.convolution or Convolution()
        made = f'Block({spec.hidden}, {blocks.kernel}, dilation, "{blocks.norm}")'
        each = f"{made} for dilation in {blocks.dilations!r}"
        return f"\n{8 * ' '}self.blocks = nn.ModuleList(\n{12 * ' '}{each}\n{8 * ' '})"
    return ""


def _columns(spec: HeadSpec) -> list[str]:
    """Return the expressions of the columns behind the embedding, in the head's order."""

    def log(frames: str) -> str:
        return f"torch.log1p({frames}.double()) / math.log1p({float(spec.frame_count_max)!r})"

    pooled = spec.kind == "pooled"
    table: dict[Extra, str] = {
        "position": "(elapsed - 1) / (2.0 * elapsed)" if pooled else "(elapsed - 1) / length",
        "prefix-length": log("elapsed" if pooled else "length"),
        "elapsed": "clock / elapsed" if pooled else log("elapsed"),
    }
    return [table[name] for name in spec.extra]


def _beginning(about: Sequence[str], body: str) -> str:
    """Return what comes before the classes: comments, and the imports that they need."""
    standard = {
        "import math": "math.",
        "from pathlib import Path": "Path",
        "from typing import NamedTuple": "NamedTuple",
    }
    lines = [
        *(f"# {line}".rstrip() for line in about),
        "",
        "from __future__ import annotations",
        "",
    ]
    lines += [line for line, word in standard.items() if word in body]
    lines += ["", "import torch", "from torch import Tensor, nn"]
    if "functional." in body:
        lines.append("from torch.nn import functional")
    called = [name for name in _FUNCTIONS if re.search(rf"(?<![.\w]){name}\(", body)]
    if called:
        lines.append(f"from torch.nn.functional import {', '.join(called)}")
    return "\n".join(lines) + "\n"
