"""Many options as one argument: documented once, usable on any command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

__all__ = ["with_options"]

R = TypeVar("R")


def with_options(
    command: Callable[..., R],
    argument: str,
    options: Mapping[str, tuple[Any, object]],
    bundle: Callable[[dict[str, Any]], object],
) -> Callable[..., R]:
    """Give a command more options, which it gets bundled as one argument.

    Args:
        command: A function with a parameter named `argument`.
        argument: The parameter that the options are bundled into.
        options: By name of the option's parameter, its annotation and default.
        bundle: Makes the argument from the options' values.

    Returns:
        A function whose signature has one parameter for each option instead.
    """
    hints = get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints.get(name, parameter.annotation))
        for name, parameter in inspect.signature(command).parameters.items()
        if name != argument
    ]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in options.items()
    ]

    @functools.wraps(command)
    def wrapped(*args: object, **kwargs: object) -> R:
        given = {name: kwargs.pop(name) for name in options}
        return command(*args, **{argument: bundle(given)}, **kwargs)

    signature = inspect.Signature([*own, *added])
    wrapped.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect.signature
    wrapped.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return wrapped
