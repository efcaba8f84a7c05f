"""What the terminal is sent, decided in one place."""

from __future__ import annotations

import os

__all__ = ["plain"]


def plain() -> bool:
    """Whether it is to be sent no escape code: NO_COLOR is not empty, or TERM is dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
