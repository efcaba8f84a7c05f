"""`progfix diagnose`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from progfix.cli.opening import Opening, SourcesArg, with_source_options
from progfix.cli.options import JsonArg
from progfix.errors import InputError, Problem

if TYPE_CHECKING:
    from progfix.diagnosis import Comparison, Diagnosis
    from progfix.sources import Source

__all__ = ["diagnose_cli"]

FailOn = Literal["error", "warning", "info", "never"]


@with_source_options
def diagnose_cli(
    opening: Opening,
    sources: SourcesArg = None,
    bins: Annotated[
        int, typer.Option("--bins", min=1, max=100, help="Parts of an action to report errors for.")
    ] = 10,
    fail_on: Annotated[
        FailOn,
        typer.Option("--fail-on", help="End with status 1 from findings of this severity on."),
    ] = "never",
    letters: Annotated[
        str | None,
        typer.Option(
            "--try",
            help="Train a new head with these letters, the encoder frozen, in runs/LETTERS-N, "
            "and show before and after.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write report.html, diagnosis.json and figures/ to; earlier ones are "
            "replaced.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonArg = False,
) -> None:
    """Say what is wrong with a progress head, why, and what to do about it.

    `progfix diagnose` looks at the newest run; `progfix diagnose best_model.pt` at a
    checkpoint, as far as the file alone allows; with `--data` at its predictions too;
    `progfix diagnose predictions.csv` at a table of predictions. Two sources are compared:
    which findings went, came and stayed from the first to the second.
    """
    from progfix.diagnosis import compare_diagnoses
    from progfix.files import require_writable_folder

    texts = sources or []
    _check_number(texts, letters)
    if letters is not None:
        from progfix.solutions import apply

        apply(letters, where="--try")
    if out is not None:
        require_writable_folder(out)
    opened = opening.open(texts)
    if out is not None:
        from progfix.report import kept

        opened = [kept(source) for source in opened]
    diagnoses = [_diagnose(source, bins) for source in opened]
    if letters is not None:
        opened += [_tried(opened[0], letters, opening)]
        diagnoses += [_diagnose(opened[1], bins)]
    result: Diagnosis | Comparison = diagnoses[0]
    if len(diagnoses) == 2:
        result = compare_diagnoses(*diagnoses)
    written: list[Path] = []
    if out is not None:
        from progfix.report import write_report

        written = write_report(out, opened, result)
    _show(result, as_json=as_json)
    if written and not as_json:
        from progfix.cli.render import count

        data, *figures, page = written
        drawn = f" and {count(len(figures), 'figure')}" if figures else ""
        typer.echo(f"wrote {page}, beside it {data.name}{drawn}")
    if _reaches(diagnoses[-1], fail_on):
        raise typer.Exit(1)


def _check_number(texts: Sequence[str], letters: str | None) -> None:
    most = 1 if letters is not None else 2
    if len(texts) > most:
        raise InputError(
            Problem(
                "SOURCE",
                "one source beside --try" if letters is not None else "one source, or two",
                f"{len(texts)}",
                "name fewer; `progfix eval` compares any number of them",
            )
        )


def _diagnose(source: Source, bins: int) -> Diagnosis:
    from progfix.cli.eval_view import EvalProgress
    from progfix.diagnosis import diagnose

    with EvalProgress() as progress:
        return diagnose(
            source,
            bins=bins,
            observe=lambda chunk: progress.observe(source.label, len(chunk)),
        )


def _tried(source: Source, letters: str, opening: Opening) -> Source:
    """Train with other letters and open the new run as the first source was opened."""
    from progfix.cli.train_view import TrainingView
    from progfix.diagnosis.trial import trial_request
    from progfix.training.assemble import assemble
    from progfix.training.run import start_run

    request = trial_request(
        source,
        letters,
        opening.data,
        head_spec=opening.head_spec,
        device=opening.options.device,
    )
    try:
        options, notes = assemble(request)
    except InputError as error:  # the letters were typed after another option
        typed = {"--solution": "--try"}
        raise InputError(
            replace(problem, where=typed.get(problem.where, problem.where))
            for problem in error.problems
        ) from None
    with TrainingView(options.recipe.solution or "baseline", notes) as view:
        result = start_run(options, view.observe)
    if result.stopped_by is not None:
        raise typer.Exit(128 + result.stopped_by)
    from progfix.sources import open_source

    return open_source(str(result.folder), replace(opening.options, head_spec=None))


def _show(result: Diagnosis | Comparison, *, as_json: bool) -> None:
    if as_json:
        import json

        from progfix.diagnosis import to_json

        typer.echo(json.dumps(to_json(result), indent=2, allow_nan=False))
        return
    from progfix.cli.diagnose_view import blocks_can_be_shown, show_lines
    from progfix.cli.render import Screen
    from progfix.diagnosis import Comparison
    from progfix.diagnosis.render import render_lines
    from progfix.diagnosis.render_comparison import render_comparison

    screen = Screen()
    width = screen.width - 1
    lines = (
        render_comparison(result, width=width)
        if isinstance(result, Comparison)
        else render_lines(result, ascii_only=not blocks_can_be_shown(), width=width)
    )
    show_lines(lines, screen)


def _reaches(diagnosis: Diagnosis, fail_on: FailOn) -> bool:
    from progfix.diagnosis.model import SEVERITIES

    worst = diagnosis.worst()
    if worst is None or fail_on == "never":
        return False
    return SEVERITIES.index(worst) <= SEVERITIES.index(fail_on)
