"""What a sweep leaves in its folder beside the runs."""

from __future__ import annotations

from pathlib import Path

from progfix.files import atomic_path
from progfix.sweeps import tables
from progfix.sweeps.contract import write_sweep
from progfix.sweeps.plan import Plan
from progfix.sweeps.result import SweepResult

__all__ = ["write_report"]


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
    write_sweep(folder, plan, result)
