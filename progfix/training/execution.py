"""How a run is computed: what changes its speed and memory, and not what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from progfix.errors import InputError, Problem
from progfix.training.recipe import Precision

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["DEFAULT", "Execution", "check_precision", "compile_encoder"]


@dataclass(frozen=True)
class Execution:
    """How a run is computed; not stored with it.

    Attributes:
        compiled: Translate the encoder in training with torch.compile.
        readers: Threads that read features ahead of the steps; 0 reads them in the step.
        cache_gib: Memory for features that are kept, in GiB.
    """

    compiled: bool = False
    readers: int = 2
    cache_gib: float = 2.0

    @property
    def cache_bytes(self) -> int:
        """Bytes of features that are kept."""
        return int(self.cache_gib * 1024**3)


DEFAULT = Execution()


def check_precision(precision: Precision, device: torch.device) -> None:
    """Check that a device computes in a precision.

    Raises:
        InputError: If not.
    """
    import torch  # a run's options, of which this is part, are read without it

    if precision == "float32" or device.type == "cpu":
        return
    if device.type == "cuda":
        if precision == "float64" or torch.cuda.is_bf16_supported(including_emulation=False):
            return
        expected = "a GPU that computes in bfloat16, from NVIDIA's Ampere on"
    else:
        expected = "the CPU or CUDA"
    raise InputError(
        Problem(f"--precision {precision}", expected, str(device), "leave it out: float32")
    )


def compile_encoder(encoder: nn.Module | None, device: torch.device) -> None:
    """Make torch translate an encoder, and try it once.

    Its parameters keep their names. Linear layers are translated once for videos of any
    length; of convolutions PyTorch 2.13 translates the backward pass for each length anew,
    and gives up after eight.

    Raises:
        InputError: If no encoder is in training, or torch cannot translate it here.
    """
    import torch

    from progfix.encoders import Encoder

    if not isinstance(encoder, Encoder):
        found = "only a head, whose recurrence gains nothing"
        raise InputError(
            Problem("--compile", "an encoder in training", found, "choose one with --method")
        )
    encoder.compile(dynamic=True)
    frames = torch.zeros(16, *encoder.input_shape, device=device)
    frames = frames.to(next(encoder.parameters()).dtype)
    try:
        encoder(frames).sum().backward()
    except RuntimeError as error:
        raise InputError(
            Problem(
                "--compile",
                "an encoder that torch.compile can translate here",
                next(iter(str(error).strip().splitlines()), type(error).__name__),
                "install a C++ compiler, or leave it out",
            )
        ) from error
    encoder.zero_grad()
