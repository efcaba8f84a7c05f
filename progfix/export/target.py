"""Where an export goes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from progfix.errors import InputError, Problem

__all__ = ["ENDINGS", "Format", "require_new", "target_files"]

Format = Literal["module", "torch-export", "onnx"]

ENDINGS: Mapping[Format, str] = {"module": ".py", "torch-export": ".pt2", "onnx": ".onnx"}
"""How the file of each format ends; a module has its weights beside it, ending in .pt."""

_NAMES: Mapping[Format, str] = {
    "module": "progress_head",
    "torch-export": "progress_step",
    "onnx": "progress_step",
}


def target_files(out: Path, kind: Format) -> tuple[Path, ...]:
    """Return the files that an export writes, the one to open first.

    Args:
        out: A file with the format's ending, or a folder.
        kind: The format.

    Raises:
        InputError: If the name has another ending, or a module could not be imported by it.
    """
    ending = ENDINGS[kind]
    if out.is_dir() or not out.suffix:
        out = out / f"{_NAMES[kind]}{ending}"
    if out.suffix != ending:
        fix = f"name a folder, or a file such as {_NAMES[kind]}{ending}"
        raise InputError(Problem("--out", f"a folder or a name ending in {ending}", str(out), fix))
    if kind != "module":
        return (out,)
    if not (out.stem.isidentifier() and out.stem.isascii()):
        found = f"{out.name}, which Python cannot import"
        fix = f"call it for example {re.sub(r'[^a-zA-Z0-9]+', '_', f'head {out.stem}')}.py"
        raise InputError(Problem("--out", "a name of letters, digits and _", found, fix))
    return (out, out.with_suffix(".pt"))


def require_new(files: Sequence[Path]) -> None:
    """Check that no file would be replaced.

    Raises:
        InputError: With every file that is there.
    """
    there = [
        Problem(
            str(file),
            "a name that is free",
            "a file that is there",
            "choose another place with --out, or pass --force to replace it",
        )
        for file in files
        if file.exists()
    ]
    if there:
        raise InputError(there)
