"""The contract `progfix-sweep/1`: `sweep.json`, a sweep's plan and its result.

Undefined numbers are null. The plan is written before the first run, so that the sweep can
be resumed; the result when the last run has ended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from progfix.errors import InputError, Problem
from progfix.evaluation import Estimate
from progfix.evaluation.contract import estimate_json, number_json
from progfix.files import atomic_path
from progfix.sweeps.plan import Plan, PlannedRun
from progfix.sweeps.result import CellResult, Difference, Score, SweepResult
from progfix.sweeps.words import sentences

__all__ = ["FILE", "FORMAT", "read_sweep", "to_json", "write_sweep"]

FORMAT = "progfix-sweep/1"
FILE = "sweep.json"


def write_sweep(folder: Path, plan: Plan, result: SweepResult | None = None) -> None:
    """Write `sweep.json`.

    Raises:
        InputError: If it cannot be written.
    """
    text = json.dumps(to_json(plan, result), indent=2, allow_nan=False)
    with atomic_path(folder / FILE) as path:
        path.write_text(text + "\n", encoding="utf-8")


def read_sweep(folder: Path) -> tuple[Plan, SweepResult | None]:
    """Read what `write_sweep` wrote; the result is None until the sweep has ended.

    Raises:
        InputError: If the folder holds no sweep, or its file is damaged.
    """
    file = folder / FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = "" if content["format"] == FORMAT else f"the format {content['format']}"
        if not found:
            plan, result = _read_plan(content["plan"]), content["result"]
            return plan, None if result is None else _read_result(result)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    fix = "name the folder of a sweep with --out, or start one without --resume"
    raise InputError(Problem(str(file), f"a sweep ({FORMAT})", found, fix))


def to_json(plan: Plan, result: SweepResult | None) -> dict[str, object]:
    """Return a sweep as JSON values; docs/sweep.md describes the keys."""
    return {
        "format": FORMAT,
        "plan": {
            "cells": list(plan.cells),
            "seeds": list(plan.seeds),
            "fresh_splits": plan.fresh_splits,
            "runs": [dict(vars(run)) for run in plan.runs],
        },
        "result": None if result is None else _result(result),
    }


def _result(result: SweepResult) -> dict[str, object]:
    return {
        "data": result.data,
        "fitted_on": result.fitted_on,
        "seeds": list(result.seeds),
        "fresh_splits": result.fresh_splits,
        "resamples": result.resamples,
        "cells": [_cell(cell) for cell in result.cells],
        "differences": [
            {
                "cell": difference.name,
                "reference": difference.reference,
                "seeds": difference.seeds,
                "videos": difference.videos,
                "mae": estimate_json(difference.mae),
                "certain": difference.certain,
            }
            for difference in result.differences
        ],
        "sentences": list(sentences(result)),
    }


def _cell(cell: CellResult) -> dict[str, object]:
    return {
        "name": cell.name,
        "kind": "baseline" if cell.is_baseline else "cell",
        "runs": dict(cell.runs),
        "failed": dict(cell.failed),
        "metrics": {
            name: {
                **estimate_json(score.pooled),
                "mean": number_json(score.mean),
                "std": number_json(score.std),
                "seeds": {seed: number_json(value) for seed, value in score.by_seed.items()},
            }
            for name, score in cell.scores.items()
        },
    }


def _read_plan(values: Mapping[str, Any]) -> Plan:
    runs = tuple(PlannedRun(**run) for run in values["runs"])
    return Plan(tuple(values["cells"]), tuple(values["seeds"]), values["fresh_splits"], runs)


def _read_result(values: Mapping[str, Any]) -> SweepResult:
    return SweepResult(
        data=values["data"],
        fitted_on=values["fitted_on"],
        seeds=values["seeds"],
        fresh_splits=values["fresh_splits"],
        resamples=values["resamples"],
        cells=[_read_cell(cell) for cell in values["cells"]],
        differences=[
            Difference(d["cell"], d["reference"], _read_estimate(d["mae"]), d["seeds"], d["videos"])
            for d in values["differences"]
        ],
    )


def _read_cell(values: Mapping[str, Any]) -> CellResult:
    return CellResult(
        name=values["name"],
        is_baseline=values["kind"] == "baseline",
        scores={
            name: Score(
                _read_estimate(metric),
                {int(seed): _read_number(value) for seed, value in metric["seeds"].items()},
            )
            for name, metric in values["metrics"].items()
        },
        runs={int(seed): run for seed, run in values["runs"].items()},
        failed={int(seed): why for seed, why in values["failed"].items()},
    )


def _read_estimate(values: Mapping[str, Any]) -> Estimate:
    low, high = _read_number(values["low"]), _read_number(values["high"])
    value = _read_number(values["value"])
    return Estimate(value, low, high, values["count"], values["undefined"])


def _read_number(value: float | None) -> float:
    return math.nan if value is None else float(value)
