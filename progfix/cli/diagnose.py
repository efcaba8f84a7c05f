"""`progfix diagnose`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from progfix.cli.opening import Opening, SourceArg, with_source_options
from progfix.cli.options import JsonArg

if TYPE_CHECKING:
    from progfix.diagnosis import Diagnosis

__all__ = ["diagnose_cli"]

FailOn = Literal["error", "warning", "info", "never"]

_STYLES = {
    "verdict": "bold",
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "dim": "dim",
    "command": "green",
    "": "",
}


@with_source_options
def diagnose_cli(
    opening: Opening,
    source: SourceArg = None,
    bins: Annotated[
        int, typer.Option("--bins", min=1, max=100, help="Parts of an action to report errors for.")
    ] = 10,
    fail_on: Annotated[
        FailOn,
        typer.Option("--fail-on", help="End with status 1 from findings of this severity on."),
    ] = "never",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write diagnosis.json to; an earlier one is replaced.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonArg = False,
) -> None:
    """Say what is wrong with a progress head, why, and what to do about it.

    `progfix diagnose` looks at the newest run; `progfix diagnose best_model.pt` at a
    checkpoint, as far as the file alone allows; with `--data` at its predictions too;
    `progfix diagnose predictions.csv` at a table of predictions.
    """
    from progfix.cli.eval_view import EvalProgress
    from progfix.diagnosis import diagnose, write_json
    from progfix.files import require_writable_folder

    if out is not None:
        require_writable_folder(out)
    with EvalProgress() as progress:
        (opened,) = opening.open([] if source is None else [source])
        diagnosis = diagnose(
            opened,
            bins=bins,
            observe=lambda chunk: progress.observe(opened.label, len(chunk)),
        )
    if out is not None:
        write_json(diagnosis, out)
    _show(diagnosis, as_json=as_json)
    if _reaches(diagnosis, fail_on):
        raise typer.Exit(1)


def _show(diagnosis: Diagnosis, *, as_json: bool) -> None:
    if as_json:
        import json

        from progfix.diagnosis import to_json

        typer.echo(json.dumps(to_json(diagnosis), indent=2, allow_nan=False))
        return
    from rich.text import Text

    from progfix.cli.render import Screen
    from progfix.diagnosis.render import render_lines

    screen = Screen()
    lines = render_lines(diagnosis, ascii_only=not _blocks_can_be_shown(), width=screen.width - 1)
    for line, style in lines:
        screen.print(Text(line, style=_STYLES[style]), soft_wrap=True)


def _blocks_can_be_shown() -> bool:
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _reaches(diagnosis: Diagnosis, fail_on: FailOn) -> bool:
    from progfix.diagnosis.model import SEVERITIES

    worst = diagnosis.worst()
    if worst is None or fail_on == "never":
        return False
    return SEVERITIES.index(worst) <= SEVERITIES.index(fail_on)
