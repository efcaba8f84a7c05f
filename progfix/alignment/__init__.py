"""Losses that align videos in time without labels, and what stands beneath them.

`tcc`, `gtcc`, `lav` and `vava` are pure functions of padded embeddings (B, T, D) and lengths
(B,); `alignment_loss` computes any of them by name, with schedules and draws. `soft_dtw` and
`sinkhorn` are of use on their own. `compat` has the losses as the GTCC project computes them.
"""

from progfix.alignment.gtcc import GTCCDraws, draw_gtcc, gtcc
from progfix.alignment.lav import lav
from progfix.alignment.methods import METHODS, Context, Method, Mode, alignment_loss
from progfix.alignment.mixture import Mixture, fit_mixture
from progfix.alignment.params import GTCCParams, LAVParams, Params, TCCParams, VAVAParams
from progfix.alignment.sinkhorn import Transport, sinkhorn
from progfix.alignment.soft_dtw import soft_dtw
from progfix.alignment.tcc import tcc
from progfix.alignment.vava import consistency_share, vava
from progfix.alignment.videos import pad_videos

__all__ = [
    "METHODS",
    "Context",
    "GTCCDraws",
    "GTCCParams",
    "LAVParams",
    "Method",
    "Mixture",
    "Mode",
    "Params",
    "TCCParams",
    "Transport",
    "VAVAParams",
    "alignment_loss",
    "consistency_share",
    "draw_gtcc",
    "fit_mixture",
    "gtcc",
    "lav",
    "pad_videos",
    "sinkhorn",
    "soft_dtw",
    "tcc",
    "vava",
]
