"""`progfix diagnose`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from progfix.cli.errors import user_errors
from progfix.cli.options import (
    DeviceArg,
    HeadSpecArg,
    JsonArg,
    ModelArg,
    SourceArg,
    SplitArg,
    with_data_options,
)
from progfix.data.options import DataOptions

if TYPE_CHECKING:
    from progfix.diagnosis import Diagnosis
    from progfix.predictions import Predictions
    from progfix.sources import SourceOptions

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


@with_data_options
def diagnose_cli(
    data: DataOptions,
    source: SourceArg = None,
    split: SplitArg = "test",
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
            help="Folder to write diagnosis.json to; one that is there is replaced.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonArg = False,
    fit_on: Annotated[
        str,
        typer.Option("--fit-on", help="Splits whose durations frame counting learns, joined by +."),
    ] = "train",
    model: ModelArg = None,
    head_spec: HeadSpecArg = None,
    device: DeviceArg = "auto",
) -> None:
    """Say what is wrong with a progress head, why, and what to do about it.

    `progfix diagnose` looks at the newest run; `progfix diagnose best_model.pt` at a
    checkpoint, as far as the file alone allows; with `--data` at its predictions too;
    `progfix diagnose predictions.csv` at a table of predictions.
    """
    with user_errors():
        from progfix.diagnosis import write_json
        from progfix.files import require_writable_folder
        from progfix.sources import SourceOptions

        if out is not None:
            require_writable_folder(out)
        options = SourceOptions(
            data=data,
            split=split,
            device=device,
            model=model,
            head_spec=head_spec,
            fit_on=fit_on,
        )
        diagnosis = _diagnose(source, options, bins)
        if out is not None:
            write_json(diagnosis, out)
        _show(diagnosis, as_json=as_json)
        if _reaches(diagnosis, fail_on):
            raise typer.Exit(1)


def _diagnose(source: str | None, options: SourceOptions, bins: int) -> Diagnosis:
    """Diagnose while stderr, if it is a terminal, shows how far it got."""
    from rich.console import Console

    from progfix.diagnosis import diagnose
    from progfix.sources import open_source

    if not sys.stderr.isatty():
        return diagnose(open_source(source, options), bins=bins)
    with Console(stderr=True).status("opening") as status:
        opened = open_source(source, options)
        frames = 0

        def observe(chunk: Predictions) -> None:
            nonlocal frames
            frames += len(chunk)
            status.update(f"{frames:,} frames judged")

        return diagnose(opened, bins=bins, observe=observe)


def _show(diagnosis: Diagnosis, *, as_json: bool) -> None:
    if as_json:
        import json

        from progfix.diagnosis import to_json

        typer.echo(json.dumps(to_json(diagnosis), indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    from progfix.diagnosis.render import WIDTH, render_lines

    console = Console(highlight=False, soft_wrap=True)
    width = min(console.width - 1, WIDTH) if console.is_terminal else WIDTH
    lines = render_lines(diagnosis, width=max(width, 60), ascii_only=not _blocks_can_be_shown())
    for line, style in lines:
        console.print(Text(line, style=_STYLES[style]))


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
