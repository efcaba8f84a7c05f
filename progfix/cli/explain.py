"""`progfix explain`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["explain_cli"]


def explain_cli(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="A finding such as early-bias, letters such as fgs, baseline, recommended, a "
            "metric such as mae; or "
            "findings, solutions, metrics for a list. Left out: all of them.",
            show_default=False,
            metavar="TOPIC",
        ),
    ] = None,
) -> None:
    """Say what a finding, a solution or a metric is.

    `progfix explain early-bias` says what it means, how it is known and what to do;
    `progfix explain v` what the letter changes; `progfix explain ogpe` how it is computed.
    """
    from rich.markdown import Markdown
    from rich.table import Table
    from rich.text import Text

    from progfix.cli.render import Screen
    from progfix.explanations import GROUPS, explained, topics

    out = Screen()
    topic = " ".join(words) if words else None
    if topic is not None and topic.strip().lower() not in GROUPS:
        for found in explained(topic):
            out.print(Markdown(found.text()))
        return
    listed = list(topics().values()) if topic is None else explained(topic)
    for group, heading in GROUPS.items():
        rows = Table.grid(padding=(0, 2, 0, 0))
        rows.add_column(style="cyan", overflow="fold", max_width=26)
        rows.add_column(overflow="fold")
        for found in listed:
            if found.group == group:
                rows.add_row(Text(found.name), Text(found.summary))
        if rows.row_count:
            out.print(Text(heading, style="bold"), rows, "", sep="\n")
    out.print("`progfix explain NAME` says more")
