"""The alignment losses as gerardDonahue/GTCC_CVPR2024 and its fork compute them.

For reproducing runs of those projects, deviations included: docs/alignment.md lists each with
what it does to the value. For training, use the losses of `progfix.alignment`.
"""

from progfix.alignment.compat.gtcc import gtcc
from progfix.alignment.compat.lav import lav
from progfix.alignment.compat.tcc import tcc
from progfix.alignment.compat.vava import vava

__all__ = ["gtcc", "lav", "tcc", "vava"]
