"""Which device to compute on."""

from __future__ import annotations

import torch

from progfix.errors import InputError, Problem

__all__ = ["resolve_device"]


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device that a name means; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: If the name is no device, or the device is not there.
    """
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
