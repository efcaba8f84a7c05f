"""Help that fits a screen: the options that most runs need, the others by `--help-all`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from progfix.cli.usage import option_name

__all__ = ["BRIEF", "BriefCommand", "take_help_all"]

BRIEF: Mapping[str, Sequence[str]] = {
    "diagnose": ("--data", "--out", "--try", "--json", "--fail-on"),
    "train": (
        "--solution", "--data", "--init", "--method", "--head", "--epochs", "--out", "--resume",
        "--dry-run",
    ),
    "eval": ("--data", "--split", "--by", "--alignment", "--json", "--markdown", "--csv"),
    "viz": ("--data", "--num-segments", "--select", "--kind", "--style", "--format", "--out"),
    "sweep": ("--data", "--solutions", "--seeds", "--fresh-splits", "--epochs", "--jobs", "--out",
              "--resume"),
    "info": ("--reader", "--feature-dir", "--fps", "--splits", "--json"),
    "check": ("--reader", "--feature-dir", "--fps", "--splits", "--features", "--fail-on",
              "--json"),
    "make": ("--annotations", "--seed", "--visible", "--tasks", "--videos", "--dim", "--force"),
    "convert": ("--reader", "--feature-dir", "--fps", "--splits", "--dtype", "--force"),
}  # fmt: skip
"""Options of a command's help; commands that are not here show all."""

_ALL = "--help-all"
_whole = False


def take_help_all(arguments: Sequence[str]) -> list[str]:
    """Read `--help-all` as the `--help` that leaves nothing out."""
    global _whole
    _whole = _ALL in arguments
    return ["--help" if text == _ALL else text for text in arguments]


class BriefCommand(TyperCommand):
    """A command whose `--help` shows the options of `BRIEF`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then how many options it left out."""
        shown = BRIEF.get(str(self.name))
        folded = [
            option
            for option in self.params
            if shown is not None
            and not _whole
            and option.param_type_name == "option"
            and not getattr(option, "hidden", False)
            and option_name(option) not in shown
        ]
        for option in folded:
            option.hidden = True  # type: ignore[attr-defined]
        try:
            super().format_help(ctx, formatter)
        finally:
            for option in folded:
                option.hidden = False  # type: ignore[attr-defined]
        if folded:
            typer.echo(f" {len(folded)} more options: {ctx.command_path} {_ALL}\n")
