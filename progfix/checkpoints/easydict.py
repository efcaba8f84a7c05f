"""Writing `easydict.EasyDict` by name, without the package that defines it."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["as_easydict", "easydict_importable"]


class _EasyDict(dict[object, object]):
    """What pickles like an EasyDict: entries, and the same entries as attributes."""


_EasyDict.__module__ = "easydict"
_EasyDict.__name__ = _EasyDict.__qualname__ = "EasyDict"


def as_easydict(config: object) -> object:
    """Return a configuration read by `safe_load` as the EasyDict that it was.

    Args:
        config: Every `OrderedDict` in it, at any depth, becomes an EasyDict; lists and
            tuples are copied; what was one object stays one object.
    """
    return _convert(config, {})


@contextmanager
def easydict_importable() -> Iterator[None]:
    """Let pickle find the stand-in under the name `easydict.EasyDict`.

    Pickle writes a class by name only if importing that name gives the class.
    """
    module = ModuleType("easydict")
    module.EasyDict = _EasyDict  # type: ignore[attr-defined]
    before = sys.modules.get("easydict")
    sys.modules["easydict"] = module
    try:
        yield
    finally:
        del sys.modules["easydict"]
        if before is not None:
            sys.modules["easydict"] = before


def _convert(value: object, done: dict[int, object]) -> object:
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, OrderedDict):
        result = _EasyDict()
        done[id(value)] = result
        for key, item in value.items():
            result[key] = _convert(item, done)
        for key, item in vars(value).items():
            vars(result)[key] = _convert(item, done)
        return result
    if isinstance(value, list | tuple):
        done[id(value)] = type(value)(_convert(item, done) for item in value)
        return done[id(value)]
    return value
