"""`progfix train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from progfix.cli.errors import user_errors
from progfix.cli.options import DeviceArg, HeadSpecArg, with_data_options
from progfix.data.options import DataOptions
from progfix.heads.spec import HeadKind
from progfix.solutions import RECOMMENDED, SOLUTIONS

__all__ = ["train_cli"]

_SOLUTION_HELP = (
    f"Letters, 'recommended' ({RECOMMENDED}) or 'baseline' (none, the recipe that fails). "
    + " ".join(f"{s.letter}: {s.name}." for s in SOLUTIONS.values())
)
_OPTIMISATION = "Optimisation"
_GENERALISATION = "Generalisation"
_RUN = "Run"


@with_data_options
def train_cli(
    data: DataOptions,
    solution: Annotated[
        str | None, typer.Option("--solution", "-s", help=_SOLUTION_HELP, show_default=False)
    ] = None,
    head: Annotated[
        HeadKind | None,
        typer.Option(help="Kind of head: gru (default) or pooled.", show_default=False),
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
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the training videos (50).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    batch_videos: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Videos per step, all of one task (2).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="Step size (1e-4).", show_default=False, rich_help_panel=_OPTIMISATION
        ),
    ] = None,
    head_lr: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="The head's step size with g (1e-3).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Global gradient norm (1e-5).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    head_clip: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="The head's gradient norm with g (1).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Decoupled weight decay (0).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.99999,
            help="Decay of the head's averaged weights (0: off).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    progress_lambda: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Factor of the progress loss (1e6).",
            show_default=False,
            rich_help_panel=_OPTIMISATION,
        ),
    ] = None,
    time_warp: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=2.0,
            help="Play segments up to exp(this) times faster or slower (0).",
            show_default=False,
            rich_help_panel=_GENERALISATION,
        ),
    ] = None,
    feature_noise: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Noise on features, in standard deviations of a column (0).",
            show_default=False,
            rich_help_panel=_GENERALISATION,
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.95,
            help="Share of input and hidden values dropped in training (0).",
            show_default=False,
            rich_help_panel=_GENERALISATION,
        ),
    ] = None,
    normalise: Annotated[
        bool | None,
        typer.Option(
            "--normalise/--no-normalise",
            help="Shift and scale each feature by the training frames' (off).",
            show_default=False,
            rich_help_panel=_GENERALISATION,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Of initial weights and every draw (0).",
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
) -> None:
    """Train a progress head, or retrain the head of a checkpoint.

    `progfix train` trains on the built-in data with the recommended solution;
    `progfix train --solution baseline` is the recipe that fails;
    `progfix train --init best_model.pt --data egoprocel.json --splits splits.json` repairs
    the head of a checkpoint.
    """
    from progfix.cli.train_view import TrainingView
    from progfix.training.assemble import Request, assemble, run_to_resume
    from progfix.training.run import resume_run, start_run

    request = Request(
        solution=solution,
        head=head,
        settings={
            "optimisation.epochs": epochs,
            "optimisation.batch_videos": batch_videos,
            "optimisation.lr": lr,
            "optimisation.head_lr": head_lr,
            "optimisation.clip": clip,
            "optimisation.head_clip": head_clip,
            "optimisation.weight_decay": weight_decay,
            "optimisation.average": average,
            "objective.progress_lambda": progress_lambda,
            "augmentation.time_warp": time_warp,
            "augmentation.feature_noise": feature_noise,
            "head.dropout": dropout,
            "head.normalise": normalise,
        },
        seed=seed,
        data=data,
        init=init,
        head_spec=head_spec,
        config=config,
        folder=out,
        device=device,
    )
    with user_errors():
        if resume:
            folder = run_to_resume(request)
            with TrainingView(folder.name) as view:
                result = resume_run(folder, view.observe, epochs=epochs, device=device)
        else:
            options, notes = assemble(request)
            with TrainingView(options.recipe.solution or "baseline", notes) as view:
                result = start_run(options, view.observe)
        view.report(result)
    if result.stopped_by is not None:
        raise typer.Exit(128 + result.stopped_by)
