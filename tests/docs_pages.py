"""The commands and the Python of README and docs, as a reader would copy them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

PROGRAMS = {
    "bash",
    "git",
    "pip",
    "progfix",
    "pytest",
    "python",
    "sbatch",
    "sphinx-build",
    "torchrun",
}
"""First words of a command inside a sentence or an indented block. In a ```sh fence all counts."""

MEANT = {
    "--data PATH": "--data mine.h5",
    "--data FILE": "--data mine.h5",
    "--data D": "--data mine.h5",
    "check PATH": "check mine.h5",
    "info PATH": "info mine.h5",
    "convert PATH": "convert mine.h5",
    "--save-predictions FILE": "--save-predictions saved.csv",
    "diagnose A B": "diagnose runs/baseline-1 runs/fghsv-1",
    "diagnose A": "diagnose runs/baseline-1",
    "eval A B": "eval runs/baseline-1 runs/fghsv-1",
    "--out DIR": "--out drawn",
    "--out RUN": "--out runs/fghsv-1",
    "--out SWEEP": "--out runs/sweep-1",
    "--alignment RUN": "--alignment runs/fghsv-1",
    "eval RUN": "eval runs/fghsv-1",
    "SWEEP/": "runs/sweep-1/",
    "SOURCE": "runs/fghsv-1",
    "CHECKPOINT": "best_model.pt",
    "LETTERS": "fgs",
    "COMMAND": "train",
    "explain NAME": "explain early-bias",
    "KIND": "tcn",
    "--epochs N": "--epochs 2",
    "--solution S": "--solution fghs",
    "--head H": "--head gru",
    "--format F": "--format onnx",
    "export run ": "export runs/fghsv-1 ",
    "tcc|gtcc|lav|vava": "gtcc",
    " ...": "",
    "[--": "--",
    "2]": "2",
    "runs/fghsv-1]": "runs/fghsv-1",
    "runs/sweep-1]": "runs/sweep-1",
}
"""What stands for something else in the pages, and what it is here, in this order."""

FIGURES = ROOT / "docs" / "make_figures.sh"

_FENCE = re.compile(r"^```(\S*)$")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_ASSIGNMENT = re.compile(r"^([A-Z_]+)=(?:\"([^\"]*)\"|(\S*))")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        place: Page and line, for messages.
        page: The page, relative to the repository.
        words: The command without variables set for it, and without comments.
        inline: Whether it stands in a sentence.
    """

    place: str
    page: str
    words: tuple[str, ...]
    inline: bool

    def __str__(self) -> str:
        return f"{self.place}: {shlex.join(self.words)}"


@dataclass(frozen=True)
class Block:
    """One fence, or one indented block."""

    line: int
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fences of a page, and its indented blocks as such without a language."""
    language, start, lines = None, 0, list[str]()
    for number, line in enumerate([*page.read_text(encoding="utf-8").splitlines(), ""], 1):
        fence = _FENCE.match(line)
        if fence and language in {None, "indented"}:
            language, start, lines = fence[1], number + 1, []
        elif fence or (language == "indented" and not line.startswith("    ")):
            yield Block(start, str(language), "\n".join(lines) + "\n")
            language = None
        elif language is None and line.startswith("    "):
            language, start, lines = "indented", number, [line[4:]]
        elif language is not None:
            lines.append(line[4:] if language == "indented" else line)


def commands(page: Path) -> list[Command]:
    """Return the commands of a page in their order."""
    found: list[tuple[int, str, bool]] = []
    for block in blocks(page):
        lines = list(_whole_lines(block))
        if block.language in {"sh", "bash"} or (
            block.language == "indented" and _is_command(lines[0][1])
        ):
            found += [(line, text, False) for line, text in lines]
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", lambda m: "\n" * m[0].count("\n"), text, flags=re.M | re.S)
    for span in _SPAN.finditer(prose):
        one_line = " ".join(span[1].split())
        if " " in one_line and _is_command(one_line):
            found.append((prose.count("\n", 0, span.start()) + 1, one_line, True))
    name = str(page.relative_to(ROOT))
    return [
        Command(f"{name}:{line}", name, words, inline)
        for line, text, inline in sorted(found, key=lambda each: each[0])
        for words in _simple_commands(text)
    ]


def _is_command(text: str) -> bool:
    words = text.split()
    return bool(_ASSIGNMENT.match(text)) or (bool(words) and words[0] in PROGRAMS)


def _whole_lines(block: Block) -> Iterator[tuple[int, str]]:
    """Yield lines with what a backslash continues, variables of the block replaced."""
    variables: dict[str, str] = {}
    whole, start = "", block.line
    for number, line in enumerate(block.text.splitlines(), block.line):
        start = start if whole else number
        whole += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        for name, value in variables.items():
            whole = re.sub(rf"\${name}\b", value, whole)
        if (set_ := _ASSIGNMENT.match(whole)) and set_.end() == len(whole):
            variables[set_[1]] = set_[2] or set_[3]
        elif whole.strip():
            yield start, whole
        whole = ""


def _simple_commands(text: str) -> Iterator[tuple[str, ...]]:
    for written, here in MEANT.items():
        text = text.replace(written, here)
    reader = shlex.shlex(text, posix=True, punctuation_chars="&")
    reader.whitespace_split = True
    words: list[str] = []
    for word in [*reader, "&&"]:
        assert word != "|", f"a pipe, of which nobody says what runs it: {text}"
        if word != "&&":
            if words or not _ASSIGNMENT.match(word):
                words.append(word)
        elif words:
            yield tuple(words)
            words = []


def progfix_words(command: Command) -> list[str] | None:
    """Return what follows `progfix`, or None for another program."""
    words = list(command.words)
    if words[0] == "torchrun" and "progfix" in words:
        return words[words.index("progfix") + 1 :]
    return words[1:] if words[0] == "progfix" else None


def figure_commands() -> list[Command]:
    """Return the commands of docs/make_figures.sh, its variables replaced."""
    text = FIGURES.read_text(encoding="utf-8")
    (both,) = re.findall(r'^both="(.*)"$', text, re.MULTILINE)
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if written := re.search(r"\b(progfix .*)", line.partition("#")[0]):
            said = written[1].replace("$both", both).replace('"$solution"', "baseline")
            words = tuple(said.split())
            found.append(
                Command(f"docs/make_figures.sh:{number}", "docs/make_figures.sh", words, False)
            )
    return found


def is_a_name(command: Command) -> bool:
    """Whether a command in a sentence only names a command of progfix."""
    arguments = progfix_words(command)
    return (
        command.inline
        and arguments is not None
        and all(word.isalpha() and word.islower() for word in arguments)
        and (len(arguments) == 1 or arguments[0] == "data")
    )
