"""Which device to compute on."""

from __future__ import annotations

import torch

from progfix.errors import InputError, Problem

__all__ = ["resolve_device"]


def resolve_device(name: str = "auto", *, local_rank: int | None = None) -> torch.device:
    """Return the device that a name means; "auto" takes CUDA, then MPS, then the CPU.

    Args:
        name: "auto", or a torch device.
        local_rank: Which of the machine's processes this is, where several work on a run:
            each takes the GPU of its number, and there is no MPS.

    Raises:
        InputError: If the name is no device, or the device is not there.
    """
    if local_rank is not None and name in ("auto", "cuda"):
        gpus = name == "cuda" or torch.cuda.is_available()
        name = f"cuda:{local_rank}" if gpus else "cpu"
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        # Torch lists every kind of device that there is, most of which are on no machine.
        known = not reason.startswith("Expected one of")
        raise InputError(
            Problem(
                "--device",
                "auto, cpu, cuda, cuda:N or mps, present on this machine",
                f"{name!r} ({reason})" if known else repr(name),
                "pass --device auto",
            )
        ) from error
    return device
