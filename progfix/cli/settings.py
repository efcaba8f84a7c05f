"""Options that set one value of the recipe each, made from the table of settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import typer

from progfix.cli.bundle import with_options
from progfix.solutions import SOLUTIONS, apply
from progfix.training.recipe import SEED_RECIPE, changes
from progfix.training.settings import SETTINGS, Setting, Settings, Value

__all__ = ["Settings", "with_settings"]

R = TypeVar("R")

_NAMES = {name.replace("-", "_"): name for name in SETTINGS}
"""From parameter to option."""


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command these options; it gets them bundled as `settings: Settings`."""
    options = {
        parameter: (_option(name, SETTINGS[name]), None) for parameter, name in _NAMES.items()
    }
    return with_options(command, "settings", options, _settings)


def _option(name: str, setting: Setting) -> Any:
    shown = f"{setting.text} [default: {_defaults(setting)}]"
    text: Any = {"help": shown, "show_default": False, "rich_help_panel": setting.group}
    kind: Any = setting.kind
    if kind is bool:
        return Annotated[bool | None, typer.Option(f"--{name}/--no-{name}", **text)]
    if setting.choices:
        return Annotated[Literal[setting.choices] | None, typer.Option(f"--{name}", **text)]
    limits = setting.limits
    # A bound that no number reaches would only be noise in the help.
    high = kind(limits.high) if limits.high < sys.float_info.max else None
    low = None if limits.above else kind(limits.low)
    return Annotated[kind | None, typer.Option(min=low, max=high, **text)]


def _defaults(setting: Setting) -> str:
    """Return "0.4 with v, else 0" where a letter sets the value, or "0" where none does."""
    lettered = {
        letter: changed[setting.field]
        for letter in SOLUTIONS
        if setting.field in (changed := changes(SEED_RECIPE, apply(letter)))
    }
    otherwise = _shown(setting.default)
    if not lettered:
        return otherwise
    given = ", ".join(f"{_shown(value)} with {letter}" for letter, value in lettered.items())
    return f"{given}, else {otherwise}"


def _shown(default: Value) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _settings(given: dict[str, Any]) -> Settings:
    return {SETTINGS[_NAMES[parameter]].field: value for parameter, value in given.items()}
