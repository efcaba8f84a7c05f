"""The table of alignment methods, and one call that computes any of them.

A training loop names a method, keeps its parameters as data, and calls `alignment_loss` with
what it has: padded embeddings, a step counter, a generator, drop weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from progfix.alignment import compat
from progfix.alignment.gtcc import draw_gtcc, gtcc
from progfix.alignment.lav import lav
from progfix.alignment.params import GTCCParams, LAVParams, Params, TCCParams, VAVAParams
from progfix.alignment.tcc import tcc
from progfix.alignment.vava import consistency_share, vava

__all__ = ["METHODS", "Context", "Method", "Mode", "alignment_loss"]

Mode = Literal["paper", "gtcc"]
"""`paper`: the published definition. `gtcc`: as gerardDonahue/GTCC_CVPR2024 computes it (VAVA:
as its fork does), deviations included (`progfix.alignment.compat`)."""


@dataclass(frozen=True)
class Context:
    """What a loss may need beside embeddings, lengths and parameters.

    Attributes:
        drop: Output of the drop network, (B, D + 1), or None.
        generator: Source of draws, on the embeddings' device, or None for torch's own.
        step: Training steps made so far.
        epoch: Epochs completed so far.
    """

    drop: Tensor | None = None
    generator: torch.Generator | None = None
    step: int = 0
    epoch: int = 0


@dataclass(frozen=True)
class Method:
    """One alignment method.

    Attributes:
        name: Its key in `METHODS`.
        title: Its name in full.
        source: The paper.
        params: Default parameters.
        uses_drop: Whether it takes the drop network's weights.
        losses: How each mode computes it.
    """

    name: str
    title: str
    source: str
    params: Params
    uses_drop: bool
    losses: Mapping[Mode, Callable[[Tensor, Tensor, Params, Context], Tensor]]


def alignment_loss(
    method: str,
    embeddings: Tensor,
    lengths: Tensor,
    *,
    params: Params | None = None,
    drop: Tensor | None = None,
    generator: torch.Generator | None = None,
    step: int = 0,
    epoch: int = 0,
    mode: Mode = "paper",
) -> Tensor:
    """Compute an alignment loss by name, with its schedule and draws.

    Args:
        method: A key of `METHODS`: tcc, gtcc, lav or vava.
        embeddings: (B, T, D), the videos of one group, padded.
        lengths: (B,), frames per video, 1 .. T.
        params: An instance of the method's parameter class; its defaults if None. In mode
            `gtcc` only what that project lets its user choose is read (GTCC's n_components,
            window and drop_decay); the rest is as fixed there.
        drop: Weights of the drop function, (B, D + 1), for GTCC; ignored by the others.
        generator: Source of GTCC's draws, on the embeddings' device; torch's own if None.
        step: Training steps made so far, for VAVA's phi.
        epoch: Epochs completed so far, for GTCC's drop floor and, in mode `gtcc`, VAVA's phi.
        mode: `paper`, or `gtcc` for the reference project's values.

    Returns:
        A scalar, finite in mode `paper`; what one video alone gives is said by each loss.

    Raises:
        ValueError: If the method or mode is unknown, params is of another method, or an
            input does not fit.
    """
    if method not in METHODS:
        raise ValueError(f"expected a method among {', '.join(METHODS)}, found {method!r}")
    entry = METHODS[method]
    if mode not in entry.losses:
        raise ValueError(f"expected a mode among {', '.join(entry.losses)}, found {mode!r}")
    params = entry.params if params is None else params
    if type(params) is not type(entry.params):
        raise ValueError(
            f"expected {type(entry.params).__name__} for {method}, found {type(params).__name__}"
        )
    context = Context(drop=drop, generator=generator, step=step, epoch=epoch)
    return entry.losses[mode](embeddings, lengths, params, context)


def _tcc(embeddings: Tensor, lengths: Tensor, params: Params, _: Context) -> Tensor:
    return tcc(embeddings, lengths, **asdict(params))


def _lav(embeddings: Tensor, lengths: Tensor, params: Params, _: Context) -> Tensor:
    return lav(embeddings, lengths, **asdict(params))


def _vava(embeddings: Tensor, lengths: Tensor, params: Params, context: Context) -> Tensor:
    return vava(embeddings, lengths, phi=consistency_share(context.step), **asdict(params))


def _gtcc(embeddings: Tensor, lengths: Tensor, params: Params, context: Context) -> Tensor:
    settings = asdict(params)
    decay, max_rows = settings.pop("drop_decay"), settings.pop("max_rows")
    draws = draw_gtcc(lengths.to(embeddings.device), max_rows=max_rows, generator=context.generator)
    return gtcc(
        embeddings,
        lengths,
        drop=context.drop if decay < 1 else None,
        drop_floor=decay ** (context.epoch + 1),
        draws=draws,
        **settings,
    )


def _tcc_reference(embeddings: Tensor, lengths: Tensor, _: Params, __: Context) -> Tensor:
    return compat.tcc(embeddings, lengths)


def _lav_reference(embeddings: Tensor, lengths: Tensor, _: Params, __: Context) -> Tensor:
    return compat.lav(embeddings, lengths)


def _vava_reference(embeddings: Tensor, lengths: Tensor, _: Params, context: Context) -> Tensor:
    return compat.vava(embeddings, lengths, step=context.epoch)


def _gtcc_reference(
    embeddings: Tensor, lengths: Tensor, params: Params, context: Context
) -> Tensor:
    settings = asdict(params)
    decay = settings["drop_decay"]
    return compat.gtcc(
        embeddings,
        lengths,
        drop=context.drop if decay < 1 else None,
        drop_floor=decay ** (context.epoch + 1),
        draws=draw_gtcc(lengths.to(embeddings.device), max_rows=20, generator=context.generator),
        n_components=settings["n_components"],
        window=settings["window"],
    )


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                name="tcc",
                title="Temporal Cycle-Consistency",
                source="Dwibedi et al., CVPR 2019",
                params=TCCParams(),
                uses_drop=False,
                losses={"paper": _tcc, "gtcc": _tcc_reference},
            ),
            Method(
                name="gtcc",
                title="Generalised Temporal Cycle-Consistency",
                source="Donahue and Elhamifar, CVPR 2024",
                params=GTCCParams(),
                uses_drop=True,
                losses={"paper": _gtcc, "gtcc": _gtcc_reference},
            ),
            Method(
                name="lav",
                title="Learning by Aligning Videos in Time",
                source="Haresh et al., CVPR 2021",
                params=LAVParams(),
                uses_drop=False,
                losses={"paper": _lav, "gtcc": _lav_reference},
            ),
            Method(
                name="vava",
                title="Learning to Align Sequential Actions in the Wild",
                source="Liu et al., CVPR 2022",
                params=VAVAParams(),
                uses_drop=False,
                losses={"paper": _vava, "gtcc": _vava_reference},
            ),
        )
    }
)
"""All alignment methods by name."""
