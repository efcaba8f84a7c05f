"""`progfix train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from progfix.cli.options import SEEDS, DeviceArg, HeadSpecArg, TimeLimitArg, with_data_options
from progfix.cli.settings import Settings, with_settings
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.heads.spec import HeadKind
from progfix.solutions import RECOMMENDED, RECOMMENDED_FOR_GTCC
from progfix.training.interrupts import exit_status
from progfix.training.time_limit import deadline_in

__all__ = ["train_cli"]

_SOLUTION_HELP = (
    "Letters such as ab, or 'baseline' (none: the recipe that fails); `progfix explain "
    f"solutions` tells of each. [default: {RECOMMENDED}; {RECOMMENDED_FOR_GTCC} beside --init "
    "with a file of the GTCC code base]"
)
_RUN = "Run"
_NOTHING_LEFT = "note: all {} epochs of this run were done already; --epochs gives it more"


@with_data_options
@with_settings
def train_cli(
    data: DataOptions,
    settings: Settings,
    solution: Annotated[
        str | None, typer.Option("--solution", "-s", help=_SOLUTION_HELP, show_default=False)
    ] = None,
    head: Annotated[
        HeadKind | None,
        typer.Option(help="Kind of head. [default: gru]", show_default=False),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Keep this checkpoint's encoder, frozen, and train a new head on it; the "
            "result loads in the code that the checkpoint came from.",
            show_default=False,
        ),
    ] = None,
    head_spec: HeadSpecArg = None,
    seed: Annotated[
        int | None,
        typer.Option(
            callback=SEEDS,
            help="Of initial weights and every draw. [default: 0]",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    device: DeviceArg = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run; left out: runs/SOLUTION-N.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Run this config.json (or run folder) again; flags override it.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the run in --out, or the newest one.", rich_help_panel=_RUN
        ),
    ] = False,
    time_limit: TimeLimitArg = None,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Translate the encoder in training with torch.compile. Experimental.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    readers: Annotated[
        int,
        typer.Option(
            min=0,
            max=64,
            help="Threads that read features ahead of the steps; 0: read in the step.",
            rich_help_panel=_RUN,
        ),
    ] = 2,
    cache_gib: Annotated[
        float,
        typer.Option(
            min=0,
            help="Memory of a process for features that are kept; what is beyond it is read "
            "anew in each epoch.",
            rich_help_panel=_RUN,
        ),
    ] = 2.0,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Measure what the run would take on a few steps, say what will go wrong with "
            "it, and keep nothing.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="With --dry-run: print JSON alone.", rich_help_panel=_RUN),
    ] = False,
) -> None:
    """Train a progress head, or retrain the head of a checkpoint.

    `progfix train` trains on the built-in data with the recommended solution;
    `progfix train --solution baseline` is the recipe that fails;
    `progfix train --init best_model.pt --data egoprocel.json --splits splits.json` repairs
    the head of a checkpoint.
    """
    deadline = None if time_limit is None else deadline_in(time_limit)
    from progfix.cli.train_view import TrainingView
    from progfix.training.assemble import Request, assemble, run_to_resume
    from progfix.training.devices import resolve_device
    from progfix.training.execution import Execution
    from progfix.training.idle import refuse_idle
    from progfix.training.processes import joined
    from progfix.training.run import resume_run, start_run

    execution = Execution(compiled=compiled, readers=readers, cache_gib=cache_gib)
    with joined(device) as processes:
        request = Request(
            solution=solution,
            head=head,
            settings=settings,
            seed=seed,
            data=data,
            init=init,
            head_spec=head_spec,
            config=config,
            folder=out,
            device=device,
            execution=execution,
            processes=processes.size,
        )
        quiet = not processes.first
        _check_dry(dry_run=dry_run, as_json=as_json, resume=resume, processes=processes.size)
        if dry_run and deadline is not None:
            found = "--dry-run, which trains nothing"
            raise InputError(Problem("--time-limit", "a run to stop", found, "leave it out"))
        if resume:
            folder = run_to_resume(request)
            with TrainingView(folder.name, quiet=quiet) as view:
                epochs = settings["optimisation.epochs"]
                result = resume_run(
                    folder,
                    view.observe,
                    epochs=None if epochs is None else int(epochs),
                    device=device,
                    execution=execution,
                    processes=processes,
                    deadline=deadline,
                )
        else:
            options, notes = assemble(request)
            refuse_idle(options.recipe, settings)
            resolve_device(options.device)  # its error, before any note
            if dry_run:
                from progfix.cli.train_dry_run import show_dry_run

                show_dry_run(options, notes, as_json=as_json)
                return
            with TrainingView(options.recipe.name, notes, quiet=quiet) as view:
                result = start_run(options, view.observe, processes, deadline=deadline)
    if result.finished and result.done_before == len(result.history) and not quiet:
        typer.echo(_NOTHING_LEFT.format(result.done_before), err=True)
    view.report(result)
    if result.stopped_by is not None:
        raise typer.Exit(exit_status(result.stopped_by))


def _check_dry(*, dry_run: bool, as_json: bool, resume: bool, processes: int) -> None:
    if as_json and not dry_run:
        problem = Problem("--json", "--dry-run beside it", "no --dry-run", "leave it out")
    elif dry_run and resume:
        problem = Problem("--dry-run", "a new run", "--resume", "leave one of the two out")
    elif dry_run and processes > 1:
        found = f"{processes} under torchrun"
        problem = Problem("--dry-run", "one process", found, "leave torchrun out")
    else:
        return
    raise InputError(problem)
