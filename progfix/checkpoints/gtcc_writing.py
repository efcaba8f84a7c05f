"""Writing a retrained head back into a users' checkpoint.

Everything else stays as it was: keys and their order, dtypes, the prefix of distributed
runs, the configuration. In the optimiser state the head's part is replaced.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.easydict import as_easydict, easydict_importable
from progfix.checkpoints.fields import section
from progfix.checkpoints.gtcc import HEAD, OURS, PREFIX
from progfix.checkpoints.gtcc_head import expressible
from progfix.checkpoints.provenance import Provenance
from progfix.checkpoints.writing import write_payload
from progfix.heads.spec import HeadSpec

__all__ = ["write_gtcc"]

_ORDER = (
    "h0",
    "gru.weight_ih_l0",
    "gru.weight_hh_l0",
    "gru.bias_ih_l0",
    "gru.bias_hh_l0",
    "fc.0.weight",
    "fc.0.bias",
    "fc.2.weight",
    "fc.2.bias",
)
"""The fork's head, in the order of its state dict and so of its optimiser."""

_OPTIONS: Mapping[str, object] = {
    "architecture": "gru",
    "use_gru": True,
    "hidden_dim": 64,
    "use_frame_count": False,
    "per_frame_count": False,
    "use_input_projection": False,
    "use_action_conditioning": False,
    "use_rate_of_change": False,
    "output_activation": "sigmoid",
}
"""What the configuration says of every head that can be written, where it says it."""

AdamState = Mapping[str, Mapping[str, object]]


def write_gtcc(
    checkpoint: Checkpoint,
    head_state: Mapping[str, Tensor],
    spec: HeadSpec,
    path: Path,
    *,
    adam: AdamState | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Write a users' checkpoint with another head, atomically.

    Args:
        checkpoint: The original, of kind "gtcc".
        head_state: State dict of the new head, which reads the same vectors as the old one.
        spec: Its architecture, one for which `expressible` returns None.
        path: The file; an existing one is replaced.
        adam: Adam's state (`step`, `exp_avg`, `exp_avg_sq`) by parameter of the new head,
            so that their training can go on and `untrained-head` has its evidence; None
            lets Adam begin anew on the head.
        provenance: The run that the head comes from, stored under one more key, "progfix",
            which their loaders do not look at.

    Raises:
        InputError: If the file cannot be written.
        ValueError: If the original is not the users', or their classes cannot hold the head.
    """
    reason = expressible(spec)
    if checkpoint.kind != "gtcc" or reason is not None:
        raise ValueError(reason or "expected a checkpoint of the GTCC code base")
    old = cast("Mapping[str, Tensor]", checkpoint.payload["model_state_dict"])
    prefix = PREFIX if all(name.startswith(PREFIX) for name in old) else ""
    dtypes = [t.dtype for name, t in old.items() if name.startswith(prefix + HEAD)]
    head = {
        f"{prefix}{HEAD}{name}": tensor.to(dtypes[0] if dtypes else torch.float32)
        for name, tensor in _as_theirs(head_state, spec).items()
    }
    new = _with_head(old, head, prefix + HEAD)
    moments = {f"{prefix}{HEAD}{name}": state for name, state in _adam(adam or {}, spec).items()}
    payload = dict(checkpoint.payload)
    payload["model_state_dict"] = new
    if "config" in payload:
        payload["config"] = as_easydict(_configured(payload["config"], spec))
    if "optimizer_state_dict" in payload:
        payload["optimizer_state_dict"] = _optimiser(
            payload["optimizer_state_dict"], list(old), list(new), moments
        )
    if provenance is not None:
        payload[OURS] = provenance.to_payload()
    with easydict_importable():
        write_payload(payload, path)


def _as_theirs(state: Mapping[str, Tensor], spec: HeadSpec) -> dict[str, Tensor]:
    """Return the head in the fork's class: position and h0 come together or not at all."""
    result = _folded({name: tensor.detach().cpu() for name, tensor in state.items()}, spec)
    learned, position = spec.initial_state == "learned", "position" in spec.extra
    if position and not learned:
        result["h0"] = torch.zeros(1, 1, spec.hidden)
    if learned and not position and "gru.weight_ih_l0" in result:
        weight = result["gru.weight_ih_l0"]
        result["gru.weight_ih_l0"] = torch.cat([weight, torch.zeros_like(weight[:, :1])], dim=1)
    return {name: result[name].contiguous() for name in _ORDER if name in result}


def _folded(state: dict[str, Tensor], spec: HeadSpec) -> dict[str, Tensor]:
    """Return a head that normalises its input as one that does not: W (x - m) / s + b."""
    if not spec.normalise or "mean" not in state:
        return state
    first = "gru.weight_ih_l0" if spec.kind == "gru" else "fc.0.weight"
    bias = "gru.bias_ih_l0" if spec.kind == "gru" else "fc.0.bias"
    mean, scale = state.pop("mean"), state.pop("scale")
    weight = state[first].clone()
    weight[:, : len(mean)] /= scale
    return {
        **state,
        first: weight,
        bias: state[bias] - weight[:, : len(mean)] @ mean,
    }


def _adam(adam: AdamState, spec: HeadSpec) -> dict[str, dict[str, object]]:
    """Return Adam's state in the fork's class."""
    result: dict[str, dict[str, object]] = {name: dict(state) for name, state in adam.items()}
    for entry in ("exp_avg", "exp_avg_sq"):
        tensors = {
            name: tensor
            for name, state in adam.items()
            if isinstance(tensor := state.get(entry), Tensor)
        }
        for name, tensor in _as_theirs(tensors, spec).items():
            if name in result:
                result[name][entry] = tensor
    return result


def _with_head(
    old: Mapping[str, Tensor], head: Mapping[str, Tensor], start: str
) -> dict[str, Tensor]:
    """Return the state dict with the new head where the old one stood, else at its end."""
    new: dict[str, Tensor] = OrderedDict() if isinstance(old, OrderedDict) else {}
    for name, tensor in old.items():
        if name.startswith(start):
            new.update(head)
        else:
            new[name] = tensor
    new.update(head)
    if isinstance(old, OrderedDict):
        vars(new).update(vars(old))  # torch's `_metadata`
    return new


def _configured(config: object, spec: HeadSpec) -> object:
    """Return the configuration with what it says of the head brought up to date.

    A key that is not there stays away: without any, width and h0 tell the loaders of that
    time which head it is.
    """
    config = deepcopy(config)
    learnable = section(config, "PROGRESS_LOSS", "learnable")
    theirs = spec.initial_state == "learned" or "position" in spec.extra
    for table in (learnable, getattr(learnable, "__dict__", {})):
        for name, value in {**_OPTIONS, "use_position_encoding": theirs}.items():
            if name in table and isinstance(table, dict):
                table[name] = value
    return config


def _optimiser(
    optimiser: object,
    old: list[str],
    new: list[str],
    moments: Mapping[str, Mapping[str, object]],
) -> object:
    """Return the optimiser's state for the new parameters, the encoder's entries as they were.

    The group lists one parameter after the other, so that their `load_state_dict` accepts
    it. Where it is not clear which parameter is which, all state is left out.
    """
    if not isinstance(optimiser, Mapping):
        return optimiser
    groups = optimiser.get("param_groups")
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(groups[0], Mapping):
        return {**optimiser, "state": {}}
    count = len(groups[0].get("params", ()))
    if count != len(old):  # an optimiser of the head alone, as later commits have
        old = [name for name in old if HEAD in name]
        new = [name for name in new if HEAD in name]
    if count != len(old):
        return {**optimiser, "state": {}}
    state = section(optimiser, "state")
    kept = {
        new.index(name): state[index]
        for index, name in enumerate(old)
        if index in state and HEAD not in name
    }
    kept |= {new.index(name): dict(entries) for name, entries in moments.items()}
    group = {**groups[0], "params": list(range(len(new)))}
    return {**optimiser, "state": kept, "param_groups": [group]}
