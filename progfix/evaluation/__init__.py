"""Evaluation of progress predictions: errors, ranks, spread and calibration, with intervals."""

from progfix.evaluation.comparison import Comparison, compare
from progfix.evaluation.estimates import (
    BREAKDOWNS,
    DURATION_BUCKETS,
    Bin,
    Breakdown,
    Estimate,
    Evaluation,
)
from progfix.evaluation.evaluator import Evaluator
from progfix.evaluation.scores import BASELINE_METRICS, METRICS, Metric

__all__ = [
    "BASELINE_METRICS",
    "BREAKDOWNS",
    "DURATION_BUCKETS",
    "METRICS",
    "Bin",
    "Breakdown",
    "Comparison",
    "Estimate",
    "Evaluation",
    "Evaluator",
    "Metric",
    "compare",
]
