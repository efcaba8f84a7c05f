"""Every command and every line of Python in README and docs does what it says.

A command is one of these, and one that is none of them fails the test:

- `progfix ...`: its options are parsed by the real command, and tests/test_docs_running.py runs it
  in a folder with small files of the names that the pages use. Three things are cut there: built-in
  data is tiny; a training takes one epoch, two where it goes on; a sweep takes one seed. Words
  that stand for something (PATH, RUN, ...) are replaced by `tests.docs_pages.MEANT`. A command in a
  sentence that has no arguments, such as `progfix train`, is a name: it has to exist.
- `python -m tests...`, a measurement: its module is there, and its arguments are parsed.
- `pytest ...`: its files exist, and it collects tests (there, too).
- `pip install`: the extra that it names is in pyproject.toml.
- what another test, or .ci/run, runs as it stands there: `ELSEWHERE`.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from progfix.cli.app import app
from tests.docs_pages import (
    PAGES,
    PROGRAMS,
    ROOT,
    Command,
    blocks,
    commands,
    figure_commands,
    is_a_name,
    progfix_words,
)

ELSEWHERE = {
    "python -m venv .venv": ".ci/run",
    ". .venv/bin/activate": ".ci/run",
    "pytest": ".ci/run",
    "pytest -m slow": ".ci/run",
    "sphinx-build docs site": "tests/test_docs_site.py",
    "bash docs/make_figures.sh IMAGES": "the commands in it are taken as a page's",
    "[ $? = 124 ]": "tests/reliability/test_stopping.py has the status",
    "sbatch go-on.sh": "a reader's own script",
}
"""Commands that are not run here, and by whom."""

RUN_WHOLE = {
    "docs/tutorial.md": "tests/test_tutorial.py",
    "docs/extending.md": "tests/test_extending.py",
    "docs/rewards.md": "tests/test_rewards.py",
}
"""Pages whose fences another test runs from the first to the last."""

PYTHON = {
    **RUN_WHOLE,
    "docs/diagnosis.md": "tests/diagnosis/test_docs.py",
    "docs/formats.md": "tests/data/test_formats_doc.py",
    "docs/gallery.md": "tests/plots/test_docs.py",
    "docs/metrics.md": "tests/evaluation/test_docs.py",
    "docs/predictions.md": "tests/evaluation/test_docs.py",
}
"""Pages whose Python another test runs, and which."""

GIVEN = {
    "docs/alignment.md": """
import torch
encoder, step, epoch, generator = torch.nn.Linear(6, 4), 3, 1, torch.Generator().manual_seed(0)
videos, drop = [torch.randn(9, 6), torch.randn(7, 6)], torch.randn(2, 5)
""",
    "docs/api.md": "",
    "docs/checkpoints.md": "",
    "docs/export.md": "device, start, end = 'cpu', 3, 20\n",
    "docs/sweep.md": "",
    "docs/training.md": "",
}
"""Pages whose Python runs here, and the names that it takes as given."""

ALL = [command for page in PAGES for command in commands(page)]


def _exists(name: list[str]) -> bool:
    found = _without_work()
    for word in name:
        found = getattr(found, "commands", {}).get(word)
    return found is not None


@cache
def _without_work() -> Any:
    """Return the real command, whose parsing is all that it does."""
    group: Any = get_command(app)
    for leaf in [*group.commands.values(), *group.commands["data"].commands.values()]:
        if not hasattr(leaf, "commands"):
            leaf.callback = lambda **_: None
    return group


def _parsed(arguments: list[str]) -> str:
    """Return what is wrong with the options of a command, or nothing."""
    # Some work while they are parsed; this one writes into the home folder.
    assert "--install-completion" not in arguments
    said = StringIO()
    with redirect_stderr(said):
        status = _without_work().main(arguments, prog_name="progfix", standalone_mode=False)
    return f"status {status}: {said.getvalue()}" if status else ""


def test_every_command_is_of_a_known_kind() -> None:
    unknown = [
        str(command)
        for command in ALL
        if progfix_words(command) is None
        and " ".join(command.words) not in ELSEWHERE
        and command.words[0] not in {"pytest", "pip"}
        and command.words[:2] != ("python", "-m")
    ]
    assert unknown == []
    said = {" ".join(command.words) for command in ALL}
    assert set(ELSEWHERE) <= said
    assert len(ALL) > 150


def test_commands_stand_in_blocks_of_their_own() -> None:
    # What is not marked `sh` or begins with no program would not be looked at.
    for page in PAGES:
        for block in blocks(page):
            first, *others = block.text.splitlines() or [""]
            place = f"{page.name}:{block.line}"
            assert block.language != "console", place
            if block.language == "indented":
                assert not re.match(r"(import|from|with|for|def) |>>> ", first), place
                if first.split()[0] not in PROGRAMS:
                    assert not any(line.split(" ")[0] in PROGRAMS for line in others), place
            elif block.language in {"", "text"} and first.startswith("progfix "):
                assert not _exists(first.split()[1:2]), place


def test_every_command_is_parsed() -> None:
    wrong = []
    for command in [*ALL, *figure_commands()]:
        arguments = progfix_words(command)
        if arguments is None:
            continue
        if is_a_name(command):
            said = "" if _exists(arguments) else "no such command"
        else:
            said = _parsed(arguments)
        if said:
            wrong.append(f"{command}\n{said}")
    assert not wrong, "\n".join(wrong)


def test_every_option_that_a_page_names_exists() -> None:
    known = set(_options(_without_work()))
    foreign = {"--max-restarts"}  # torchrun's
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
        for span in re.findall(r"(?<!`)`(--[^`]+)`(?!`)", text):
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", span))
            assert named <= known | foreign, f"{page.name}: {span}"


def _options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    yield from ("--help", "--help-all")
    for each in getattr(command, "commands", {}).values():
        yield from _options(each)


@pytest.mark.parametrize("command", [c for c in ALL if c.words[:2] == ("python", "-m")], ids=str)
def test_measurements_take_their_arguments(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *arguments = command.words[2:]
    if name in {"venv", "pytest"}:
        return
    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        module = importlib.import_module(f"{name}.__main__")
    if name == "tests.diagnosis.pictures":
        folder, *findings = arguments
        assert (ROOT / folder).is_dir()
        assert set(findings) <= set(module.PICTURES)
    elif arguments:
        _stop_after_parsing(monkeypatch)
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        with pytest.raises(_ParsedError):
            module.main()
    else:
        assert callable(module.main)


class _ParsedError(Exception):
    """Arguments were taken; work would begin."""


def _stop_after_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *arguments: Any) -> None:
        parse(self, *arguments)
        raise _ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)


def test_extras_and_the_files_of_tests_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for command in ALL:
        if command.words[0] == "pip":
            (what,) = (w for w in command.words[2:] if not w.startswith("-"))
            extra = re.fullmatch(r"(?:\.|progfix)(?:\[(\w+)\])?", what)
            assert extra, str(command)
            assert extra[1] is None or extra[1] in project["optional-dependencies"], str(command)
        if "pytest" in command.words[:3]:
            for word in command.words:
                assert not word.startswith("tests/") or (ROOT / word).exists(), str(command)


def test_pages_that_another_test_runs_are_named_in_it() -> None:
    for name, test in PYTHON.items():
        assert Path(name).name in (ROOT / test).read_text("utf-8"), name
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        if any(block.language == "python" for block in blocks(page)):
            assert (name in PYTHON) != (name in GIVEN), f"{name}: which test runs its Python?"
