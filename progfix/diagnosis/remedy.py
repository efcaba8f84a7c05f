"""From findings to a command that applies their fixes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from progfix import runs
from progfix.diagnosis.model import Finding
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from progfix.solutions import RECOMMENDED, apply, conflicts
from progfix.sources import Source
from progfix.training.recipe import Recipe

__all__ = ["best_is_last", "fix_command", "fix_letters", "fix_notes", "letters_for", "what_is_left"]


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
    harmful = {letter for f in findings for letter in f.against}
    # The head is trained anew, so that nothing speaks against all that is recommended.
    chosen = ""
    for letter in dict.fromkeys([*fixes, *RECOMMENDED, *trained_with]):
        if letter not in harmful and not conflicts(chosen + letter, head):
            chosen += letter
    return "".join(sorted(chosen))


def letters_for(recipe: Recipe, findings: Sequence[Finding], *, theirs: bool) -> str:
    """Return the letters to train a recipe with instead, or again; empty where none help.

    Args:
        recipe: As it is.
        findings: What is wrong with it.
        theirs: The result should load in the GTCC code base, if any of the letters allows it.
    """
    best = fix_letters(findings, recipe.solution, recipe.head)
    kept = _loadable(best, findings) if theirs else ""
    return kept or best


def fix_command(source: Source, findings: Sequence[Finding]) -> str | None:
    """Return the command line that trains with the fixes; None where none would help.

    Baselines are not trained. A recipe that has all the letters is given more epochs where its
    last one was its best, and else an encoder, if it trained none. Where the model or its data
    are not known, the command has a placeholder in capitals.
    """
    letters = _letters(source, findings)
    if not letters.chosen:
        return None
    if letters.chosen == letters.known:
        return _beyond_letters(source, letters.known)
    if source.kind == "run":
        config = shlex.quote(str(source.path))
        return f"progfix train --config {config} --solution {letters.chosen}"
    rest = f"--data {_data(source) or 'DATA'} --solution {letters.chosen}"
    if source.kind == "model" or _reads_features(source):
        return f"progfix train {rest}"
    init = "CHECKPOINT" if source.checkpoint is None else shlex.quote(str(source.path))
    return f"progfix train --init {init} {rest}"


def what_is_left(source: Source, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with those of their letters that the source's recipe does not have."""
    known = _letters(source, findings).known

    def rest(finding: Finding) -> Finding:
        had = [letter for letter in finding.fix if letter in known]
        if not had:
            return finding
        note = f"The recipe has {', '.join(had)} already."
        return replace(
            finding,
            fix=tuple(letter for letter in finding.fix if letter not in known),
            advice=f"{finding.advice} {note}".strip(),
        )

    return tuple(rest(finding) for finding in findings)


def _reads_features(source: Source) -> bool:
    """Whether a checkpoint has no encoder that `--init` could keep."""
    found = source.checkpoint
    return found is not None and found.kind != "gtcc" and found.model.encoder is None


def _data(source: Source) -> str:
    """Return the data as `--data` takes it, with the options that it was opened with.

    Without them, another frame rate or other splits would be trained on, without a word.
    """
    if source.data is None or not source.data.origin:
        return ""
    words = [source.data.origin]
    for name, value in source.data.options.items():
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return shlex.join(words)


def _beyond_letters(source: Source, letters: str) -> str | None:
    done = best_is_last(source)
    if done is not None:
        return f"progfix train --config {shlex.quote(str(source.path))} --epochs {2 * done}"
    recipe = source.checkpoint.recipe if source.checkpoint is not None else None
    data = _data(source)
    if recipe is None or recipe.method.name != "none" or not data:
        return None
    return f"progfix train --data {data} --method gtcc --mcn --solution {letters}"


def best_is_last(source: Source) -> int | None:
    """Return the epochs of a run whose last one was its best, and None of all else."""
    if source.kind != "run" or source.path is None:
        return None
    from progfix.training.history import read_history

    try:
        rows = read_history(source.path / runs.HISTORY)
    except InputError:  # without it, the diagnosis says nothing of epochs
        return None
    return rows[-1].epoch if len(rows) > 1 and rows[-1].best else None


def fix_notes(source: Source, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what there is to know about the letters, and about the epochs of a run."""
    note = _about_letters(_letters(source, findings))
    if note:
        yield note
    if source.kind == "predictions" and fix_command(source, findings):
        yield (
            "CHECKPOINT is one of progfix or of the GTCC code base; leave --init out for any other "
            "model: a head is then trained on the features of DATA."
        )
    done = best_is_last(source)
    if done is not None:
        yield (
            f"the best of the {done} epochs is the last one: more of them may help "
            f"(--epochs {2 * done})."
        )


def _about_letters(letters: _Letters) -> str:
    if letters.chosen and letters.chosen == letters.known:
        return (
            f"the recipe has all these letters already ({letters.known}): what is left are more "
            "epochs, an encoder trained with the head, and the data."
        )
    if letters.chosen != letters.best:
        return (
            f"{letters.chosen} gives a head that the GTCC code base can load; {letters.best} is "
            "better where progfix's own checkpoints do."
        )
    if letters.chosen and letters.theirs and not letters.loadable:
        from progfix.checkpoints.gtcc import expressible

        held = [x for x in letters.chosen if expressible(apply(x).head) is not None]
        return (
            f"a head of the GTCC code base cannot hold {' and '.join(held)}: --solution "
            f"{letters.chosen} makes a progfix checkpoint, of which `progfix export` makes a "
            "module that any PyTorch code can import."
        )
    return ""


@dataclass(frozen=True)
class _Letters:
    """Letters to train with.

    Attributes:
        chosen: What the command says.
        best: What would be best if any code could load the result.
        known: Those of the recipe.
        theirs: Whether the checkpoint is the GTCC code base's.
        loadable: Whether that code can load a head made with `chosen`.
    """

    chosen: str = ""
    best: str = ""
    known: str = ""
    theirs: bool = False
    loadable: bool = True


def _letters(source: Source, findings: Sequence[Finding]) -> _Letters:
    if source.kind == "baseline":
        return _Letters()
    checkpoint = source.checkpoint
    recipe = checkpoint.recipe if checkpoint is not None else None
    known = "" if recipe is None else recipe.solution
    best = fix_letters(findings, known, HeadSpec() if recipe is None else recipe.head)
    if checkpoint is None or checkpoint.kind != "gtcc":
        return _Letters(best, best, known)
    kept = _loadable(best, findings)
    if kept == known:  # it has what their code can load, and was not cured by it
        kept = ""
    return _Letters(kept or best, best, known, theirs=True, loadable=bool(kept))


def _loadable(letters: str, findings: Sequence[Finding]) -> str:
    """Return those letters whose head the GTCC code base can load; none where they repair nothing.

    Letters that none of the causes asked for would repair nothing.
    """
    from progfix.checkpoints.gtcc import expressible

    kept = "".join(letter for letter in letters if expressible(apply(letter).head) is None)
    fixes = {letter for f in findings if f.role == "cause" for letter in f.fix}
    return kept if fixes & set(kept) else ""
