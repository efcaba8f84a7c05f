"""Small pieces of HTML; whatever comes from outside is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Markup", "command", "element", "figure", "rows", "section", "table", "text"]


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return a value as HTML: escaped, unless it is HTML already."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def element(tag: str, *content: object, **attributes: object) -> Markup:
    """Return one element.

    Args:
        tag: Its name.
        *content: What it holds, escaped unless it is `Markup`.
        **attributes: Its attributes; "_" in a name stands for "-", one at its end is
            dropped, and those that are None are left out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>{''.join(map(text, content))}</{tag}>")


def section(name: str, title: str, *content: object) -> Markup:
    """Return a section with a heading; `name` is where links lead."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def rows(cells: Iterable[Sequence[object]]) -> Markup:
    """Return table rows whose first cell names the row."""
    return Markup(
        "".join(
            element(
                "tr",
                element("th", row[0], scope="row"),
                *(element("td", cell) for cell in row[1:]),
            )
            for row in cells
        )
    )


def table(caption: str, heads: Sequence[str], cells: Iterable[Sequence[object]]) -> Markup:
    """Return a table that can be scrolled sideways by mouse and keyboard."""
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", rows(cells)),
    )
    return element("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def figure(drawing: Markup, caption: str, numbers: Markup | None = None) -> Markup:
    """Return a drawing with its caption, and its numbers to unfold."""
    unfold = "" if numbers is None else element("details", element("summary", "Numbers"), numbers)
    return element("figure", drawing, element("figcaption", caption), unfold)


def command(line: str) -> Markup:
    """Return a command that one click selects whole."""
    return element("pre", element("code", line), class_="command", tabindex=0)
