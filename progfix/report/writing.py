"""What `progfix diagnose --out` writes: JSON, figures and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from progfix.diagnosis import Diagnosis
from progfix.diagnosis.compare import Comparison
from progfix.diagnosis.contract import write_json
from progfix.files import atomic_path
from progfix.report.page import render_page
from progfix.report.pictures import take_pictures
from progfix.sources import Source
from progfix.visualisation import Kind, save, visualise

__all__ = ["FIGURES", "PAGE", "write_report"]

PAGE = "report.html"
FIGURES = "figures"
_KINDS: tuple[Kind, ...] = ("curves", "positions", "density", "ladder")


def write_report(
    folder: Path,
    sources: Sequence[Source],
    result: Diagnosis | Comparison,
    *,
    observe: Callable[[str], None] = lambda _text: None,
) -> list[Path]:
    """Write `diagnosis.json`, `figures/*.png` and `report.html`, replacing older ones.

    Args:
        folder: Where to; created if need be.
        sources: What was diagnosed: one, or the two that were compared.
        result: The diagnosis, or the comparison.
        observe: Told, in words, how far the work is.

    Returns:
        The files.

    Raises:
        InputError: If the folder cannot be written, or a source not be read again.
    """
    files = [write_json(result, folder)]
    pictures = take_pictures(sources)
    if pictures is not None:
        drawn = visualise(sources, _KINDS, observe=observe)
        files += save(drawn, folder / FIGURES)
    comparison = result if isinstance(result, Comparison) else None
    diagnosis = result.after if isinstance(result, Comparison) else result
    page = folder / PAGE
    with atomic_path(page) as path:
        path.write_text(render_page(diagnosis, pictures, comparison), encoding="utf-8")
    return [*files, page]
