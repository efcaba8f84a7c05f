"""`progfix train --dry-run`: what a run would take, and what its recipe alone predicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext

import typer

from progfix.cli.diagnose_view import show_lines
from progfix.cli.render import Screen
from progfix.diagnosis.dry_run import dry_run, dry_run_json
from progfix.diagnosis.render_dry_run import render_dry_run
from progfix.training.run_options import RunOptions

__all__ = ["show_dry_run"]


def show_dry_run(options: RunOptions, notes: Sequence[str], *, as_json: bool) -> None:
    """Measure a run's cost, look for what will go wrong, and print both.

    Args:
        options: The run.
        notes: What the user should know before it starts.
        as_json: Print JSON alone.
    """
    notices = Screen(stderr=True)
    for note in notes:
        notices.print(f"note: {note}", soft_wrap=True, markup=False)
    with notices.status("measuring a few steps") if notices.live else nullcontext():
        result = dry_run(options)
    if as_json:
        typer.echo(json.dumps(dry_run_json(result), indent=2, allow_nan=False))
        return
    screen = Screen()
    show_lines(render_dry_run(result, width=screen.width - 1), screen)
