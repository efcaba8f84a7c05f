"""The options of every command that takes sources, and what it opens with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from progfix.cli.bundle import with_options
from progfix.cli.options import (
    DataArg,
    HeadSpecArg,
    flag,
    option_types,
    reading_options,
    said_data,
)
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem, listed

if TYPE_CHECKING:
    from progfix.sources import Source, SourceOptions

__all__ = [
    "DEFAULTS",
    "Opening",
    "SourcesArg",
    "require_predictions",
    "with_source_options",
]

R = TypeVar("R")

_SOURCE_HELP = (
    "A checkpoint, a run folder, a predictions file (.csv, .tsv, .npz, .h5, .parquet) or a "
    "baseline such as baseline:frame-counting. Left out: the newest run in ./runs. With "
    "--model, any other path is what that is called with: for example its weights."
)

SourcesArg = Annotated[
    list[str] | None, typer.Argument(help=_SOURCE_HELP, show_default=False, metavar="SOURCE")
]
ModelArg = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="package.module:name of a PyTorch module (T, D) -> (T,), or of what returns one, "
        "called with SOURCE where that is a path of its weights; it is a source of its own. It is "
        "imported and run, so use it on code that you trust.",
        show_default=False,
    ),
]

JobsArg = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        help="Processes that compute what a checkpoint or a run answers, on the CPU; for data of "
        "a million frames or more. [default: 1]",
        show_default=False,
    ),
]

DEFAULTS = {"split": "test", "fit_on": "train", "device": "auto", "jobs": 1}
"""What the help shows; `progfix.sources.SourceOptions` has the same."""

_OPTIONS: dict[str, tuple[Any, str]] = {
    "split": (Literal["train", "val", "test", "all"], "Videos to use."),
    "fit_on": (str, "Splits whose durations frame counting learns, joined by +."),
    "device": (str, "Where models run: auto, cpu, cuda, cuda:N or mps."),
}


@dataclass(frozen=True)
class Opening:
    """How sources are to be opened; None is "not said".

    Attributes:
        data: What `--data` names, and how to read it.
        split: Videos to use.
        fit_on: Splits whose durations frame counting learns.
        device: Where models run.
        model: "package.module:name".
        head_spec: What the head of a users' checkpoint is.
        jobs: Processes that compute answers.
    """

    data: DataOptions
    split: str | None
    fit_on: str | None
    device: str | None
    model: str | None
    head_spec: str | None
    jobs: int | None = None

    @property
    def options(self) -> SourceOptions:
        """The options with their defaults."""
        from progfix.sources import SourceOptions

        said = {name: value for name, value in vars(self).items() if value is not None}
        return SourceOptions(**said)

    def open(self, texts: Sequence[str]) -> list[Source]:
        """Open what the user named, or the newest run.

        Raises:
            InputError: If a source cannot be opened, or an option would do nothing for any.
        """
        from progfix.sources import open_sources

        sources = open_sources(texts, self.options)
        problems = [*self._idle(texts, sources)]
        if problems:
            raise InputError(problems)
        return sources

    def _idle(self, texts: Sequence[str], sources: Sequence[Source]) -> list[Problem]:
        """Return a problem for each option that nothing here would look at."""
        embeds = any(text.startswith("baseline:") and "@" in text for text in texts)
        theirs = any(s.checkpoint is not None and s.checkpoint.kind == "gtcc" for s in sources)
        with_data = [source for source in sources if source.data is not None]
        computed = [source for source in with_data if source.kind != "predictions"]
        runs = any(source.kind != "baseline" for source in computed)
        computes = any(source.checkpoint is not None for source in computed)
        needs = {
            "split": ("a source that is computed on a split of data", bool(computed)),
            "fit_on": ("data whose durations can be learnt", bool(with_data)),
            "device": ("a model that runs on data", runs or embeds),
            "jobs": ("a checkpoint or a run that is computed on data", computes),
            "head_spec": ("a checkpoint of the GTCC code base", theirs or embeds),
        }
        silent = next((source for source in sources if source.why_not is not None), None)
        return [
            Problem(
                flag(name),
                f"{needed} beside it",
                f"only {listed(dict.fromkeys(s.kind for s in sources))}",
                "leave it out, or name such a source",
            )
            if silent is None or name == "head_spec"
            else _without_data(silent, f"data, for {flag(name)} to do something")
            for name, (needed, met) in needs.items()
            if getattr(self, name) is not None and not met
        ]


def require_predictions(sources: Sequence[Source]) -> None:
    """Refuse checkpoints that have nothing to answer on.

    Raises:
        InputError: With a problem for each.
    """
    problems = [
        _without_data(source, "data with features that it can answer on")
        for source in sources
        if source.chunks is None
    ]
    if problems:
        raise InputError(problems)


def _without_data(source: Source, expected: str) -> Problem:
    fix = source.why_not or "name it with --data PATH"
    return Problem(str(source.path or source.label), expected, "no --data", fix)


def with_source_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options on how its sources are opened, as `opening: Opening`."""
    options: dict[str, tuple[Any, object]] = {
        **option_types(_OPTIONS, DEFAULTS),
        "model": (ModelArg, None),
        "head_spec": (HeadSpecArg, None),
        "jobs": (JobsArg, None),
        "data": (DataArg, None),
        **reading_options(),
    }
    return with_options(command, "opening", options, _opening)


def _opening(said: dict[str, Any]) -> Opening:
    data = said_data(said)
    return Opening(data=data, **said)
