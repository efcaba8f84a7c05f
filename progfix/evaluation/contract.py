"""The contract `progfix-eval/1`: an evaluation as JSON. Undefined numbers are null."""

from __future__ import annotations

import math
from collections.abc import Mapping

from progfix.evaluation.comparison import Comparison
from progfix.evaluation.estimates import Bin, Estimate, Evaluation
from progfix.evaluation.notices import place
from progfix.evaluation.report import EvalReport, Result

__all__ = ["FORMAT", "estimate_json", "number_json", "to_json"]

FORMAT = "progfix-eval/1"


def to_json(report: EvalReport) -> dict[str, object]:
    """Return a report as JSON values; docs/metrics.md describes the keys."""
    first = report.results[0]
    return {
        "format": FORMAT,
        "data": _data(report),
        "bootstrap": {"resamples": report.options.bootstrap, "seed": report.options.seed},
        "fitted_on": first.evaluation.fitted_on,
        "baselines": _baselines(first.evaluation),
        "sources": [_source(result, report.split) for result in report.results],
        "comparisons": [
            _comparison(comparison, result.label, group.results[0].label)
            for group in report.groups
            for result, comparison in zip(group.results[1:], group.comparisons, strict=True)
        ],
        "notices": list(report.notices),
        "suspicions": list(report.suspicions),
    }


def _data(report: EvalReport) -> dict[str, object] | None:
    found = (result.source.data for result in report.results)
    data = next((data for data in found if data is not None), None)
    if data is None:
        return None
    return {
        "origin": data.origin,
        "description": data.description,
        "split": report.split,
        "options": data.options,
    }


def _source(result: Result, split: str) -> dict[str, object]:
    evaluation, source = result.evaluation, result.source
    return {
        "source": source.label,
        "kind": source.kind,
        "path": None if source.path is None else str(source.path),
        "tasks": len(evaluation.sums.tasks),
        "videos": len(evaluation.sums.videos),
        "segments": len(evaluation.sums.segments["video"]),
        "frames": evaluation["mae"].count,
        "data": place(result, split) or None,
        "fitted_on": evaluation.fitted_on,
        "missing": sorted(evaluation.sums.missing),
        "metrics": _estimates(evaluation.metrics),
        "baselines": _baselines(evaluation),
        "positions": [_bin(part) for part in evaluation.positions],
        "values": [_bin(part) for part in evaluation.values],
        "by": {
            kind: {name: _estimates(metrics) for name, metrics in groups.items()}
            for kind, groups in evaluation.groups.items()
        },
        "pit": evaluation.pit,
        "alignment": None if result.alignment is None else result.alignment.to_json(),
    }


def _comparison(comparison: Comparison, label: str, reference: str) -> dict[str, object]:
    return {
        "source": label,
        "reference": reference,
        "videos": comparison.videos,
        "left_out": comparison.left_out,
        "unequal_frames": comparison.unequal_frames,
        "differences": {
            name: {**estimate_json(value), "certain": comparison.certain(name)}
            for name, value in comparison.differences.items()
        },
    }


def _baselines(evaluation: Evaluation) -> dict[str, object]:
    return {name: _estimates(metrics) for name, metrics in evaluation.baselines.items()}


def _estimates(metrics: Mapping[str, Estimate]) -> dict[str, object]:
    return {name: estimate_json(value) for name, value in metrics.items()}


def estimate_json(value: Estimate) -> dict[str, object]:
    """Return an estimate as reports write it."""
    return {
        "value": number_json(value.value),
        "low": number_json(value.low),
        "high": number_json(value.high),
        "count": value.count,
        "undefined": value.undefined,
    }


def _bin(part: Bin) -> dict[str, object]:
    return {
        "low": part.low,
        "high": part.high,
        "mae": estimate_json(part.mae),
        "bias": estimate_json(part.bias),
        "count": part.count,
    }


def number_json(value: float) -> float | None:
    """Return a number, or None where it is undefined."""
    return value if math.isfinite(value) else None
