"""From findings to a command that applies their fixes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from progfix.diagnosis.model import Finding
from progfix.heads.spec import HeadSpec
from progfix.solutions import RECOMMENDED, apply, conflicts
from progfix.sources import Source

__all__ = ["fix_command", "fix_letters", "loadable_note"]


def fix_letters(findings: Sequence[Finding], trained_with: str, head: HeadSpec) -> str:
    """Return the letters to train with: the fixes of causes, and what the recipe has already.

    Args:
        findings: In order of rank; where letters conflict, those of the first one stay.
        trained_with: Letters of the recipe.
        head: The head that is to be trained.

    Returns:
        Letters in alphabetical order; empty without findings that a letter fixes.
    """
    wanted = [letter for f in findings if f.role == "cause" for letter in f.fix]
    if not wanted:
        return ""
    if findings[0].id == "untrained-head":
        # The head starts anew, so that nothing speaks against all that is recommended.
        wanted += RECOMMENDED
    chosen = ""
    for letter in dict.fromkeys([*wanted, *trained_with]):
        if not conflicts(chosen + letter, head):
            chosen += letter
    return "".join(sorted(chosen))


def fix_command(source: Source, findings: Sequence[Finding]) -> str | None:
    """Return the command line that trains with the fixes; None where none would help.

    Baselines are not trained. Where the model or its data are not known, the command has a
    placeholder in capitals.
    """
    letters = _letters(source, findings)
    if not letters:
        return None
    if source.kind == "run":
        return f"progfix train --config {shlex.quote(str(source.path))} --solution {letters}"
    origin = source.data.origin if source.data is not None else ""
    data = shlex.quote(origin) if origin else "DATA"
    if source.kind == "model":
        return f"progfix train --data {data} --solution {letters}"
    init = "CHECKPOINT" if source.checkpoint is None else shlex.quote(str(source.path))
    return f"progfix train --init {init} --data {data} --solution {letters}"


def loadable_note(source: Source, findings: Sequence[Finding]) -> str | None:
    """Return which of the fixes keep a users' checkpoint loadable by their own code.

    None where all do, or the source is no users' checkpoint.
    """
    if source.checkpoint is None or source.checkpoint.kind != "gtcc":
        return None
    from progfix.checkpoints.gtcc import expressible

    letters = _letters(source, findings)
    kept = "".join(letter for letter in letters if expressible(apply(letter).head) is None)
    if kept == letters:
        return None
    return (
        f"the GTCC code base can load a head made with --solution {kept or 'baseline'}, not one "
        f"with {letters}."
    )


def _letters(source: Source, findings: Sequence[Finding]) -> str:
    if source.kind == "baseline":
        return ""
    recipe = source.checkpoint.recipe if source.checkpoint is not None else None
    if recipe is None:
        return fix_letters(findings, "", HeadSpec())
    return fix_letters(findings, recipe.solution, recipe.head)
