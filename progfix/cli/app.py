"""The `progfix` command: its subcommands, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import progfix
from progfix.cli import data
from progfix.cli.brief_help import BriefCommand, take_help_all
from progfix.cli.diagnose import diagnose_cli
from progfix.cli.errors import user_errors
from progfix.cli.eval import eval_cli
from progfix.cli.explain import explain_cli
from progfix.cli.export import export_cli
from progfix.cli.sweep import sweep_cli
from progfix.cli.terminal import plain, take_voice
from progfix.cli.train import train_cli
from progfix.cli.usage import refuse_empty
from progfix.cli.viz import viz_cli

__all__ = ["app", "main"]


class _Program(TyperGroup):
    """The one place where whatever goes wrong, parsing included, becomes a message."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        with user_errors():
            args = take_help_all(take_voice(args))
            refuse_empty(args)
            return super().make_context(info_name, args, parent, **{**extra, "obj": tuple(args)})

    def invoke(self, ctx: Any) -> Any:
        with user_errors():
            return super().invoke(ctx)


app = typer.Typer(
    name="progfix",
    cls=_Program,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"progfix {progfix.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Results and errors alone: no notes, no bars. Anywhere."
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Lines in place of bars, and tracebacks on the screen. Anywhere.",
        ),
    ] = False,
) -> None:
    """Tell the truth about an action-progress head, and repair it.

    In an empty folder: `progfix train --solution baseline`, then `progfix diagnose`, on
    built-in data. With your own: `progfix diagnose FILE`, a checkpoint or predictions;
    `progfix data check PATH` and `progfix train --data PATH`.
    """


app.command("diagnose", cls=BriefCommand)(diagnose_cli)
app.command("train", cls=BriefCommand)(train_cli)
app.command("eval", cls=BriefCommand)(eval_cli)
app.command("viz", cls=BriefCommand)(viz_cli)
app.command("sweep", cls=BriefCommand)(sweep_cli)
app.command("export")(export_cli)
app.command("explain")(explain_cli)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line."""
    if plain():
        from typer import rich_utils

        rich_utils.COLOR_SYSTEM = None
    app()
