"""Our own checkpoints, `progfix-checkpoint/1`: tensors and plain containers only.

The file is a dictionary, read by torch's weights-only loading:

    format      "progfix-checkpoint/1"
    recipe      the training run (`progfix.training.serialise`)
    head        {"width": size of an embedding, "weights": {name: tensor}}
    encoder     None, or {"options": {...}, "weights": {name: tensor}}
    durations   {"actions": [name], "counts": int64 (actions,), "frames": int64 (sum,)}
    data        {option: value} of `DataOptions`
    epoch       0-based
    metrics     {name: number} on the validation videos
    moments     None, or {parameter: [rms, max, step]}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.fields import integer, number, section, weights
from progfix.checkpoints.moments import Moments
from progfix.checkpoints.provenance import Provenance
from progfix.checkpoints.writing import write_payload
from progfix.encoders import Encoder, load_weights, rebuild_encoder
from progfix.errors import InputError, Problem
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel

__all__ = ["FORMAT", "read_native", "save_native"]

FORMAT = "progfix-checkpoint/1"

LARGEST = 1_000_000
"""Largest width of an embedding that is believed."""


def save_native(
    path: Path,
    *,
    model: ProgressModel,
    provenance: Provenance,
    epoch: int,
    moments: Mapping[str, Moments] | None = None,
) -> None:
    """Write a checkpoint, atomically.

    Args:
        path: The file; an existing one is replaced.
        model: Encoder and head, on any device.
        provenance: The training run.
        epoch: 0-based epoch of the weights.
        moments: Adam's second moments by parameter of `model` (`parameter_moments`).

    Raises:
        InputError: If the file cannot be written.
        ValueError: If the encoder is none of progfix's.
    """
    encoder = model.encoder
    if encoder is not None and not isinstance(encoder, Encoder):
        raise ValueError(f"expected an encoder of progfix, found {type(encoder).__name__}")
    payload: dict[str, object] = {
        "format": FORMAT,
        **provenance.to_payload(),
        "head": {"width": model.head.width, "weights": _weights(model.head)},
        "encoder": None
        if encoder is None
        else {"options": encoder.options, "weights": _weights(encoder)},
        "epoch": epoch,
        "moments": None
        if moments is None
        else {name: [m.rms, m.max, m.step] for name, m in moments.items()},
    }
    write_payload(payload, path)


def read_native(payload: Mapping[str, object], path: Path) -> Checkpoint:
    """Rebuild the model of a checkpoint of ours.

    Args:
        payload: What `safe_load` returned.
        path: Where it came from.

    Raises:
        InputError: If the file is of another version, incomplete, or contradicts itself.
    """
    where = str(path)
    if payload.get("format") != FORMAT:
        raise _problem(f"{where}: format", FORMAT, repr(payload.get("format")))
    provenance = Provenance.from_payload(payload, where)
    encoder = None
    if payload.get("encoder") is not None:
        stored = section(payload, "encoder")
        encoder_state = weights(stored.get("weights"), where=f"{where}: encoder.weights")
        options = {str(name): value for name, value in section(stored, "options").items()}
        encoder = rebuild_encoder(encoder_state, options, where=where)
    head = _head(section(payload, "head"), provenance.recipe.head, where)
    raw = encoder is not None and provenance.recipe.method.features == "raw"
    if encoder is not None and head.width != (reads := _size(encoder, raw=raw)):
        expected = f"the {'feature' if raw else 'embedding'} size {reads}"
        raise _problem(f"{where}: head.width", expected, str(head.width))
    return Checkpoint(
        path=path,
        kind="progfix",
        model=ProgressModel(encoder, head, raw=raw).eval(),
        recipe=provenance.recipe,
        epoch=integer(payload.get("epoch")),
        durations=dict(provenance.durations),
        data=dict(provenance.data),
        moments=_moments(payload.get("moments"), where),
        payload=payload,
    )


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in module.state_dict().items()}


def _size(encoder: Encoder, *, raw: bool) -> int:
    """Return the size of what a head reads, beside or behind this encoder."""
    return encoder.input_shape[0] if raw else encoder.output_size


def _head(stored: Mapping[object, object], spec: HeadSpec, where: str) -> ProgressHead:
    width = integer(stored.get("width"))
    state = weights(stored.get("weights"), where=f"{where}: head.weights")
    if width is None or not 0 < width <= LARGEST:
        raise _problem(f"{where}: head.width", f"an integer from 1 to {LARGEST}", str(width))
    with torch.device("meta"):
        head = build_head(spec, width)
    load_weights(head, state, where=where, prefix="head.")
    return head


def _moments(stored: object, where: str) -> dict[str, Moments] | None:
    if stored is None:
        return None
    result: dict[str, Moments] = {}
    for name, values in section(stored).items():
        numbers = values if isinstance(values, list) and len(values) == 3 else [None] * 3
        rms, largest, step = number(numbers[0]), number(numbers[1]), integer(numbers[2])
        if rms is None or largest is None or step is None:
            raise _problem(f"{where}: moments.{name}", "[rms, max, step]", repr(values))
        result[str(name)] = Moments(rms, largest, step)
    return result


def _problem(where: str, expected: str, found: str) -> InputError:
    return InputError(Problem(where, expected, found, "train again, or use another checkpoint"))
