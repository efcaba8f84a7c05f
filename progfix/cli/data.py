"""`progfix data info | check | make | convert`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from progfix.cli.brief_help import BriefCommand
from progfix.cli.options import JsonArg, flag, with_reading_options
from progfix.data.options import BUILT_IN, DataOptions, is_built_in
from progfix.errors import InputError, Problem

if TYPE_CHECKING:
    from progfix.data.dataset import Dataset

__all__ = ["app"]

app = typer.Typer(
    name="data",
    help="Look into data, check it, make some, convert it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

PathArg = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="File, folder or built-in name (procedures/1).", show_default=False
    ),
]
OutArg = Annotated[
    Path, typer.Argument(metavar="OUT", help="The HDF5 file to write.", show_default=False)
]
TypeArg = Annotated[
    Literal["float32", "float16"],
    typer.Option("--dtype", help="How features are stored; float16 halves the file."),
]
ForceArg = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]
AnnotationsArg = Annotated[
    str | None,
    typer.Option(
        "--annotations",
        help="Give the videos of these annotations synthetic features, instead of making "
        "videos; features that are there are not used.",
        show_default=False,
    ),
]
SeedArg = Annotated[
    int | None, typer.Option(help="Of everything. [default: 0]", show_default=False)
]
VisibleArg = Annotated[
    float | None,
    typer.Option(
        help="Share of actions whose progress can be seen. [default: 0.75]", show_default=False
    ),
]
NoiseArg = Annotated[
    float | None,
    typer.Option(
        help="Length of a frame's noise vector; that of an action's own is 3. [default: 2]",
        show_default=False,
    ),
]
DimArg = Annotated[
    int | None, typer.Option(help="Columns of the features. [default: 128]", show_default=False)
]
TasksArg = Annotated[
    int | None,
    typer.Option(help="Procedures; not with --annotations. [default: 4]", show_default=False),
]
VideosArg = Annotated[
    int | None,
    typer.Option(
        help="Videos per procedure; not with --annotations. [default: 24]", show_default=False
    ),
]
FailOn = Literal["error", "warning", "info", "never"]


@app.command("info", cls=BriefCommand)
@with_reading_options
def info_cli(data: DataOptions, path: PathArg, json_output: JsonArg = False) -> None:
    """Show what data holds: splits, tasks, durations, and what its reader noticed."""
    from progfix.data.open import open_dataset
    from progfix.data.summary import summarise

    summary = summarise(open_dataset(replace(data, path=path)))
    if json_output:
        typer.echo(json.dumps(summary.to_json(), indent=2))
    else:
        from progfix.cli.data_view import show_summary

        show_summary(summary)


@app.command("check", cls=BriefCommand)
@with_reading_options
def check_cli(
    data: DataOptions,
    path: PathArg,
    features: Annotated[
        bool, typer.Option(help="Read every feature, once; --no-features looks at labels only.")
    ] = True,
    fail_on: Annotated[
        FailOn, typer.Option(help="End with status 1 on a finding this bad or worse.")
    ] = "never",
    json_output: JsonArg = False,
) -> None:
    """List every defect of data, with counts, examples and remedies.

    `progfix data check egoprocel.json` looks at annotations and the features beside them.
    Also what opening the data for training would refuse. Ends with status 2 only if there
    is nothing that can be read.
    """
    from progfix.cli.data_view import show_check, video_progress
    from progfix.data.checks import check_dataset

    options = replace(data, path=path)
    with video_progress("checking") as bar:
        check = check_dataset(options, features=features, on_video=bar)
    if json_output:
        typer.echo(json.dumps(check.to_json(), indent=2))
    else:
        show_check(check)
    if check.fails(fail_on):
        raise typer.Exit(1)


@app.command("make", cls=BriefCommand)
@with_reading_options
def make_cli(
    context: typer.Context,
    data: DataOptions,
    out: OutArg,
    annotations: AnnotationsArg = None,
    seed: SeedArg = None,
    visible: VisibleArg = None,
    noise: NoiseArg = None,
    dim: DimArg = None,
    tasks: TasksArg = None,
    videos: VideosArg = None,
    dtype: TypeArg = "float32",
    force: ForceArg = False,
    json_output: JsonArg = False,
) -> None:
    """Write synthetic data: the built-in procedures, or real annotations with features.

    Without options the file holds the built-in `procedures/1`. `--frame-rate` sets the
    frames per second (4, with annotations 1).
    """
    from progfix.data.convert import make_synthetic

    flags = {
        "seed": seed,
        "tasks": tasks,
        "videos": videos,
        "dim": dim,
        "noise": noise,
        "visible": visible,
    }
    changes = {name: value for name, value in flags.items() if value is not None}
    options = replace(data, path=annotations)
    if is_built_in(annotations or BUILT_IN):
        _require_annotations(data)
        if context.params["frame_rate"] is not None:
            changes["fps"] = data.frame_rate
        options = replace(options, frame_rate=DataOptions().frame_rate)
    _write(make_synthetic(options, changes), out, dtype, force, json_output)


def _require_annotations(data: DataOptions) -> None:
    """Refuse options on reading where nothing is read."""
    idle = data.changed().keys() - {"frame_rate", "skip_tasks"}
    if idle:
        raise InputError(
            Problem(
                flag(name),
                "annotations beside it, which it says how to read",
                "no --annotations",
                "name them with --annotations, or leave this out",
            )
            for name in sorted(idle)
        )


@app.command("convert", cls=BriefCommand)
@with_reading_options
def convert_cli(
    data: DataOptions,
    path: Annotated[str, typer.Argument(metavar="DATA", help="File or folder to convert.")],
    out: OutArg,
    dtype: TypeArg = "float32",
    force: ForceArg = False,
    json_output: JsonArg = False,
) -> None:
    """Convert data of any layout to one progfix HDF5 file; memory need not hold it."""
    from progfix.data.open import open_dataset

    _write(open_dataset(replace(data, path=path)), out, dtype, force, json_output)


def _write(
    data: Dataset,
    out: Path,
    dtype: Literal["float32", "float16"],
    force: bool,
    json_output: bool,
) -> None:
    from progfix.cli.data_view import show_notices, video_progress
    from progfix.data.convert import write_dataset

    show_notices(data.notices)
    with video_progress("writing", len(data)) as bar:
        write_dataset(data, out, dtype=dtype, replace=force, on_video=bar)
    size = out.stat().st_size
    if json_output:
        result = {"path": str(out), "videos": len(data), "bytes": size, "source": data.description}
        typer.echo(json.dumps(result, indent=2))
    else:
        typer.echo(f"wrote {out}: {len(data)} videos, {size / 1e6:.1f} MB")
        typer.echo(f"from {data.description}")
