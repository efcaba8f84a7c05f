"""A sweep's result as text for papers and spreadsheets: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import math
from io import StringIO

from progfix.evaluation.tables import (
    BASELINE_LABELS,
    interval,
    latex_table,
    markdown_table,
    number,
)
from progfix.sweeps.result import CellResult, SweepResult
from progfix.sweeps.words import sentences

__all__ = ["ALIGNMENT_COLUMNS", "csv_text", "label", "latex", "markdown"]

_COLUMNS = {
    "mae": "MAE",
    "skill_constant": "skill vs constant",
    "skill_frame_counting": "skill vs counting",
    "skill_frame_counting_per_action": "skill vs counting per action",
    "first_frame_median": "first frame",
    "last_frame_median": "last frame",
    "coverage": "in 80 % interval",
}
ALIGNMENT_COLUMNS = {
    "kendalls_tau": "Kendall's tau",
    "phase_progression": "phase progression",
}
"""What is said of the encoders where a sweep trained them, by metric."""

_CSV_HEADER = ("cell", "kind", "metric", "seed", "value", "low", "high", "count", "undefined")


def label(cell: CellResult, result: SweepResult) -> str:
    """Return a cell's name in tables: with how many seeds it has, where some are missing."""
    if cell.is_baseline:
        return BASELINE_LABELS[cell.name]
    done = len(cell.runs)
    missing = f" ({done} of {len(result.seeds)} seeds)" if done < len(result.seeds) else ""
    return cell.name + missing


def markdown(result: SweepResult) -> str:
    """Return the ranked table, and what it means."""
    found = "".join(f"- {sentence}\n" for sentence in sentences(result))
    return markdown_table(*_table(result), _caption(result)) + "\n" + found


def latex(result: SweepResult) -> str:
    """Return the ranked table for LaTeX with the package booktabs."""
    return latex_table(*_table(result), _caption(result))


def csv_text(result: SweepResult) -> str:
    """Return every number, one per line: of each seed, and with seed "all" of all together."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEADER)
    for cell in result.cells:
        kind = "baseline" if cell.is_baseline else "cell"
        for name, score in cell.scores.items():
            e = score.pooled
            numbers = [_csv_number(value) for value in (e.value, e.low, e.high)]
            writer.writerow([cell.name, kind, name, "all", *numbers, e.count, e.undefined])
            for seed, value in score.by_seed.items():
                writer.writerow([cell.name, kind, name, seed, _csv_number(value), *[""] * 4])
    return text.getvalue()


def _csv_number(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _table(result: SweepResult) -> tuple[list[str], list[list[str]]]:
    rows = []
    columns = dict(_COLUMNS)
    if any(name in cell.scores for cell in result.cells for name in ALIGNMENT_COLUMNS):
        columns |= ALIGNMENT_COLUMNS
    for cell in result.cells:
        cells = [label(cell, result)]
        for name in columns:
            score = cell.scores.get(name)
            if score is None:
                cells.append("")
                continue
            spread = "" if math.isnan(score.std) else f" ± {number(score.std)}"
            ends = interval(score.pooled)
            between = f" [{ends.replace(' to ', ', ')}]" if name == "mae" and ends else ""
            cells.append(number(score.pooled.value) + spread + between)
        rows.append(cells)
    return ["cell", *columns.values()], rows


def _caption(result: SweepResult) -> str:
    splits = "each with its own split" if result.fresh_splits else "one test split"
    seeds = ", ".join(map(str, result.seeds))
    return (
        f"{result.data}; seeds {seeds}, {splits}; frame counting fitted on {result.fitted_on}; "
        f"± standard deviation between seeds; 95 % intervals from {result.resamples} resamples "
        "of the videos."
    )
