"""What README and docs tell a reader to type runs, in a folder with the files they speak of.

What is cut and what replaced is said in tests/test_docs_commands.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs_material import TINY, make_material, typed
from tests.docs_pages import ROOT, Command, blocks, figure_commands, is_a_name, progfix_words
from tests.test_docs_commands import ALL, ELSEWHERE, GIVEN, RUN_WHOLE

COLLECTED = [
    command
    for command in ALL
    if "pytest" in command.words[:3] and " ".join(command.words) not in ELSEWHERE
]


def _after_pytest(command: Command) -> tuple[str, ...]:
    return command.words[command.words.index("pytest") + 1 :]


def _marker(command: Command) -> str:
    words = _after_pytest(command)
    return words[words.index("-m") + 1] if "-m" in words else "not slow"


def _is_run(command: Command) -> bool:
    """Whether the slow test runs a command: the letter w exists in extending.md's test alone."""
    if progfix_words(command) is None or is_a_name(command) or command.page == "docs/extending.md":
        return False
    return command.inline or command.page not in RUN_WHOLE


RUN = [command for command in [*ALL, *figure_commands()] if _is_run(command)]


def _cut(arguments: list[str]) -> list[str]:
    """Make a command small: the built-in data, the epochs and the seeds, nothing else."""
    small = [TINY if word.startswith("procedures/1") else word for word in arguments]
    if small[0] not in {"train", "sweep"} or "--help" in small:
        return small
    goes_on = "--resume" in small
    if not goes_on and not {"--data", "--config", "--init"} & set(small):
        small += ["--data", TINY]
    if small[0] == "train":
        return [*small, "--epochs", "2" if goes_on else "1"]
    return small if goes_on else [*small, "--epochs", "1", "--seeds", "1", "--jobs", "1"]


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture
def folder(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for each page. progfix replaces files, so that links do."""
    monkeypatch.setenv("HOME", str(tmp_path))  # whatever a page says, it stays in here
    return Path(shutil.copytree(material, tmp_path / "here", copy_function=os.link))


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({command.page for command in RUN}))
def test_the_commands_of_a_page_run(page: str, folder: Path) -> None:
    done: set[tuple[str, ...]] = set()
    for command in RUN:
        arguments = progfix_words(command)
        if command.page != page or arguments is None:
            continue
        if command.inline and command.words in done:
            continue  # a sentence about a command of a block before
        done.add(command.words)
        try:
            typed(*_cut(arguments), folder=folder)
        except AssertionError as error:
            raise AssertionError(f"{command}\n{error}") from None


@pytest.mark.slow
@pytest.mark.parametrize("page", GIVEN)
def test_the_python_of_a_page_runs(page: str, folder: Path) -> None:
    code = "\n".join(b.text for b in blocks(ROOT / page) if b.language == "python")
    if page == "docs/export.md":
        theirs = "GTCC_CVPR2024_Reproduce"
        typed("export", "runs/fghs-1", "--out", ".", folder=folder)
        typed("export", "runs/fghs-1", "--out", ".", "--format", "torch-export", folder=folder)
        kept = ("train", "--init", "best_model.pt", "--data", TINY, "--epochs", "1")
        typed(*kept, "--solution", "fghs", "--out", "runs/on-theirs", folder=folder)
        typed("export", "runs/on-theirs", "--out", f"{theirs}/models/", folder=folder)
    code = code.replace('"procedures/1"', f'"{TINY}"').replace('"epochs": 20', '"epochs": 1')
    done = subprocess.run(
        [sys.executable, "-c", GIVEN[page] + code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder / 'GTCC_CVPR2024_Reproduce'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("marker", sorted({_marker(command) for command in COLLECTED}))
def test_the_tests_that_pages_name_are_collected(marker: str) -> None:
    told = [command for command in COLLECTED if _marker(command) == marker]
    words = {word for command in told for word in _after_pytest(command)} - {
        "-m",
        "-n",
        "0",
        marker,
    }
    line = [sys.executable, "-m", "pytest", *sorted(words), "-m", marker, "-n", "0"]
    done = subprocess.run(
        [*line, "--collect-only", "-q"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    for command in told:
        for word in command.words:
            assert not word.startswith("tests/") or f"\n{word}" in f"\n{done.stdout}", str(command)
