"""Options that several commands share, each documented once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from progfix.cli.bundle import with_options
from progfix.data.options import DataOptions, Ends, Pairing, Reader

__all__ = [
    "DeviceArg",
    "HeadSpecArg",
    "JsonArg",
    "ModelArg",
    "SourceArg",
    "SourcesArg",
    "SplitArg",
    "with_data_options",
]

R = TypeVar("R")

_SOURCE_HELP = (
    "A checkpoint, a run folder, a predictions file (.csv, .npz, .h5, .parquet) or a "
    "baseline such as baseline:frame-counting. Left out: the newest run in ./runs."
)

SourceArg = Annotated[str | None, typer.Argument(help=_SOURCE_HELP, show_default=False)]
SourcesArg = Annotated[
    list[str] | None, typer.Argument(help=_SOURCE_HELP, show_default=False, metavar="[SOURCE]...")
]
SplitArg = Annotated[str, typer.Option("--split", help="Videos to use: train, val, test or all.")]
DeviceArg = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
HeadSpecArg = Annotated[
    str | None,
    typer.Option(
        "--head-spec",
        help="What a users' head is, where its file leaves a doubt: e.g. position,elapsed.",
        show_default=False,
    ),
]
ModelArg = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="package.module:callable returning a PyTorch module (T, D) -> (T,); it is "
        "imported and run, so use it on code that you trust.",
        show_default=False,
    ),
]
JsonArg = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]

_PANEL = "Data"

_DATA_OPTIONS: dict[str, Any] = {
    "data": Annotated[
        str | None,
        typer.Option(
            "--data",
            help="File, folder or built-in name (procedures/1). Left out: what the "
            "checkpoint was trained on.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ],
    "reader": Annotated[
        Reader,
        typer.Option("--reader", help="How to read --data; auto looks.", rich_help_panel=_PANEL),
    ],
    "feature_dir": Annotated[
        Path | None,
        typer.Option(
            "--feature-dir",
            help="Folder with the .npy features, where they are not beside the annotations.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ],
    "fps": Annotated[
        str,
        typer.Option(
            "--fps",
            help="Frame rate of the annotations' frame numbers: auto is EgoProceL's rule by "
            "handle, or a number.",
            rich_help_panel=_PANEL,
        ),
    ],
    "frame_rate": Annotated[
        float,
        typer.Option(
            "--frame-rate",
            help="Frame rate of the features, which annotations are brought to.",
            rich_help_panel=_PANEL,
        ),
    ],
    "splits": Annotated[
        str | None,
        typer.Option(
            "--splits",
            help="JSON with train/val/test handles, or the number of an MS-TCN bundle.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ],
    "pairing": Annotated[
        Pairing,
        typer.Option(
            "--pairing",
            help="Tasks whose annotation lists do not match their handles: refuse, collapse "
            "camera views, or pair by position.",
            rich_help_panel=_PANEL,
        ),
    ],
    "skip_tasks": Annotated[
        str,
        typer.Option(
            "--skip-tasks",
            help="Tasks to leave out, separated by commas.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ],
    "background": Annotated[
        str,
        typer.Option(
            "--background",
            help="Action names that are no action, separated by commas.",
            rich_help_panel=_PANEL,
        ),
    ],
    "ends": Annotated[
        Ends,
        typer.Option(
            "--ends",
            help="Whether an annotation's end frame belongs to its segment.",
            rich_help_panel=_PANEL,
        ),
    ],
    "resplit": Annotated[
        int | None,
        typer.Option(
            "--resplit",
            min=0,
            help="Draw the splits afresh with this seed, as many videos of each task in each.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ],
}


def with_data_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options on data; it gets them bundled as `data: DataOptions`."""
    defaults = DataOptions()
    options = {name: (kind, _default(defaults, name)) for name, kind in _DATA_OPTIONS.items()}
    return with_options(command, "data", options, _data_options)


def _data_options(given: dict[str, Any]) -> DataOptions:
    return DataOptions(
        path=given.pop("data"),
        skip_tasks=_names(given.pop("skip_tasks")),
        background=_names(given.pop("background")),
        **given,
    )


def _default(defaults: DataOptions, name: str) -> object:
    value = getattr(defaults, "path" if name == "data" else name)
    return ",".join(value) if isinstance(value, tuple) else value


def _names(text: object) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(text).split(",") if name.strip())
