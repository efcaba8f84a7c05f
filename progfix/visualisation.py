"""From sources to figures and files: what `progfix viz` and a notebook call."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal, get_args

from matplotlib.figure import Figure

from progfix.files import atomic_path, patient_file
from progfix.plots.drawings import DRAW, KINDS, Drawing, Kind, draw_training
from progfix.plots.material import Wanted, gather
from progfix.plots.selection import Select
from progfix.plots.style import STYLES, StyleName, style_context
from progfix.sources import Given, sources_of

__all__ = ["FORMATS", "KINDS", "Drawing", "Format", "Kind", "Visualisation", "save", "visualise"]

Format = Literal["png", "pdf", "svg"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, eq=False)
class Visualisation:
    """What could be drawn, and what could not.

    Attributes:
        drawings: In the order asked for.
        left_out: Why the other kinds are not among them.
        notices: What the user should know about the input.
        style: What they were drawn in.
    """

    drawings: tuple[Drawing, ...]
    left_out: Mapping[Kind, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    style: StyleName = "screen"

    @property
    def figures(self) -> dict[Kind, Figure]:
        """The Matplotlib figures, by kind."""
        return {drawing.kind: drawing.figure for drawing in self.drawings}

    def _repr_html_(self) -> str:
        """Return the figures as pictures, for a notebook."""
        return "".join(self._picture(drawing) for drawing in self.drawings)

    def _picture(self, drawing: Drawing) -> str:
        data = BytesIO()
        with style_context(STYLES[self.style]):
            drawing.figure.savefig(data, format="png")
        code = b64encode(data.getvalue()).decode("ascii")
        return f'<p><img alt="{drawing.kind}" src="data:image/png;base64,{code}"></p>'


def visualise(
    sources: Sequence[Given] | Given,
    kinds: Sequence[Kind] = ("curves", "positions"),
    *,
    num_segments: int = 5,
    select: Select = "spread",
    seed: int = 0,
    style: StyleName = "screen",
    observe: Callable[[str], None] = lambda _text: None,
) -> Visualisation:
    """Draw figures of one or several sources, all with the same segments.

    Segments are chosen by the first source's errors, so that laying another source over it
    keeps the panels.

    Args:
        sources: At least one: opened (`progfix.sources.open_source`), or what is opened so,
            or predictions, or tables in memory.
        kinds: What to draw, out of `KINDS`.
        num_segments: Segments of `curves`, and videos of `timeline`.
        select: How they are chosen, see `progfix.plots.selection.select`.
        seed: Of a random choice.
        style: "screen", or "paper" for the column of a two-column page.
        observe: Told, in words, how far the work is.

    Raises:
        ValueError: If there is no source or no kind, or one is unknown or no source.
        InputError: From reading a source.
    """
    opened = sources_of(sources)
    if not opened or not kinds or not set(kinds) <= set(KINDS):
        raise ValueError(f"expected sources and kinds out of {KINDS}, found {kinds!r}")
    predicting = [source for source in opened if source.chunks is not None]
    notices = [
        f"{source.label}: no predictions, {source.why_not}"
        for source in opened
        if source.chunks is None
    ]
    material = None
    if predicting and set(kinds) - {"training"}:
        wanted = Wanted(num_segments, select, seed, "curves" in kinds, "timeline" in kinds)
        material = gather(predicting, wanted, observe)
        notices += material.notices
    drawings: list[Drawing] = []
    left_out: dict[Kind, str] = {}
    for kind in dict.fromkeys(kinds):
        observe(f"drawing {kind}")
        drawn: Drawing | str
        if kind == "training":
            drawn = draw_training(opened, style)
        elif material is None or not any(sums.frames for sums in material.survey.sums):
            drawn = "no source has a prediction"
        else:
            drawn = DRAW[kind](material, style)
        if isinstance(drawn, str):
            left_out[kind] = drawn
        else:
            drawings.append(drawn)
    return Visualisation(tuple(drawings), left_out, tuple(notices), style)


def save(visualisation: Visualisation, folder: Path, file_format: Format = "png") -> list[Path]:
    """Write each figure to `<kind>.<format>` in a folder, replacing an older one.

    The files of the same figure are the same, byte by byte.

    Args:
        visualisation: What to write.
        folder: Created if need be.
        file_format: One of `FORMATS`.

    Returns:
        The files, one per drawing.

    Raises:
        InputError: If the folder cannot be written.
    """
    metadata = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    files = []
    with style_context(STYLES[visualisation.style]):
        for drawing in visualisation.drawings:
            file = folder / f"{drawing.kind}.{file_format}"
            with atomic_path(file) as path, patient_file(path) as out:
                drawing.figure.savefig(out, format=file_format, metadata=metadata[file_format])
            files.append(file)
    return files
