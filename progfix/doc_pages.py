"""Reading the documentation's pages: of a checkout, or those that a wheel takes along."""

from __future__ import annotations

import re
from pathlib import Path

from progfix.errors import InputError, Problem

__all__ = ["page_path", "paragraph", "section", "table_row", "without_links"]

_BESIDE = Path(__file__).resolve().parent / "pages"
_CHECKOUT = Path(__file__).resolve().parents[1] / "docs"


def page_path(name: str) -> Path:
    """Return where a page, or a folder of them, lies.

    Raises:
        InputError: If it is not where it was installed.
    """
    folder = _BESIDE if _BESIDE.is_dir() else _CHECKOUT
    path = folder / name
    if not path.exists():
        fix = "install progfix again, or read its documentation"
        raise InputError(Problem(str(path), "a page of the documentation", "none", fix))
    return path


def without_links(text: str) -> str:
    """Return Markdown with the words of its links alone."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, the heading included, without Python.

    Raises:
        LookupError: If the page has no such heading.
    """
    text = page_path(page).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}\n.*?(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(f"{page} has no heading {heading}")
    return without_links(re.sub(r"```python\n.*?```\n", "", found[0], flags=re.DOTALL))


def paragraph(page: str, beginning: str) -> str:
    """Return the first paragraph of a page that begins so, without links.

    Raises:
        LookupError: If there is none.
    """
    for part in page_path(page).read_text(encoding="utf-8").split("\n\n"):
        if part.startswith(beginning):
            return without_links(part)
    raise LookupError(f"{page} has no paragraph that begins {beginning}")


def table_row(page: str, name: str) -> dict[str, str]:
    """Return the row of a table that is about something, by the table's headings.

    A first cell such as "`ap_5`, `_10`" is about ap_5 and ap_10.

    Raises:
        LookupError: If no table has one.
    """
    headings: list[str] = []
    for line in page_path(page).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            headings = []
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        headings = headings or cells
        names = [part.strip("` ") for part in cells[0].split(",")]
        stem = names[0].rpartition("_")[0]
        if name in [stem + part if part.startswith("_") else part for part in names]:
            shown = [without_links(cell).replace("\\|", "|") for cell in cells]
            return dict(zip(headings, shown, strict=True))
    raise LookupError(f"{page} has no row about {name}")
