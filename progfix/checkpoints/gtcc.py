"""Reading the users' checkpoints: the GTCC code base and its progress-head fork.

The file is a dictionary of `config` (an EasyDict), `epoch`, `loss`, `model_state_dict` and
`optimizer_state_dict`. The network is rebuilt from the names and shapes of the weights; the
configuration adds what they cannot tell.

Source: gerardDonahue/GTCC_CVPR2024 and Anish-1221/GTCC_CVPR2024_Reproduce, utils/ckpt_save.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.fields import integer, number, section, weights
from progfix.checkpoints.gtcc_head import FoundHead, expressible, find_head
from progfix.checkpoints.gtcc_layers import BUFFERS, our_name
from progfix.checkpoints.head_spec import format_head_spec
from progfix.checkpoints.moments import Moments, parameter_moments
from progfix.checkpoints.provenance import Provenance
from progfix.encoders import (
    Encoder,
    MultiprongEncoder,
    ResnetEncoder,
    load_weights,
    rebuild_encoder,
)
from progfix.errors import InputError, Problem
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.training.recipe import SEED_RECIPE, Recipe

__all__ = ["HEAD", "OURS", "PREFIX", "expressible", "read_gtcc"]

PREFIX = "module."
HEAD = "progress_head."
OURS = "progfix"
"""Key of what progfix adds to a file of theirs: where the head comes from."""


@dataclass(frozen=True)
class _State:
    """The weights, sorted.

    Attributes:
        encoder: By name, without prefix.
        head: By name, without `progress_head.`.
        shapes: Of the parameters, by the names that a `ProgressModel` has for them, in the
            file's order.
        prefixed: Every name carried `module.`.
    """

    encoder: dict[str, Tensor]
    head: dict[str, Tensor]
    shapes: dict[str, tuple[int, ...]]
    prefixed: bool


def read_gtcc(
    payload: Mapping[str, object],
    path: Path,
    *,
    head_spec: HeadSpec | str | None = None,
    new_head: HeadSpec | None = None,
) -> Checkpoint:
    """Rebuild encoder and head of a users' checkpoint.

    Args:
        payload: What `safe_load` returned.
        path: Where it came from.
        head_spec: What the user says the head is, where the file leaves a doubt.
        new_head: Put a freshly initialised head of this kind on the encoder of a file that
            has none; None refuses such a file.

    Raises:
        InputError: If the weights are incomplete, of an unknown network, or not finite; if
            there is no progress head and no `new_head`; or if the head is in doubt.
    """
    where = str(path)
    learnable = section(payload.get("config"), "PROGRESS_LOSS", "learnable")
    state = _sort(payload.get("model_state_dict"), where)
    encoder, notes = _encoder(state, payload, where)
    if state.prefixed:
        notes.append(f"names carried the prefix {PREFIX!r}")
    if path.name == "epoch-0.pt":
        notes.append("epoch-0.pt is the untrained model where the original code base wrote it")
    if state.head:
        found = find_head(state.head, learnable, encoder.output_size, asked=head_spec, where=where)
        model = _model(encoder, state.head, found, where)
        if head_spec is not None:
            notes.append(f"the head was taken as {format_head_spec(found.spec)!r}, as asked")
        if found.raw:
            notes.append("the head reads the features themselves; the encoder is not used")
    elif new_head is not None:
        model = ProgressModel(encoder, build_head(new_head, encoder.output_size)).eval()
        notes.append("the file has no progress head; a new one was put on its encoder")
    else:
        raise InputError(
            Problem(
                where,
                "an encoder with a progress head",
                "no weights named progress_head.*",
                "train a head on this encoder: progfix train --init " + where,
            )
        )
    ours = None
    if isinstance(payload.get(OURS), dict):
        ours = Provenance.from_payload(section(payload, OURS), f"{where}: {OURS}")
    return Checkpoint(
        path=path,
        kind="gtcc",
        model=model,
        recipe=_recipe(payload, learnable, model.head.spec) if ours is None else ours.recipe,
        epoch=integer(payload.get("epoch")),
        durations=None if ours is None else dict(ours.durations),
        data=None if ours is None else dict(ours.data),
        moments=_moments(state, payload),
        payload=payload,
        notes=tuple(notes),
    )


def _sort(table: object, where: str) -> _State:
    """Cut off the prefix of distributed runs and tell encoder from head."""
    if isinstance(table, Mapping):
        # The only integer entries, of a dilated-convolution head: nothing is computed of them.
        table = {name: t for name, t in table.items() if not str(name).endswith("_tracked")}
    state = weights(table, where=f"{where}: model_state_dict")
    prefixed = all(name.startswith(PREFIX) for name in state)
    if prefixed:
        state = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    encoder = {name: t for name, t in state.items() if not name.startswith(HEAD)}
    head = {name.removeprefix(HEAD): t for name, t in state.items() if name.startswith(HEAD)}
    shapes = {
        f"encoder.{name}"
        if name in encoder
        else f"head.{our_name(name.removeprefix(HEAD))}": tuple(t.shape)
        for name, t in state.items()
        if not name.endswith(BUFFERS)
    }
    return _State(encoder, head, shapes, prefixed)


def _encoder(state: _State, payload: Mapping[str, object], where: str) -> tuple[Encoder, list[str]]:
    stored = section(payload.get("config"), "BASEARCH", "Resnet50_ARCH")
    options: dict[str, object] = {}
    if "temporal_depth" in stored:
        options["temporal_depth"] = stored["temporal_depth"]
    encoder = rebuild_encoder(state.encoder, options, where=where)
    notes = []
    base = encoder.base_model if isinstance(encoder, MultiprongEncoder) else encoder
    if isinstance(base, ResnetEncoder) and not options:
        notes.append(f"temporal_depth is not stored; taken as {base.temporal_depth}")
    kinds = {str(tensor.dtype).removeprefix("torch.") for tensor in state.encoder.values()}
    if kinds != {"float32"}:
        notes.append(f"{', '.join(sorted(kinds))} weights were taken as float32")
    return encoder, notes


def _model(
    encoder: Encoder, state: Mapping[str, Tensor], found: FoundHead, where: str
) -> ProgressModel:
    with torch.device("meta"):
        head = build_head(found.spec, found.width)
    ours = {our_name(name): tensor for name, tensor in state.items()}
    load_weights(head, ours, where=where, prefix=HEAD)
    return ProgressModel(None if found.raw else encoder, head).eval()


def _recipe(
    payload: Mapping[str, object], learnable: Mapping[object, object], head: HeadSpec
) -> Recipe | None:
    """Return what the configuration says; where it is silent, the failing recipe's values."""
    if not learnable:
        return None
    config = section(payload.get("config"))
    seed = SEED_RECIPE
    letters = {
        "a": "position" in head.extra,
        "b": head.initial_state == "learned",
        "f": "elapsed" in head.extra,
    }

    def count(table: Mapping[object, object], key: str, default: int) -> int:
        return integer(table.get(key)) or default

    return replace(
        seed,
        solution="".join(letter for letter, chosen in letters.items() if chosen),
        head=head,
        sampling=replace(
            seed.sampling,
            samples_per_video=count(
                learnable, "samples_per_video", seed.sampling.samples_per_video
            ),
            frames_per_segment=count(
                learnable, "frames_per_segment", seed.sampling.frames_per_segment
            ),
            min_segment_len=count(learnable, "min_segment_len", seed.sampling.min_segment_len),
        ),
        objective=replace(
            seed.objective,
            progress_lambda=number(section(config, "PROGRESS_LOSS").get("lambda_fixed"))
            or seed.objective.progress_lambda,
        ),
        optimisation=replace(
            seed.optimisation,
            epochs=count(config, "NUM_EPOCHS", seed.optimisation.epochs),
            batch_videos=count(config, "BATCH_SIZE", seed.optimisation.batch_videos),
            lr=number(config.get("LEARNING_RATE")) or seed.optimisation.lr,
        ),
    )


def _moments(state: _State, payload: Mapping[str, object]) -> dict[str, Moments] | None:
    optimiser = section(payload, "optimizer_state_dict")
    head = {name: shape for name, shape in state.shapes.items() if name.startswith("head.")}
    # Later commits also train the head alone, with an optimiser that knows nothing else.
    found = parameter_moments(state.shapes, optimiser) or parameter_moments(head, optimiser)
    return found if found and any(name.startswith("head.") for name in found) else None
