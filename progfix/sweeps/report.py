"""What a sweep leaves in its folder beside the runs."""

from __future__ import annotations

from pathlib import Path

from progfix.files import atomic_path
from progfix.sweeps import tables
from progfix.sweeps.contract import FILE, write_sweep
from progfix.sweeps.plan import Plan
from progfix.sweeps.result import SweepResult

__all__ = ["FILES", "write_report"]

FILES = ("sweep.md", "sweep.csv", "sweep.png", FILE)
"""What is in a sweep's folder beside its runs, in the order of writing."""


def write_report(folder: Path, plan: Plan, result: SweepResult) -> None:
    """Write `sweep.md`, `sweep.csv`, `sweep.png` and, last, the result in `sweep.json`.

    Raises:
        InputError: If the folder cannot be written.
    """
    for name, text in (
        ("sweep.md", tables.markdown(result)),
        ("sweep.csv", tables.csv_text(result)),
    ):
        with atomic_path(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    _draw(folder / "sweep.png", result)
    write_sweep(folder, plan, result)


def _draw(file: Path, result: SweepResult) -> None:
    from progfix.plots.style import STYLES, style_context
    from progfix.plots.sweep import CellDots, sweep_figure

    dots = []
    for cell in result.trained:
        score = cell.scores["mae"]
        e = score.pooled
        dots.append(CellDots(cell.name, list(score.by_seed.values()), e.value, e.low, e.high))
    baselines = {cell.name: cell.mae for cell in result.cells if cell.is_baseline}
    figure = sweep_figure("screen", dots, baselines)
    with style_context(STYLES["screen"]), atomic_path(file) as path:
        figure.savefig(path, metadata={"Software": None})
