"""What Typer says about a command line that it cannot parse, as problems of ours.

Typer has its parser from Click, inside itself or beside it, depending on its version. Only
the attributes that both have are used here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

import typer

from progfix.errors import InputError, Problem, listed

__all__ = ["UsageError", "option_name", "refuse_empty", "usage_problems"]

UsageError: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError"
)
"""Base of the parser's errors, which Typer does not export."""

_EXPECTED = re.compile(r"(?:Input should be|is not) (.+?)(?: range|, unable .*)?\.?$", re.DOTALL)
_COMPARED = ("greater", "less", "in the range")
_MAY_BE_EMPTY = ("--background",)
"""Options whose empty value means something: no name at all."""


def option_name(parameter: Any) -> str:
    """Return "--epochs" of an option's parameter, "OUT" of an argument's."""
    name = str(max(parameter.opts, key=len))
    return name if name.startswith("-") else str(parameter.metavar or name).strip("[]").upper()


def refuse_empty(arguments: Sequence[str]) -> None:
    """Refuse empty texts, which would name the working folder, or nothing.

    Raises:
        InputError: With every argument or option whose value is empty.
    """
    problems = []
    for before, text in pairwise(["", *arguments]):
        option, equals, value = text.partition("=")
        if text == "":
            option = before if before.startswith("-") else ""
        elif not (option.startswith("--") and equals and not value):
            continue
        if option not in _MAY_BE_EMPTY:
            where = f"the empty text after {option}" if option else "the empty argument"
            fix = "give the value that was meant; . is the working folder"
            problems.append(Problem(where, "a value", "''", fix))
    if problems:
        raise InputError(problems)


def usage_problems(error: Any) -> tuple[Problem, ...]:
    """Return what the parser found wrong: one problem, or none where it printed the help.

    Args:
        error: A `UsageError`; the root context's object holds the command line.
    """
    return () if type(error).__name__ == "NoArgsIsHelpError" else (_problem(error),)


def _problem(error: Any) -> Problem:
    context = error.ctx
    command = context.command_path if context else "progfix"
    see = f"see `{command} --help`"
    if getattr(error, "param", None) is not None:
        return _value_problem(error, see)
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        known = [name for p in context.command.params for name in (*p.opts, *p.secondary_opts)]
        fix = _meant(option, known) or see
        return Problem(option, f"an option of {command}", "no such option", fix)
    if option is not None:
        needs = "requires" in error.message
        expected, found = ("a value after it", "none") if needs else ("no value after it", "one")
        return Problem(option, expected, found, see)
    if extra := re.search(r"extra arguments?(?:\(s\))? \((.*)\)", error.message):
        options = {name for p in context.command.params for name in p.opts}
        taken = any(p.param_type_name == "argument" for p in context.command.params)
        if {"--data", "--init"} <= options and not taken:
            see = "data goes after --data, a checkpoint after --init"
        return Problem(command, "no further argument", extra[1], see)
    commands = getattr(context.command, "commands", {}) if context else {}
    if name := re.search(r"No such command '(.*?)'", error.message):
        fix = _meant(name[1], commands) or see
        return Problem(command, f"one of {listed(commands)}", repr(name[1]), fix)
    return Problem(command, "arguments as its help shows", error.message.rstrip("."), see)


def _value_problem(error: Any, see: str) -> Problem:
    where = option_name(error.param)
    message = error.message
    if not message:
        return Problem(where, "a value", "none", see)
    given = _given(error.ctx.find_root().obj or (), error.param.opts)
    found = "another value" if given is None else repr(given)
    match = _EXPECTED.search(message)
    expected = match[1] if match else message.rstrip(".")
    if expected.startswith(_COMPARED):
        expected = f"a number {expected}"
    choices = re.findall(r"'(.*?)'", expected)
    return Problem(where, expected.replace("'", ""), found, _meant(given or "", choices) or see)


def _given(arguments: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the value that an option was given last, None if that cannot be told."""
    found = None
    for text, after in pairwise([*arguments, ""]):
        for name in names:
            if text == name:
                found = after
            elif name.startswith("--") and text.startswith(f"{name}="):
                found = text.partition("=")[2]
            elif not name.startswith("--") and text.startswith(name):
                found = text.removeprefix(name)
    return found


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1, cutoff=0.65)
    return f"did you mean {close[0]}?" if close else ""
