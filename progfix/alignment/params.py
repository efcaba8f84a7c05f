"""Parameters of the alignment methods, as data that a recipe can hold.

Each field is the loss's argument of the same name; its docstring says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass

from progfix.alignment.tcc import FRAME_VARIANCE

__all__ = ["GTCCParams", "LAVParams", "Params", "TCCParams", "VAVAParams"]


@dataclass(frozen=True)
class TCCParams:
    """Parameters of `tcc`."""

    temperature: float = 0.1
    variance_weight: float = 0.001
    variance_floor: float = FRAME_VARIANCE


@dataclass(frozen=True)
class LAVParams:
    """Parameters of `lav`."""

    gamma: float = 0.1
    contrast_weight: float = 0.5
    window: float = 10
    margin: float = 2.0
    per_frame: bool = True


@dataclass(frozen=True)
class VAVAParams:
    """Parameters of `vava` but phi, which follows from the training step."""

    lambda1: float = 1.0
    lambda2: float = 0.1
    scale_with_length: bool = True
    zeta: float = 0.5
    prior_width: float = 2.0
    virtual_distance: float = 5.0
    contrast_weight: float = 0.5
    window: float = 15
    margin: float = 2.0
    inter_temperature: float = 0.5
    max_iterations: int = 100
    tolerance: float = 1e-4


@dataclass(frozen=True)
class GTCCParams:
    """Parameters of `gtcc`, of its schedule and of its draws.

    Attributes:
        drop_decay: gamma of the paper, in [0, 1]: the drop floor is drop_decay^(epoch + 1).
            1 switches drops off.
        max_rows: Frames cycled per video and evaluation at most, >= 1; None is all.
    """

    n_components: int = 15
    window: float = 0.2
    temperature: float = 0.1
    variance_weight: float = 0.0
    reciprocal_floor: float = 1.0
    em_iterations: int = 10
    drop_decay: float = 0.95
    max_rows: int | None = 20


Params = TCCParams | LAVParams | VAVAParams | GTCCParams
