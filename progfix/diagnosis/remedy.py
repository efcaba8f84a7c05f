"""From findings to a command that applies their fixes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from progfix.diagnosis.model import Finding
from progfix.heads.spec import HeadSpec
from progfix.solutions import RECOMMENDED, apply, conflicts
from progfix.sources import Source

__all__ = ["fix_command", "fix_letters", "fix_note"]


def fix_letters(findings: Sequence[Finding], trained_with: str, head: HeadSpec) -> str:
    """Return the letters to train with: the fixes of causes, what is recommended, what was.

    Args:
        findings: In order of rank; where letters conflict, the first one stays.
        trained_with: Letters of the recipe.
        head: The head that is to be trained.

    Returns:
        Letters in alphabetical order; empty without findings that a letter fixes.
    """
    fixes = [letter for f in findings if f.role == "cause" for letter in f.fix]
    if not fixes:
        return ""
    # The head is trained anew, so that nothing speaks against all that is recommended.
    chosen = ""
    for letter in dict.fromkeys([*fixes, *RECOMMENDED, *trained_with]):
        if not conflicts(chosen + letter, head):
            chosen += letter
    return "".join(sorted(chosen))


def fix_command(source: Source, findings: Sequence[Finding]) -> str | None:
    """Return the command line that trains with the fixes; None where none would help.

    Baselines are not trained, nor is a recipe that has all the letters already. Where the
    model or its data are not known, the command has a placeholder in capitals.
    """
    letters, known = _letters(source, findings)
    if not letters or letters == known:
        return None
    if source.kind == "run":
        return f"progfix train --config {shlex.quote(str(source.path))} --solution {letters}"
    origin = source.data.origin if source.data is not None else ""
    data = shlex.quote(origin) if origin else "DATA"
    if source.kind == "model":
        return f"progfix train --data {data} --solution {letters}"
    init = "CHECKPOINT" if source.checkpoint is None else shlex.quote(str(source.path))
    return f"progfix train --init {init} --data {data} --solution {letters}"


def fix_note(source: Source, findings: Sequence[Finding]) -> str | None:
    """Return what there is to know about the letters, or None.

    Either that the recipe has them all, or which of them keep a users' checkpoint loadable
    by their own code.
    """
    letters, known = _letters(source, findings)
    if letters and letters == known:
        return (
            f"the recipe has all these letters already ({known}): train longer, or look at data "
            "and embeddings."
        )
    if source.checkpoint is None or source.checkpoint.kind != "gtcc":
        return None
    from progfix.checkpoints.gtcc import expressible

    kept = "".join(letter for letter in letters if expressible(apply(letter).head) is None)
    if kept == letters:
        return None
    return (
        f"the GTCC code base can load a head made with --solution {kept or 'baseline'}, not one "
        f"with {letters}."
    )


def _letters(source: Source, findings: Sequence[Finding]) -> tuple[str, str]:
    """Return the letters to train with, and those of the recipe."""
    if source.kind == "baseline":
        return "", ""
    recipe = source.checkpoint.recipe if source.checkpoint is not None else None
    if recipe is None:
        return fix_letters(findings, "", HeadSpec()), ""
    return fix_letters(findings, recipe.solution, recipe.head), recipe.solution
