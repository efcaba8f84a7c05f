"""`progfix export`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from progfix.cli.data import ForceArg
from progfix.cli.options import HeadSpecArg
from progfix.errors import InputError, Problem
from progfix.export.target import Format

if TYPE_CHECKING:
    from progfix.checkpoints.checkpoint import Checkpoint
    from progfix.export.exporting import Exported

__all__ = ["export_cli"]

_FOLDER = Path("progfix-export")


def export_cli(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="CKPT",
            help="A checkpoint or a run folder, of progfix or of the GTCC code base. Left out: "
            "the newest run in ./runs.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder, or a file that ends in .py, .pt2 or .onnx. Left out: export/ in a "
            "run, else progfix-export/.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        Format,
        typer.Option(
            "--format",
            help="module: one Python file and its weights, encoder included; torch-export, "
            "onnx: the step from frame to frame as a program.",
        ),
    ] = "module",
    head_spec: HeadSpecArg = None,
    force: ForceArg = False,
) -> None:
    """Write a trained model for code that has no progfix, proved to answer the same.

    `progfix export runs/fghs-1` writes progress_head.py, which needs torch alone, and
    progress_head.pt. `--format torch-export` and `--format onnx` write the streaming step
    for deployment. What was written is loaded afresh and compared with the checkpoint; above
    a difference of 1e-5 nothing is left behind.
    """
    from progfix import runs
    from progfix.checkpoints import open_checkpoint
    from progfix.cli.render import Screen
    from progfix.export.exporting import export

    path = source or runs.newest_run()
    if path is None:
        raise InputError(
            Problem(
                "CKPT",
                "a checkpoint or a run",
                f"none named, and no run under {runs.RUNS}/",
                "name one, or make one with `progfix train`",
            )
        )
    checkpoint = open_checkpoint(path, head_spec=head_spec)
    if head_spec is not None and checkpoint.kind != "gtcc":
        raise InputError(
            Problem(
                "--head-spec",
                "a checkpoint of the GTCC code base",
                "one of progfix, which says what its head is",
                "leave it out",
            )
        )
    folder = out or (path / "export" if runs.is_run(path) else _FOLDER)
    screen = Screen(stderr=True)
    working = screen.status("writing, and comparing answers with the checkpoint")
    with working if screen.is_terminal else nullcontext():
        done = export(checkpoint, folder, kind=kind, replace=force)
    _show(checkpoint, done)


def _show(checkpoint: Checkpoint, done: Exported) -> None:
    """Print what was written, how near it is to the original, and how to use it."""
    from progfix.cli.render import Screen
    from progfix.export.text import describe

    out, err = Screen(), Screen(stderr=True)
    for note in checkpoint.notes:
        err.out(f"note: {note}", highlight=False)
    lines = [f"wrote {file}: {file.stat().st_size / 1e3:,.1f} kB" for file in done.files]
    lines += [f"from {checkpoint.path}: {describe(checkpoint)}", done.takes]
    lengths = done.checked.lengths
    lines += [
        f"largest difference from the checkpoint: {done.checked.difference:.1e} in progress, over "
        f"{len(lengths)} inputs of {min(lengths)} to {max(lengths)} frames",
        "use:",
        *(f"  {line}" for line in done.usage),
    ]
    for line in lines:
        out.out(line, highlight=False)
