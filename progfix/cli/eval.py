"""`progfix eval`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from progfix.cli.opening import Opening, SourcesArg, require_predictions, with_source_options
from progfix.cli.options import SEEDS, JsonArg, LatexArg, MarkdownArg, one_form
from progfix.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from progfix.evaluation.alignment import Alignment
    from progfix.evaluation.report import EvalReport

__all__ = ["eval_cli"]


class Variant(StrEnum):
    """Whose definitions of alignment metrics."""

    DEFAULT = "default"
    TCC = "tcc"
    CARL = "carl"
    LAV = "lav"
    GTCC = "gtcc"


class By(StrEnum):
    """Breakdowns of the errors."""

    TASK = "task"
    ACTION = "action"
    DURATION = "duration"
    POSITION = "position"


ByArg = Annotated[
    list[By] | None,
    typer.Option("--by", help="Break errors down; may be repeated.", show_default=False),
]
BinsArg = Annotated[int, typer.Option("--bins", min=1, max=1000, help="Position bins per action.")]
BootstrapArg = Annotated[
    int,
    typer.Option(
        "--bootstrap", min=0, max=100_000, help="Resamples of the videos for intervals; 0: none."
    ),
]
SeedArg = Annotated[int, typer.Option("--seed", callback=SEEDS, help="Of the resamples.")]
CsvArg = Annotated[
    Path | None,
    typer.Option("--csv", help="Also write every number to this file.", show_default=False),
]
SavePredictionsArg = Annotated[
    Path | None,
    typer.Option(
        "--save-predictions",
        help="Also write the source's predictions: .csv, .npz, .h5 or .parquet.",
        show_default=False,
    ),
]


@with_source_options
def eval_cli(
    opening: Opening,
    sources: SourcesArg = None,
    by: ByArg = None,
    bins: BinsArg = 10,
    bootstrap: BootstrapArg = 1000,
    seed: SeedArg = 0,
    alignment: Annotated[
        bool,
        typer.Option(
            "--alignment", help="Also measure how well the embeddings align videos of a task."
        ),
    ] = False,
    variant: Annotated[
        Variant,
        typer.Option(
            "--variant", help="With --alignment: metrics as this published code computes them."
        ),
    ] = Variant.DEFAULT,
    as_json: JsonArg = False,
    markdown: MarkdownArg = False,
    latex: LatexArg = False,
    csv: CsvArg = None,
    save_predictions: SavePredictionsArg = None,
) -> None:
    """Score sources side by side, always beside the baselines that see nothing.

    `progfix eval` scores the newest run; `progfix eval a.pt b.csv baseline:frame-counting`
    compares several, each with the first, over the same videos.
    """
    form = one_form({"--json": as_json, "--markdown": markdown, "--latex": latex})
    _require_alignment(variant, asked_for=alignment)
    from progfix.cli.eval_view import EvalProgress, show
    from progfix.cli.render import Screen
    from progfix.evaluation import BREAKDOWNS
    from progfix.evaluation.report import EvalOptions, evaluate

    chosen = by or []
    breakdowns = tuple(kind for kind in BREAKDOWNS if kind in chosen)
    options = EvalOptions(bootstrap, seed, bins, breakdowns, save_predictions)
    how = opening.options
    alignments: Sequence[Alignment | None] = ()
    with EvalProgress() as progress:
        opened = opening.open(sources or [])
        require_predictions(opened)
        if alignment:
            from progfix.evaluation.alignment import align_sources

            alignments = align_sources(
                opened, split=how.split, fit_on=how.fit_on, variant=variant.value,
                bootstrap=bootstrap, seed=seed,
                observe=progress.observe,
            )  # fmt: skip
        report = evaluate(
            opened, options, split=how.split, observe=progress.observe, alignments=alignments
        )
    if csv is not None:
        _write_csv(report, csv)
    if form is not None:
        Screen().out(_text(report, form), highlight=False)
    else:
        show(report, positions=By.POSITION in chosen)


def _text(report: EvalReport, form: str) -> str:
    import json

    from progfix.evaluation import tables
    from progfix.evaluation.contract import to_json

    if form == "json":
        return json.dumps(to_json(report), indent=2, allow_nan=False)
    return (tables.markdown if form == "markdown" else tables.latex)(report).rstrip()


def _write_csv(report: EvalReport, path: Path) -> None:
    from progfix.evaluation.tables import csv_text
    from progfix.files import atomic_path

    text = csv_text(report)
    header = text.partition("\n")[0].encode()
    if path.is_file() and not path.read_bytes().startswith(header):
        raise InputError(
            Problem(
                f"--csv {path}",
                "a new file, or an earlier table of eval",
                "another file, which would be lost",
                "choose another name",
            )
        )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _require_alignment(variant: Variant, *, asked_for: bool) -> None:
    if variant is not Variant.DEFAULT and not asked_for:
        raise InputError(
            Problem(
                f"--variant {variant}",
                "--alignment, whose metrics it is about",
                "no --alignment",
                "add --alignment",
            )
        )
