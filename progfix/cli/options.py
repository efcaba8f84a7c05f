"""Options that several commands share, each documented once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from progfix.cli.bundle import with_options
from progfix.cli.usage import option_name
from progfix.data.options import DataOptions, Ends, Pairing, Reader
from progfix.errors import InputError, Problem
from progfix.ranges import Range, range_of

__all__ = [
    "SEEDS",
    "DataArg",
    "DeviceArg",
    "HeadSpecArg",
    "JsonArg",
    "LatexArg",
    "MarkdownArg",
    "TimeLimitArg",
    "data_options",
    "flag",
    "one_form",
    "option_types",
    "reading_options",
    "said_data",
    "with_data_options",
    "with_reading_options",
    "within",
]

R = TypeVar("R")

JsonArg = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
MarkdownArg = Annotated[
    bool, typer.Option("--markdown", help="Print a Markdown table alone on stdout.")
]
LatexArg = Annotated[bool, typer.Option("--latex", help="Print a LaTeX table alone on stdout.")]
DeviceArg = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel="Run")
]
TimeLimitArg = Annotated[
    str | None,
    typer.Option(
        "--time-limit",
        help="Save and stop in time before this has passed (90m, 2h, 1:30:00, 5400 seconds); "
        "exit with 124, --resume goes on.",
        show_default=False,
        rich_help_panel="Run",
    ),
]

HeadSpecArg = Annotated[
    str | None,
    typer.Option(
        "--head-spec",
        help="What the head of a checkpoint of the GTCC code base is, where its file leaves a "
        "doubt: e.g. position,elapsed.",
        show_default=False,
    ),
]

_PANEL = "Data"


def _data_arg(left_out: str) -> Any:
    text: Any = {"show_default": False, "rich_help_panel": _PANEL}
    text["help"] = f"File, folder or built-in name (procedures/1). Left out: {left_out}."
    return Annotated[str | None, typer.Option("--data", **text)]


DataArg = _data_arg("what the run or checkpoint was trained on")
_TrainingDataArg = _data_arg("the built-in data, or what the run or checkpoint was trained on")

_READING: Mapping[str, tuple[Any, str]] = {
    "reader": (Reader, "How to read the data; auto looks at it."),
    "feature_dir": (
        Path,
        "Folder with the .npy features, where they are not beside the annotations.",
    ),
    "fps": (
        str,
        "Frame rate of the annotations' frame numbers: auto is EgoProceL's rule by handle, or a "
        "number.",
    ),
    "frame_rate": (float, "Frame rate of the features, which annotations are brought to."),
    "splits": (str, "JSON with train/val/test handles, or the number of an MS-TCN bundle."),
    "pairing": (
        Pairing,
        "Tasks whose annotation lists do not match their handles: refuse, collapse camera views, "
        "or pair by position.",
    ),
    "skip_tasks": (str, "Tasks to leave out, separated by commas."),
    "background": (str, "Action names that are no action, separated by commas."),
    "ends": (Ends, "Whether an annotation's end frame belongs to its segment."),
    "resplit": (
        int,
        "Draw the splits afresh with this seed, as many videos of each task in each.",
    ),
}
"""Fields of `DataOptions` apart from the path: what is typed, and the help."""

_LISTS = {"skip_tasks", "background"}
"""Those that are names separated by commas."""


def within(limits: Range) -> Callable[[typer.CallbackParam, Any], Any]:
    """Return what refuses a number outside of limits, as the callback of its option."""

    def check(parameter: typer.CallbackParam, value: Any) -> Any:
        if value is None or value in limits:
            return value
        name, expected = option_name(parameter), limits.of(type(value))
        raise InputError(Problem(name, expected, str(value), "choose another number"))

    return check


SEEDS = within(Range(0, 2**63 - 1))
"""Of every `--seed`; `progfix.training.run_options.RunOptions` has the same limits."""


def one_form(flags: Mapping[str, bool]) -> str | None:
    """Return "json" where "--json" alone is given, None where nothing is.

    Raises:
        InputError: If there is more than one form of output.
    """
    given = [flag for flag, on in flags.items() if on]
    if len(given) > 1:
        where, found = " and ".join(given), f"{len(given)}"
        raise InputError(Problem(where, "one form of output", found, "choose one of them"))
    return given[0].removeprefix("--") if given else None


def flag(name: str) -> str:
    """Return "--frame-rate" of the parameter "frame_rate"."""
    return f"--{name.replace('_', '-')}"


def option_types(
    options: Mapping[str, tuple[Any, str]],
    defaults: Mapping[str, object],
    panel: str | None = None,
) -> dict[str, tuple[Any, object]]:
    """Return what `with_options` takes for options that are None where they are not said.

    Args:
        options: What is typed and the help of each, by the name of the parameter.
        defaults: What the help shows as the default; None or nothing is not shown.
        panel: Heading in the help.
    """
    types: dict[str, tuple[Any, object]] = {}
    for name, (kind, text) in options.items():
        default = defaults.get(name)
        shown = ",".join(default) if isinstance(default, tuple) else default
        text = text if shown in (None, "") else f"{text} [default: {shown}]"
        option = typer.Option(flag(name), help=text, show_default=False, rich_help_panel=panel)
        types[name] = (Annotated[kind | None, option], None)
    return types


def reading_options() -> dict[str, tuple[Any, object]]:
    """Return the options on how data is read, for `with_options`."""
    return option_types(_READING, vars(DataOptions()), _PANEL)


def data_options(said: dict[str, Any], path: str | None) -> DataOptions:
    """Return options on data.

    Args:
        said: Values of `reading_options`, which are taken out; None is "not said".
        path: Where the data is.

    Raises:
        InputError: If one is out of range.
    """
    values = {name: said.pop(name) for name in _READING}
    values = {name: value for name, value in values.items() if value is not None}
    for name in _LISTS & values.keys():
        values[name] = tuple(part.strip() for part in values[name].split(",") if part.strip())
    problems = [
        Problem(flag(name), limits.of(type(value)), f"{value:g}", "change it")
        for name, value in values.items()
        if (limits := range_of(DataOptions, name)) is not None and value not in limits
    ]
    if problems:
        raise InputError(problems)
    return DataOptions(path=path, **values)


def with_data_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command that trains `--data` and how to read it, as `data: DataOptions`.

    How to read it is refused without it: what a run or a checkpoint was trained on is read
    as it was then.
    """
    options = {"data": (_TrainingDataArg, None), **reading_options()}
    return with_options(command, "data", options, said_data)


def with_reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command whose path is an argument the options on reading, as `data`."""
    return with_options(command, "data", reading_options(), lambda said: data_options(said, None))


def said_data(said: dict[str, Any]) -> DataOptions:
    """Return what `--data` and the options on reading say, which are taken out of `said`.

    Raises:
        InputError: If there are options on reading without `--data`, or one is out of range.
    """
    path = said.pop("data")
    idle = [name for name in _READING if said[name] is not None]
    if path is None and idle:
        raise InputError(
            Problem(
                flag(name),
                "--data beside it, which it says how to read",
                "no --data",
                "name the data with --data too, or leave this out",
            )
            for name in idle
        )
    return data_options(said, path)
