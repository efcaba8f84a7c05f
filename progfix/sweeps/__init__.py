"""Sweeps: which solution works on my data, by training several with several seeds."""

from progfix.sweeps.result import CellResult, Difference, Score, SweepResult
from progfix.sweeps.start import SweepOutcome, sweep

__all__ = ["CellResult", "Difference", "Score", "SweepOutcome", "SweepResult", "sweep"]
