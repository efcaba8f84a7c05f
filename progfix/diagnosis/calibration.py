"""The finding about intervals: do they hold what they promise?"""

from __future__ import annotations

import math

from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.text import percent
from progfix.diagnosis.thresholds import THRESHOLDS as T

__all__ = ["MISCALIBRATED", "NOMINAL", "miscalibrated"]

NOMINAL = 0.8
"""What share of the targets a stated interval promises to hold."""


def miscalibrated(evidence: Evidence) -> Finding | NotChecked | None:
    """Find intervals that hold far more or far fewer targets than they say.

    Predictions without intervals promise nothing and are not judged.
    """
    coverage = evidence.coverage
    off = coverage.value - NOMINAL
    if math.isnan(off) or abs(off) < T.coverage or coverage.low <= NOMINAL <= coverage.high:
        return None
    return Finding(
        "miscalibrated",
        "error" if abs(off) >= T.coverage_error else "warning",
        f"The 80 % intervals hold {percent(coverage.value)} of the targets",
        "They are too narrow: the head is surer than it has reason to be, as after learning few "
        "videos by heart."
        if off < 0
        else "They are too wide: the head knows more than it says.",
        {
            "coverage": coverage.value,
            "coverage_low": coverage.low,
            "coverage_high": coverage.high,
            "nominal": NOMINAL,
            "threshold": T.coverage,
        },
        ("v",) if off < 0 else (),
    )


MISCALIBRATED = Check("miscalibrated", miscalibrated, T.segments)
