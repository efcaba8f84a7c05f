"""Writing checkpoint files, so that a reader never sees half of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from progfix.files import atomic_path, patient_file

__all__ = ["write_payload"]


def write_payload(payload: Mapping[str, object], path: Path) -> None:
    """Write a dictionary with torch.save, atomically.

    Args:
        payload: Tensors and plain containers, so that weights-only loading reads it.
        path: The file; an existing one is replaced.

    Raises:
        InputError: If it cannot be written.
    """
    with atomic_path(path) as temporary, patient_file(temporary) as file:
        torch.save(payload, file)
