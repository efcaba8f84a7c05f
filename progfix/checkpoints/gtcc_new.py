"""A model that progfix trained from the beginning, in the GTCC code base's layout.

Its networks can hold the multi-task network with the encoders that look ahead, trained with
any of the methods; everything else stays in progfix's own layout.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.gtcc_head import expressible
from progfix.checkpoints.gtcc_writing import AdamState, write_gtcc
from progfix.checkpoints.provenance import Provenance
from progfix.encoders import MultiprongEncoder, ResnetEncoder, StackingEncoder
from progfix.model import ProgressModel
from progfix.training.recipe import Recipe

__all__ = ["expressible_model", "write_new_gtcc"]

_LOSS_TYPES = {"tcc": "tcc", "gtcc": "GTCC", "lav": "LAV", "vava": "VAVA"}
_ARCHITECTURES: Mapping[type, str] = {
    StackingEncoder: "temporal_stacking",
    ResnetEncoder: "resnet50",
}
_MAP = (1024, 14, 14)
_SIZES = (2, 4, 8, 16, 32, 64, 128, 256, 512)


def expressible_model(model: ProgressModel) -> str | None:
    """Return None if the fork's classes can hold a model, else why not.

    Args:
        model: Its encoder is progfix's, or None.
    """
    encoder = model.encoder
    if not isinstance(encoder, MultiprongEncoder):
        return "only its multi-task network has a progress head"
    base = encoder.base_model
    if type(base) not in _ARCHITECTURES:
        return "its naive encoder cannot run"
    if encoder.per_frame or (isinstance(base, StackingEncoder) and base.causal):
        return "its encoders and its attention look ahead"
    if isinstance(base, ResnetEncoder) and (base.input_shape, base.output_size) != (_MAP, 128):
        return "its resnet50 takes maps of 1024 x 14 x 14 to embeddings of 128"
    if isinstance(base, StackingEncoder) and base.output_size not in _SIZES:
        return "its embeddings have a power of two as size"
    if model.raw:
        return "its heads of that commit read embeddings"
    return expressible(model.head.spec)


def write_new_gtcc(
    path: Path,
    *,
    model: ProgressModel,
    adam: AdamState,
    provenance: Provenance,
    epoch: int,
    loss: float,
) -> None:
    """Write a model in the users' layout, atomically.

    Args:
        path: The file; an existing one is replaced.
        model: One for which `expressible_model` returns None.
        adam: Adam's state by parameter of the model.
        provenance: The training run.
        epoch: 0-based epoch of the weights.
        loss: What the file says of its validation loss.

    Raises:
        InputError: If the file cannot be written.
        ValueError: If their classes cannot hold the model.
    """
    reason = expressible_model(model)
    encoder = model.encoder
    if reason is not None or not isinstance(encoder, MultiprongEncoder):
        raise ValueError(reason)
    state = OrderedDict((name, t.detach().cpu()) for name, t in encoder.state_dict().items())
    names = list(state)
    moments = {names.index(name): dict(found) for name, found in _below("encoder.", adam).items()}
    optimisation = provenance.recipe.optimisation
    payload: dict[str, object] = {
        "config": _config(provenance.recipe, encoder),
        "epoch": epoch,
        "loss": loss,
        "model_state_dict": state,
        "optimizer_state_dict": {
            "state": moments,
            "param_groups": [_group(optimisation.lr, optimisation.weight_decay, len(names))],
        },
    }
    start = Checkpoint(
        path=path,
        kind="gtcc",
        model=model,
        recipe=provenance.recipe,
        epoch=epoch,
        durations=dict(provenance.durations),
        data=dict(provenance.data),
        moments=None,
        payload=payload,
    )
    write_gtcc(
        start,
        model.head.state_dict(),
        model.head.spec,
        path,
        adam=_below("head.", adam),
        provenance=provenance,
    )


def _below(start: str, adam: AdamState) -> AdamState:
    return {n.removeprefix(start): state for n, state in adam.items() if n.startswith(start)}


def _group(lr: float, weight_decay: float, count: int) -> dict[str, object]:
    return {
        "lr": lr,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": weight_decay,
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "params": list(range(count)),
    }


def _config(recipe: Recipe, encoder: MultiprongEncoder) -> OrderedDict[str, Any]:
    """Return what their loaders look up; nested OrderedDicts are written as EasyDict."""
    base, size = encoder.base_model, encoder.output_size
    depth = base.temporal_depth if isinstance(base, ResnetEncoder) else 2
    drop = [256, 1024, 512, 256] if encoder.dropout is None else _hidden(encoder.dropout)
    stacking = OrderedDict(
        temporal_depth=2,
        conv_num_channels=2 * size,
        output_dimensions=size,
        drop_layers=drop,
    )
    if isinstance(base, StackingEncoder):
        stacking["input_dimensions"] = base.input_shape[0]
    sampling = recipe.sampling
    return OrderedDict(
        BASEARCH=OrderedDict(
            ARCHITECTURE=_ARCHITECTURES[type(base)],
            Resnet50_ARCH=OrderedDict(temporal_depth=depth),
            TEMPORAL_STACKING_ARCH=stacking,
        ),
        ARCHITECTURE=OrderedDict(
            MCN=True,
            drop_layers=drop,
            attn_layers=_hidden(encoder.attention_layer),
            num_heads=len(encoder.head_models),
        ),
        LOSS_TYPE=OrderedDict(
            (theirs, recipe.method.name == ours) for ours, theirs in _LOSS_TYPES.items()
        ),
        PROGRESS_LOSS=OrderedDict(
            enabled=True,
            method="learnable",
            lambda_fixed=recipe.objective.progress_lambda,
            learnable=OrderedDict(
                hidden_dim=64,
                use_gru=True,
                min_segment_len=sampling.min_segment_len,
                samples_per_video=sampling.samples_per_video,
                frames_per_segment=sampling.frames_per_segment,
            ),
        ),
        SKIP_RATE=None,
        MULTITASK=True,
        OUTPUT_DIMENSIONALITY=size,
        BATCH_SIZE=recipe.optimisation.batch_videos,
        LEARNING_RATE=recipe.optimisation.lr,
        NUM_EPOCHS=recipe.optimisation.epochs,
    )


def _hidden(layers: nn.Sequential) -> list[int]:
    """Return the widths between input and output of linear layers."""
    return [layer.out_features for layer in layers if isinstance(layer, nn.Linear)][:-1]
