"""Checkpoint files, ours and the users', read without executing a pickle."""

from __future__ import annotations

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.open import open_checkpoint

__all__ = ["Checkpoint", "open_checkpoint"]
