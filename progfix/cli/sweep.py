"""`progfix sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from progfix.cli.options import (
    DeviceArg,
    HeadSpecArg,
    JsonArg,
    LatexArg,
    MarkdownArg,
    TimeLimitArg,
    one_form,
    with_data_options,
)
from progfix.cli.settings import Settings, with_settings
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.training.interrupts import exit_status
from progfix.training.settings import SETTINGS
from progfix.training.time_limit import deadline_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from progfix.sweeps.plan import Plan

__all__ = ["sweep_cli"]

_CELLS = "Cells"
_RUN = "Run"
_SEEDS = 3


@with_data_options
@with_settings
def sweep_cli(
    data: DataOptions,
    settings: Settings,
    solutions: Annotated[
        str | None,
        typer.Option(
            "--solutions",
            "-s",
            help="What to compare, separated by commas: letters, baseline or recommended, each "
            "with settings of its own, as in fghs+feature-noise=1+head=gru. "
            "[default: baseline,ab,recommended]",
            show_default=False,
            rich_help_panel=_CELLS,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help=f"How many, from 0, or a list such as 0,1,5. [default: {_SEEDS}]",
            show_default=False,
            rich_help_panel=_CELLS,
        ),
    ] = None,
    heads: Annotated[
        str | None,
        typer.Option(
            help="Kinds of head to cross the cells with, such as gru,pooled.",
            show_default=False,
            rich_help_panel=_CELLS,
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="An option of train to cross the cells with, such as feature-noise=0,1; may be "
            "repeated.",
            show_default=False,
            rich_help_panel=_CELLS,
        ),
    ] = None,
    fresh_splits: Annotated[
        bool,
        typer.Option(
            "--fresh-splits",
            help="Each seed with a random split of its own, as by --resplit SEED: for data whose "
            "test split is small.",
            rich_help_panel=_CELLS,
        ),
    ] = False,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Keep this checkpoint's encoder, frozen, in all runs.",
            show_default=False,
            rich_help_panel=_CELLS,
        ),
    ] = None,
    head_spec: HeadSpecArg = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the sweep; left out: runs/sweep-N.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the sweep in --out, or the newest one; one that has ended prints "
            "its result again.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Runs at a time, a thread each. [default: one per core; 1 on a GPU]",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    device: DeviceArg = "auto",
    time_limit: TimeLimitArg = None,
    as_json: JsonArg = False,
    markdown: MarkdownArg = False,
    latex: LatexArg = False,
) -> None:
    """Find out which solution works on your data: train several, with several seeds, and compare.

    `progfix sweep --data mine.h5 --epochs 20` compares the failing recipe, the repair that
    its users proposed, and the recommended one. Every cell is a run that diagnose, eval and
    viz open.
    """
    form = one_form({"--json": as_json, "--markdown": markdown, "--latex": latex})
    deadline = None if time_limit is None else deadline_in(time_limit)
    if resume:
        said = {
            "--solutions": solutions,
            "--seeds": seeds,
            "--heads": heads,
            "--vary": vary,
            "--fresh-splits": fresh_splits or None,
            "--init": init,
            "--head-spec": head_spec,
            "--data": None if data == DataOptions() else data,
            **{f"--{name}": settings[setting.field] for name, setting in SETTINGS.items()},
        }
        _refuse_changes([flag for flag, value in said.items() if value is not None])
    plan = None
    if not resume:
        from progfix.sweeps.cells import SOLUTIONS, parse_cells

        chosen = SOLUTIONS if solutions is None else _names(solutions)
        cells = parse_cells(chosen, heads=_names(heads or ""), vary=vary or (), common=settings)
        numbers = _seeds(seeds)
        from progfix.sweeps.planning import make_plan  # PyTorch is not needed for a misspelling

        plan = make_plan(
            cells,
            numbers,
            data=data,
            fresh_splits=fresh_splits,
            init=init,
            head_spec=head_spec,
        )
    _conduct(plan, out, jobs, device, deadline, form)


def _conduct(
    plan: Plan | None,
    out: Path | None,
    jobs: int | None,
    device: str,
    deadline: float | None,
    form: str | None,
) -> None:
    """Run a new sweep, or go on with an old one; show what was found."""
    from progfix.cli.sweep_view import SweepView
    from progfix.sweeps.start import carry_on, new_sweep, newest_sweep

    folder = newest_sweep(out) if plan is None else new_sweep(plan, out)
    with SweepView(plan.notes if plan is not None else ()) as view:
        outcome = carry_on(
            folder,
            jobs=jobs,
            device=device,
            observe=view.observe,
            say=view.say,
            deadline=deadline,
        )
    view.report(outcome, form)
    if outcome.stopped_by is not None:
        raise typer.Exit(exit_status(outcome.stopped_by))
    if outcome.failed:
        raise typer.Exit(3)


def _refuse_changes(flags: Sequence[str]) -> None:
    if flags:
        raise InputError(
            Problem(
                flag,
                "--out, --jobs, --device, --time-limit and forms of output alone beside --resume",
                "an option that would change the sweep",
                "leave it out, or start a new sweep without --resume",
            )
            for flag in flags
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _seeds(text: str | None) -> tuple[int, ...]:
    if text is None:
        return tuple(range(_SEEDS))
    names = _names(text)
    if not names or not all(name.isdecimal() for name in names):
        fix = "write one like 3, or a list like 0,1,5"
        raise InputError(Problem("--seeds", "a number of seeds, or a list", repr(text), fix))
    numbers = tuple(int(name) for name in names)
    return numbers if "," in text else tuple(range(numbers[0]))
