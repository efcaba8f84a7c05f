"""One thread per test process: the suite runs in several, and its models are small."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
