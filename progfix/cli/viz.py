"""`progfix viz`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from progfix.cli.opening import Opening, SourcesArg, require_predictions, with_source_options
from progfix.cli.options import SEEDS
from progfix.errors import InputError, Problem

if TYPE_CHECKING:
    from progfix.plots.drawings import Drawing, Kind
    from progfix.sources import Source

__all__ = ["default_folder", "viz_cli"]

_KINDS = "curves, positions, density, timeline, calibration, ladder, training"
_ALL = "all"
_FOLDER = Path("progfix-figures")


@with_source_options
def viz_cli(
    opening: Opening,
    sources: SourcesArg = None,
    num_segments: Annotated[
        int,
        typer.Option(
            "--num-segments", "-n", min=1, max=60, help="Segments to show; timelines: videos."
        ),
    ] = 5,
    select: Annotated[
        Literal["spread", "worst", "best", "longest", "random"],
        typer.Option(help="Which ones, by the error of the first source; spread: best to worst."),
    ] = "spread",
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What to draw, may be repeated: {_KINDS}, or all. Left out: curves,positions.",
            show_default=False,
        ),
    ] = None,
    file_format: Annotated[
        Literal["png", "pdf", "svg"], typer.Option("--format", help="Format of the files.")
    ] = "png",
    style: Annotated[
        Literal["screen", "paper"],
        typer.Option(help="paper: as wide as a column of a two-column page, 3.3 inches."),
    ] = "screen",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the files; left out: figures/ in a run, else progfix-figures/.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(callback=SEEDS, help="Of --select random. [default: 0]", show_default=False),
    ] = None,
) -> None:
    """Draw predictions against targets, and errors by position in the action.

    Several sources are laid over each other on the same segments:
    `progfix viz runs/baseline-1 runs/fgs-1` is before and after.
    """
    kinds = _kinds(kind or ["curves", "positions"])
    if seed is not None and select != "random":
        raise InputError(
            Problem("--seed", "--select random, which it is of", select, "leave it out")
        )
    if out is not None and out.suffix.lower() in _ENDINGS:
        where, fix = f"--out {out}", "name a folder, and the form of its files with --format"
        raise InputError(Problem(where, "a folder for the figures", "a file's name", fix))
    from progfix.files import require_writable_folder
    from progfix.visualisation import save, visualise

    opened = opening.open(sources or [])
    histories = "training" in kinds and any(source.kind == "run" for source in opened)
    if not histories and not any(source.chunks for source in opened):
        require_predictions(opened)
    folder = out or default_folder(opened)
    require_writable_folder(folder)
    with _status() as observe:
        result = visualise(
            opened,
            kinds,
            num_segments=num_segments,
            select=select,
            seed=seed or 0,
            style=style,
            observe=observe,
        )
    for notice in result.notices:
        _echo(f"note: {notice}", err=True)
    if not result.drawings or (result.left_out and kind != [_ALL]):
        raise InputError(
            Problem(f"--kind {name}", "sources that it can be drawn from", reason, _FIX)
            for name, reason in result.left_out.items()
        )
    for name, reason in result.left_out.items():
        _echo(f"note: {name} left out: {reason}", err=True)
    before = set(folder.iterdir())
    files = save(result, folder, file_format)
    if out is None and folder == _FOLDER and before.intersection(files):
        _echo(f"note: replaced earlier figures in {folder}; --out FOLDER keeps both", err=True)
    for file, drawing in zip(files, result.drawings, strict=True):
        _echo(str(file))
        for line in _lines(drawing, _blocks()):
            _echo(line)


_ENDINGS = (".png", ".pdf", ".svg")

_FIX = "name another source, or leave this kind out"


def _kinds(given: Sequence[str]) -> Sequence[Kind]:
    from progfix.plots.drawings import KINDS

    names = [name.strip() for text in given for name in text.split(",")]
    if names == [_ALL]:
        return KINDS
    known: dict[str, Kind] = {kind: kind for kind in KINDS}
    unknown = [repr(name) for name in names if name not in known]
    if unknown:
        found = ", ".join(unknown)
        raise InputError(Problem("--kind", f"{_KINDS}, or all", found, "choose among these"))
    return [known[name] for name in names]


@contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is going on, if stderr is a terminal."""
    from rich.text import Text

    from progfix.cli.render import Screen

    console = Screen(stderr=True)
    if not console.live:
        yield lambda _text: None
        return
    with console.status("") as status:
        yield lambda text: status.update(Text(text))


def default_folder(sources: Sequence[Source]) -> Path:
    """Return where figures go: into a run, if they are of it alone."""
    first = sources[0]
    if len(sources) == 1 and first.kind == "run" and first.path is not None:
        return first.path / "figures"
    return _FOLDER


def _lines(drawing: Drawing, blocks: str) -> Iterator[str]:
    """One line for each curve, 78 columns wide."""
    from rich.cells import set_cell_size

    from progfix.plots.sparkline import sparkline
    from progfix.plots.text import clean, decimal, shorten

    first, last = drawing.sparklines[0].label, None
    for line in drawing.sparklines:
        # Written once for all sources; two segments may have the same action and duration.
        again = line.subject == last and line.label != first
        subject = "" if again else shorten(clean(line.subject), 24)
        label = shorten(clean(line.label), 24)
        curve = sparkline(line.values, low=line.low, high=line.high, blocks=blocks)
        value = "" if line.value is None else decimal(line.value)
        cells = f"{set_cell_size(subject, 24)} {set_cell_size(label, 24)}"
        yield f"  {cells} {curve:<20} {value}".rstrip()
        last = line.subject


def _blocks() -> str:
    """Block characters where stdout can write them."""
    from progfix.plots.sparkline import BLOCKS, PLAIN

    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN
    return BLOCKS


def _echo(text: str, *, err: bool = False) -> None:
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "ascii"
    typer.echo(text.encode(encoding, "replace").decode(encoding), err=err)
